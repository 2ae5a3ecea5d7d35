//! Which budgets' periods there are, and which have begun.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{Policy, Term, calendar};
use crate::domain::{OrgId, Period, Timestamp};

/// The next period is opened so long before it begins.
const AHEAD: Duration = Duration::from_secs(3600);

/// Times that a period is compared as a whole before that is given up.
const TRIES: u32 = 60;

/// A period that is to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub term: Term,
    /// It lies ahead, so nothing was used in it.
    pub is_next: bool,
}

/// A period whose counters are all to be compared with the database: this process may have died
/// with something untold, or has found records of an earlier one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recheck {
    pub org: OrgId,
    pub term: Term,
    due: Instant,
    tries: u32,
}

/// The periods of all organizations.
#[derive(Debug, Default)]
pub(super) struct Periods {
    orgs: HashMap<OrgId, Org>,
    rechecks: Vec<Recheck>,
}

#[derive(Debug, Default)]
struct Org {
    policies: Vec<Policy>,
    /// With the epoch under which they began.
    begun: HashMap<(Uuid, Timestamp), u64>,
    /// Of which the database has told what was used, while Redis was away.
    supposed: HashSet<(Uuid, Timestamp)>,
    is_recalled: bool,
    /// Whether it is known what its requests usually use.
    is_met: bool,
    /// Since when Redis keeps its keys; zero until that is heard.
    kept: u64,
    /// When Redis last heard of this replica in it, milliseconds; zero if it never did.
    heard: u64,
}

/// A budget, when its period began, and the epoch of its counters.
type Begun = (Uuid, Timestamp, u64);

impl Periods {
    /// Notes an organization's policies.
    pub fn learn(&mut self, org: OrgId, policies: Vec<Policy>) {
        let known = self.orgs.entry(org).or_default();
        known.begun.retain(|(id, _), _| policies.iter().any(|policy| policy.id == *id));
        known.policies = policies;
    }

    /// Redis has lost a budget's periods.
    pub fn lost(&mut self, org: OrgId, policy: Uuid) {
        if let Some(org) = self.orgs.get_mut(&org) {
            org.begun.retain(|(id, _), _| *id != policy);
        }
    }

    /// Redis keeps an organization's keys since then; whether that is news.
    pub fn is_kept_anew(&mut self, org: OrgId, since: u64) -> bool {
        let org = self.orgs.entry(org).or_default();
        std::mem::replace(&mut org.kept, since) != since
    }

    /// Redis has heard of this replica in an organization, at that time of Redis's clock (milliseconds). Answers for
    /// how long it had not before.
    pub fn was_heard(&mut self, org: OrgId, now: u64) -> Duration {
        let org = self.orgs.entry(org).or_default();
        let before = std::mem::replace(&mut org.heard, now);
        let silence = if before == 0 { 0 } else { now.saturating_sub(before) };
        Duration::from_millis(silence)
    }

    /// Redis was away: that it heard nothing is no silence of this replica's.
    pub fn forget_heard(&mut self) {
        self.orgs.values_mut().for_each(|org| org.heard = 0);
    }

    /// A period has begun; whether that is news.
    pub fn begun(&mut self, org: OrgId, term: Term, epoch: u64) -> bool {
        let org = self.orgs.entry(org).or_default();
        org.begun.insert((term.policy, term.start), epoch) != Some(epoch)
    }

    /// The database has told what was used in a period that has not begun.
    pub fn supposed(&mut self, org: OrgId, term: Term) {
        self.orgs.entry(org).or_default().supposed.insert((term.policy, term.start));
    }

    /// Whether it has.
    pub fn is_supposed(&self, org: OrgId, term: Term) -> bool {
        let known = self.orgs.get(&org);
        known.is_some_and(|org| org.supposed.contains(&(term.policy, term.start)))
    }

    /// Forgets periods that are over.
    pub fn forget(&mut self, now: Timestamp) {
        for org in self.orgs.values_mut() {
            let periods: HashMap<Uuid, Period> =
                org.policies.iter().filter_map(|one| Some((one.id, one.period?))).collect();
            let runs = |id: &Uuid, start: Timestamp| {
                periods.get(id).is_some_and(|period| start >= calendar::span(*period, now).start)
            };
            org.begun.retain(|(id, start), _| runs(id, *start));
            org.supposed.retain(|(id, start)| runs(id, *start));
        }
    }

    /// Periods that run, or will within the hour, and have not begun.
    pub fn wanted(&self, now: Timestamp) -> Vec<(OrgId, Vec<Wanted>)> {
        let of = |org: &Org| org.wanted(now).collect::<Vec<_>>();
        let all = self.orgs.iter().map(|(id, org)| (*id, of(org)));
        all.filter(|(_, wanted)| !wanted.is_empty()).collect()
    }

    /// Whether every period that runs has begun, and the last minute is known. While Redis is `away`, what the database
    /// has told will do.
    pub fn all_begun(&self, now: Timestamp, away: bool) -> bool {
        let is_known = |org: &Org, wanted: Wanted| {
            let term = (wanted.term.policy, wanted.term.start);
            wanted.is_next || (away && org.supposed.contains(&term))
        };
        let has_begun = |org: &Org| org.wanted(now).all(|wanted| is_known(org, wanted));
        self.orgs.values().all(|org| org.is_recalled && has_begun(org))
    }

    /// The periods that have begun, with their epochs, by organization.
    pub fn all(&self) -> Vec<(OrgId, Vec<Begun>)> {
        let of = |org: &Org| {
            org.begun.iter().map(|((id, start), epoch)| (*id, *start, *epoch)).collect()
        };
        self.orgs.iter().map(|(id, org)| (*id, of(org))).collect()
    }

    /// Limits per minute of organizations whose last minute was not asked for.
    pub fn unrecalled(&self) -> Vec<(OrgId, Vec<Uuid>)> {
        let limits = |org: &Org| {
            let limits = org.policies.iter().filter(|policy| policy.period.is_none());
            limits.map(|policy| policy.id).collect()
        };
        let all = self.orgs.iter().filter(|(_, org)| !org.is_recalled);
        all.map(|(id, org)| (*id, limits(org))).collect()
    }

    /// It was.
    pub fn recalled(&mut self, org: OrgId) {
        if let Some(org) = self.orgs.get_mut(&org) {
            org.is_recalled = true;
        }
    }

    /// Organizations that have a budget, and of which it is not known yet what their requests usually use.
    pub fn unmet(&self) -> Vec<OrgId> {
        let has_budget = |org: &Org| org.policies.iter().any(|policy| policy.period.is_some());
        let unmet = self.orgs.iter().filter(|(_, org)| !org.is_met && has_budget(org));
        unmet.map(|(id, _)| *id).collect()
    }

    /// It is known now.
    pub fn met(&mut self, org: OrgId) {
        if let Some(org) = self.orgs.get_mut(&org) {
            org.is_met = true;
        }
    }

    /// Has a period compared as a whole after a while.
    pub fn recheck(&mut self, org: OrgId, term: Term) {
        let due = Instant::now() + Duration::from_secs(1);
        self.rechecks.retain(|one| (one.org, one.term) != (org, term));
        self.rechecks.push(Recheck { org, term, due, tries: 0 });
    }

    /// Has it compared again.
    pub fn recheck_again(&mut self, recheck: Recheck) {
        let Recheck { org, term, tries, .. } = recheck;
        if tries < TRIES {
            let due = Instant::now() + Duration::from_secs(1);
            self.rechecks.push(Recheck { org, term, due, tries: tries + 1 });
        }
    }

    /// Those that are due.
    pub fn due(&mut self) -> Vec<Recheck> {
        let now = Instant::now();
        let (due, later) = self.rechecks.drain(..).partition(|recheck| recheck.due <= now);
        self.rechecks = later;
        due
    }
}

impl Org {
    fn wanted(&self, now: Timestamp) -> impl Iterator<Item = Wanted> {
        let terms = self.policies.iter().filter_map(move |policy| {
            let span = calendar::span(policy.period?, now);
            let next = calendar::span(policy.period?, span.end);
            let is_near = now.after(AHEAD) >= span.end;
            let term =
                |span: calendar::Span| Term { policy: policy.id, start: span.start, end: span.end };
            let run = Wanted { term: term(span), is_next: false };
            let next = is_near.then(|| Wanted { term: term(next), is_next: true });
            Some(std::iter::once(run).chain(next))
        });
        terms
            .flatten()
            .filter(|wanted| !self.begun.contains_key(&(wanted.term.policy, wanted.term.start)))
    }
}
