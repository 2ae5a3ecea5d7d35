//! The governor: the one place that says whether a request may be served.

use std::{
    collections::HashSet,
    hash::BuildHasher as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use hashbrown::DefaultHashBuilder;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::{
    Amount, Ask, Block, Check, Counter, Crossing, Denied, Expectations, Grant, History, Lease,
    Listener, Policy, RouteAsk, Rule, Standing, Term, Verdict,
    book::{Book, Enforce},
    calendar::{Span, span},
    clock::Clock,
    crossing::Watched,
    decide::{Chosen, Decision, Readings, marked, standing_of},
    lease::Hold,
    periods::Periods,
    reading::{Reading, standing},
    redis::{Link, admit::Session},
    share::{LastShare, Share},
};
use crate::domain::{LedgerId, OrgId, Position, Timestamp};

/// How many locks there are; an organization's counters are under one.
const SHARDS: usize = 64;

/// What requests usually use is waited for so long, once, when the process starts.
const MET_WITHIN: Duration = Duration::from_millis(1500);

/// What is done about requests while Redis is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Each replica enforces its share, by what it counted itself.
    #[default]
    Local,
    /// They are refused.
    Deny,
    /// They are admitted and counted.
    Allow,
}

/// What a governor is made of.
pub struct Settings {
    /// This process's ledger.
    pub ledger: LedgerId,
    /// What the database knows.
    pub history: Arc<dyn History>,
    /// Who is told of budgets that pass a threshold. Called on the request path: to hand over, not
    /// to work.
    pub listener: Listener,
    /// What replicas share; none for one process alone.
    pub link: Option<Arc<Link>>,
    /// What is done while Redis is away.
    pub on_failure: OnFailure,
}

/// Says whether requests may be served, and counts what they use. One per process.
pub struct Governor {
    pub(super) settings: Settings,
    pub(super) shards: Vec<Mutex<Book>>,
    pub(super) expectations: Expectations,
    pub(super) periods: Mutex<Periods>,
    /// Asks the one who begins periods to look again.
    pub(super) to_begin: Notify,
    /// Tells that periods have begun, or that there are more or fewer replicas.
    pub(super) has_begun: watch::Sender<u64>,
    /// Asks the one who learns what requests usually use to look again.
    pub(super) to_meet: Notify,
    /// Tells that this is known of another organization.
    pub(super) has_met: watch::Sender<u64>,
    /// Whether somebody has waited for the counters to begin: whoever does so first is starting the process.
    has_started: AtomicBool,
    /// Asks for what was settled to be told to Redis.
    pub(super) to_flush: Notify,
    pub(super) ledger: String,
    replica: Arc<str>,
    generation: AtomicU32,
    /// This replica's, among those that were alive when Redis was last asked.
    pub(super) share: LastShare,
    /// Asks for their number to be noted.
    pub(super) to_note: Notify,
    pub(super) is_degraded: AtomicBool,
    /// Whether Redis is there and refuses to count, and has done so since it last counted.
    is_refused: AtomicBool,
    was_refused: AtomicBool,
    hasher: DefaultHashBuilder,
    begun: Instant,
    /// What the windows' clock is ahead of this process's, milliseconds.
    ahead: AtomicI64,
}

/// Where limits are enforced now: the metric `limiter_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimiterState {
    /// In this process, which is alone.
    InProcess,
    /// In Redis, over all replicas.
    Shared,
    /// As `redis.on_failure` says: Redis is away.
    Degraded,
}

impl LimiterState {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::InProcess, Self::Shared, Self::Degraded];

    /// Its label in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProcess => "in_process",
            Self::Shared => "shared",
            Self::Degraded => "degraded",
        }
    }
}

/// What became of a request that moves on to another route.
#[derive(Debug)]
#[must_use]
pub enum Moved {
    /// It may be sent there.
    Granted {
        /// As [`Grant::output_cap`].
        output_cap: Option<u64>,
        /// The limits that it is held to there.
        standing: Standing,
        /// As [`Grant::throttled_by`].
        throttled_by: Option<Uuid>,
    },
    /// The route may not be used now. What was reserved for the former one is free again, but for what both have in
    /// common.
    Blocked(Block),
    /// Redis is away and `redis.on_failure` is `deny`.
    Unavailable,
}

/// A decision, and what it was made from.
pub(super) type Decided = (Readings, Decision);

impl Governor {
    /// A governor; [`Governor::run`] is to be spawned.
    #[must_use]
    pub fn new(settings: Settings) -> Arc<Self> {
        let is_shared = settings.link.is_some();
        let shards = (0..SHARDS).map(|_| Mutex::new(Book::new(is_shared))).collect();
        let ledger = settings.ledger.0.simple().to_string();
        // Redis's clock until it is heard of; else any beginning that lies behind the windows.
        let ahead = if is_shared { Timestamp::now().0 / 1000 } else { 100_000 };
        Arc::new(Self {
            settings,
            shards,
            expectations: Expectations::default(),
            periods: Mutex::default(),
            to_begin: Notify::new(),
            has_begun: watch::Sender::new(0),
            to_meet: Notify::new(),
            has_met: watch::Sender::new(0),
            has_started: AtomicBool::new(false),
            to_flush: Notify::new(),
            ledger,
            replica: uuid::Uuid::new_v4().simple().to_string().into(),
            generation: AtomicU32::new(1),
            share: LastShare::default(),
            to_note: Notify::new(),
            is_degraded: AtomicBool::new(is_shared),
            is_refused: AtomicBool::new(false),
            was_refused: AtomicBool::new(false),
            hasher: DefaultHashBuilder::default(),
            begun: Instant::now(),
            ahead: AtomicI64::new(ahead),
        })
    }

    /// Says whether a request may be served, and if so counts it. Without Redis it never waits; with
    /// Redis at most `redis.timeout_ms`, once, when that goes away.
    pub async fn admit(self: &Arc<Self>, ask: &Ask<'_>) -> Verdict {
        let decided = match &self.settings.link {
            None => Some(self.decide_here(ask, None, Enforce::Share(Share::WHOLE))),
            Some(link) => self.decide_there(link, ask, None).await,
        };
        let Some((readings, decision)) = decided else { return Verdict::Unavailable };
        self.tell_refusals(ask, &decision);
        let standing = standing_of(ask, &readings, &decision, false);
        let throttled_by = marked(ask, &readings, &decision);
        match decision {
            Decision::Deny { by, route } => Verdict::Denied(Denied { by, route, standing }),
            Decision::Grant(chosen) => {
                let grant = self.grant(ask, chosen, standing);
                Verdict::Granted(Grant { throttled_by, ..grant })
            }
        }
    }

    fn grant(self: &Arc<Self>, ask: &Ask<'_>, chosen: Chosen, standing: Standing) -> Grant {
        let route = chosen.route.and_then(|route| ask.routes.get(route));
        let hold = || Hold {
            org: ask.org,
            at: ask.at,
            caller: Arc::clone(ask.caller),
            route: route.map(|route| Arc::clone(route.checks)),
            expected: ask.expected,
            former: Vec::new(),
            strict: chosen.strict.unwrap_or(ask.expected),
        };
        Grant {
            route: chosen.route,
            lease: ask.counts.then(|| Lease::new(Arc::clone(self), hold())),
            blocked: chosen.blocked,
            standing,
            output_cap: chosen.output_cap,
            throttled_by: None,
        }
    }

    /// What requests usually use: of those that have a budget, what is in the ledger is known soon after it was
    /// told of.
    #[must_use]
    pub const fn expectations(&self) -> &Expectations {
        &self.expectations
    }

    /// What counters of limits per minute hold, as the next request would meet it: requests and tokens, of each
    /// check in order. Nothing is counted. None while Redis is away and `redis.on_failure` is `deny`.
    pub async fn counted(
        self: &Arc<Self>,
        org: OrgId,
        checks: &Arc<[Check]>,
    ) -> Option<Vec<(u64, u64)>> {
        let at = Timestamp::now();
        let expected = Amount::ZERO;
        let ask = Ask { org, at, caller: checks, routes: &[], expected, counts: false };
        let (readings, _) = match &self.settings.link {
            None => self.decide_here(&ask, None, Enforce::Share(Share::WHOLE)),
            Some(link) => self.decide_there(link, &ask, None).await?,
        };
        let sums = |reading: &Reading| match reading {
            Reading::Rate(rate) => (rate.requests.sum, rate.tokens.sum),
            Reading::Budget(_) => (0, 0),
        };
        Some(readings.iter().map(sums).collect())
    }

    /// The counters of these limits per minute in which this process holds anything.
    #[must_use]
    pub fn held(&self, org: OrgId, limits: &HashSet<Uuid>) -> Vec<Counter> {
        let mut held = Vec::new();
        for part in 0..Book::PARTS {
            // Requests may go on between the parts.
            let now = self.now();
            self.book(org).held(org, limits, part, now, &mut held);
        }
        held
    }

    /// How a caller stands with these, by what is known here: where replicas share Redis, what the others had
    /// counted when a request was last decided on there. Nothing is counted, and nobody asked.
    #[must_use]
    pub fn standing(&self, org: OrgId, checks: &[Check]) -> Standing {
        let now = self.now();
        let mut book = self.book(org);
        // Budgets have no part in it.
        let limits = checks.iter().filter(|check| matches!(check.rule, Rule::Rate { .. }));
        let all = limits.map(|check| standing(check, &book.known(check, now), false));
        all.fold(Standing::default(), Standing::tightest)
    }

    /// Tells which policies an organization has, whenever they change: so that their counters begin
    /// with what was used before.
    pub fn policies(&self, org: OrgId, policies: Vec<Policy>) {
        self.periods().learn(org, policies);
        self.to_begin.notify_one();
        self.to_meet.notify_one();
    }

    /// Tells that these are in force, and known to the listener: from now on their thresholds are told, those
    /// that are passed already among them.
    pub fn in_force(&self, org: OrgId, policies: &[Policy]) {
        let now = Timestamp::now();
        for policy in policies {
            let Some(period) = policy.period else { continue };
            if self.book(org).watch(policy.id, Watched::of(policy)) {
                let Span { start, end } = span(period, now);
                self.periods().recheck(org, Term { policy: policy.id, start, end });
            }
        }
    }

    /// Waits until the counters of every policy that was told of have begun, and with Redis this replica's share of
    /// them is known; `false` if some have not after `within`. While Redis is away, what the database knows will do. Until then they enforce what they know, as when Redis is away. When the process
    /// starts, it waits a moment longer for what requests usually use.
    pub async fn wait_begun(&self, within: Duration) -> bool {
        let mut changes = self.has_begun.subscribe();
        let link = self.settings.link.as_ref();
        let is_known = || {
            let away = link.is_some_and(|link| !link.is_up());
            let has_share = link.is_none() || self.share.known().is_some();
            has_share && self.periods().all_begun(Timestamp::now(), away)
        };
        let begun = async {
            while !is_known() {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        let has_begun = tokio::time::timeout(within, begun).await.is_ok();
        let is_start = !self.has_started.swap(true, Ordering::Relaxed);
        if is_start && has_begun {
            let _ = tokio::time::timeout(MET_WITHIN, self.wait_met()).await;
        }
        has_begun
    }

    async fn wait_met(&self) {
        let mut changes = self.has_met.subscribe();
        while !self.periods().unmet().is_empty() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Whether limits are enforced by this process alone though Redis is configured.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.is_degraded.load(Ordering::Relaxed) || self.is_refused.load(Ordering::Relaxed)
    }

    /// Notes that Redis is there and refuses a call, as it does when its memory is full. Told once, until it
    /// counts again.
    pub(super) fn refused(&self, reason: &str) {
        self.was_refused.store(true, Ordering::Relaxed);
        if !self.is_refused.swap(true, Ordering::Relaxed) {
            tracing::error!(%reason, "redis refuses to count: limits are enforced as if it were away");
        }
    }

    /// Notes that Redis has written something: it counts again, unless something else was refused meanwhile.
    pub(super) fn written(&self) {
        let was_refused = self.was_refused.swap(false, Ordering::Relaxed);
        if !was_refused && self.is_refused.swap(false, Ordering::Relaxed) {
            tracing::info!("redis counts again");
            self.to_flush.notify_one();
        }
    }

    /// Where limits are enforced now.
    #[must_use]
    pub fn state(&self) -> LimiterState {
        match self.settings.link {
            None => LimiterState::InProcess,
            Some(_) if self.is_degraded() => LimiterState::Degraded,
            Some(_) => LimiterState::Shared,
        }
    }

    /// How many replicas there were when Redis was last asked; 1 where nothing is shared.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.share.get().replicas()
    }

    pub(super) async fn move_hold(self: &Arc<Self>, hold: &mut Hold, route: RouteAsk<'_>) -> Moved {
        // What counts it on both routes goes on with it, as the caller's own does.
        let goes_on = |check: &Check| match check.rule {
            Rule::Rate { .. } => hold.has_counted(&check.counter),
            Rule::Budget { .. } => hold.is_on_route(&check.counter),
        };
        let (shared, own): (Vec<Check>, Vec<Check>) =
            route.checks.iter().cloned().partition(goes_on);
        self.book(hold.org).leave_route(hold, &shared);
        hold.remember_route();
        if self.settings.link.is_some() {
            self.to_flush.notify_one();
        }
        let (own, caller) = if shared.is_empty() {
            (Arc::clone(route.checks), Arc::clone(&hold.caller))
        } else {
            (own.into(), hold.caller.iter().chain(&shared).cloned().collect())
        };
        hold.route = Some(shared.into());
        let routes = [RouteAsk { checks: &own, ..route }];
        let ask = Ask {
            org: hold.org,
            at: hold.at,
            caller: &caller,
            routes: &routes,
            expected: hold.expected,
            counts: true,
        };
        let decided = match &self.settings.link {
            None => Some(self.decide_here(&ask, Some(hold.strict), Enforce::Share(Share::WHOLE))),
            Some(link) => self.decide_there(link, &ask, Some(hold.strict)).await,
        };
        let Some((readings, decision)) = decided else { return Moved::Unavailable };
        self.tell_refusals(&ask, &decision);
        let standing = standing_of(&ask, &readings, &decision, true);
        let throttled_by = marked(&ask, &readings, &decision);
        match decision {
            Decision::Deny { by, .. } => Moved::Blocked(by),
            Decision::Grant(chosen) => {
                hold.strict = chosen.strict.unwrap_or(hold.expected);
                hold.route = Some(Arc::clone(route.checks));
                Moved::Granted { output_cap: chosen.output_cap, standing, throttled_by }
            }
        }
    }

    /// Decides by the counters of this process.
    pub(super) fn decide_here(
        &self,
        ask: &Ask<'_>,
        held: Option<Amount>,
        enforce: Enforce,
    ) -> Decided {
        let now = self.now();
        self.book(ask.org).admit(ask, held, now, enforce)
    }

    pub(super) fn settle(&self, hold: &Hold, used: Amount, position: Option<Position>) {
        let now = self.now();
        let crossings = self.book(hold.org).settle(hold, used, position, now);
        self.tell(crossings);
        if self.settings.link.is_some() {
            self.to_flush.notify_one();
        }
    }

    /// Tells strict budgets to be used up that refuse, for the request or for one of its routes. What a share of one
    /// refuses while Redis is away tells nothing of the whole.
    fn tell_refusals(&self, ask: &Ask<'_>, decision: &Decision) {
        let (denied, blocked) = match decision {
            Decision::Deny { by, .. } => (Some(by), &[][..]),
            Decision::Grant(chosen) => (None, &chosen.blocked[..]),
        };
        let refusals = denied.into_iter().chain(blocked.iter().map(|route| &route.by));
        for by in refusals.filter(|by| by.short.is_some() && !self.is_degraded()) {
            let crossing = self.book(ask.org).refused(by, ask.at);
            self.tell(crossing);
        }
    }

    pub(super) fn tell(&self, crossings: impl IntoIterator<Item = Crossing>) {
        for crossing in crossings {
            (self.settings.listener)(crossing);
        }
    }

    /// The session that this process has with Redis now.
    pub(super) fn session(&self) -> Session {
        let generation = self.generation.load(Ordering::Relaxed);
        Session { replica: Arc::clone(&self.replica), generation }
    }

    /// Whether no other session has begun since.
    pub(super) fn is_current(&self, session: &Session) -> bool {
        session.generation == self.generation.load(Ordering::Relaxed)
    }

    /// Begins another session: what the last one reserved, and perhaps never knew, lapses.
    pub(super) fn new_session(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// The windows' clock.
    pub(super) fn now(&self) -> Clock {
        let elapsed = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now = elapsed.saturating_add(self.ahead.load(Ordering::Relaxed));
        Clock(u64::try_from(now).unwrap_or(0))
    }

    /// Sets the windows' clock by Redis's.
    pub(super) fn set_clock(&self, there: u64) {
        let elapsed = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let there = i64::try_from(there).unwrap_or(i64::MAX);
        self.ahead.store(there.saturating_sub(elapsed), Ordering::Relaxed);
    }

    pub(super) fn book(&self, org: OrgId) -> MutexGuard<'_, Book> {
        let shard = usize::try_from(self.hasher.hash_one(org) % SHARDS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "there are SHARDS shards")]
        lock(&self.shards[shard])
    }

    pub(super) fn periods(&self) -> MutexGuard<'_, Periods> {
        lock(&self.periods)
    }
}

/// A lock whose holder has panicked guards counters that are at worst a request off.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
