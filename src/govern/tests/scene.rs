//! Policies, requests and governors of tests.

use std::sync::{Arc, Mutex};

use uuid::Uuid;

use super::database::Database;
use crate::{
    domain::{LedgerId, Money, OrgId, Period, Position, Timestamp},
    govern::{
        Amount, Ask, Check, Counter, Crossing, Denied, Governor, Grant, Limits, OnFailure, Policy,
        RouteAsk, Rule, Settings, Verdict, redis::Link,
    },
};

pub const ORG: OrgId = OrgId(Uuid::from_u128(7));

pub fn check(policy: u128, rule: Rule) -> Check {
    let counter = Counter::new(ORG, Uuid::from_u128(policy), "ann".into());
    Check { counter, rule }
}

pub fn requests(policy: u128, limit: u32) -> Check {
    check(policy, Rule::Rate { requests: Some(limit), tokens: None })
}

pub fn tokens(policy: u128, limit: u32) -> Check {
    check(policy, Rule::Rate { requests: None, tokens: Some(limit) })
}

pub fn budget(policy: u128, limit: u64) -> Check {
    budget_of(policy, Some(limit), None, false)
}

pub fn strict(policy: u128, limit: u64) -> Check {
    budget_of(policy, Some(limit), None, true)
}

pub fn budget_of(policy: u128, tokens: Option<u64>, cost: Option<i64>, strict: bool) -> Check {
    let cost = cost.map(Money);
    let rule =
        Rule::Budget { period: Period::Monthly, tokens, cost, blocks: true, marks: false, strict };
    check(policy, rule)
}

/// One that serves on when it is exhausted, and marks what it serves.
pub fn throttle(policy: u128, limit: u64) -> Check {
    let (tokens, cost, strict) = (Some(limit), None, false);
    let rule =
        Rule::Budget { period: Period::Monthly, tokens, cost, blocks: false, marks: true, strict };
    check(policy, rule)
}

pub fn amount(tokens: u64) -> Amount {
    Amount { tokens, cost: Money(i64::try_from(tokens).unwrap() * 1000) }
}

pub fn none() -> Arc<[Check]> {
    Vec::new().into()
}

/// A governor, its ledger and database, and what it told.
pub struct Scene {
    pub governor: Arc<Governor>,
    pub ledger: LedgerId,
    pub database: Arc<Database>,
    pub told: Arc<Mutex<Vec<Crossing>>>,
}

impl Scene {
    pub fn here() -> Self {
        Self::over(None, &Arc::default(), OnFailure::Local)
    }

    pub fn over(link: Option<Arc<Link>>, database: &Arc<Database>, on_failure: OnFailure) -> Self {
        let told: Arc<Mutex<Vec<Crossing>>> = Arc::default();
        let hears = Arc::clone(&told);
        let ledger = LedgerId(Uuid::new_v4());
        let database = Arc::clone(database);
        let governor = Governor::new(Settings {
            ledger,
            history: Arc::clone(&database) as _,
            listener: Box::new(move |crossing| hears.lock().unwrap().push(crossing)),
            link,
            on_failure,
        });
        Self { governor, ledger, database, told }
    }

    pub async fn ask(&self, checks: &Arc<[Check]>) -> Verdict {
        self.ask_at(checks, Timestamp::now()).await
    }

    pub async fn ask_at(&self, checks: &Arc<[Check]>, at: Timestamp) -> Verdict {
        self.ask_routes(checks, &[], at).await
    }

    pub async fn ask_routes(
        &self,
        caller: &Arc<[Check]>,
        routes: &[RouteAsk<'_>],
        at: Timestamp,
    ) -> Verdict {
        let expected = amount(100);
        self.governor.admit(&Ask { org: ORG, at, caller, routes, expected, counts: true }).await
    }

    /// Asks, uses and settles at once; whether it was granted.
    pub async fn use_up(&self, checks: &Arc<[Check]>, used: Amount) -> bool {
        let at = Timestamp::now();
        match self.ask_at(checks, at).await {
            Verdict::Granted(grant) => {
                let position = self.database.keep(self.ledger, at, checks, used);
                settle(grant, used, Some(position));
                true
            }
            _ => false,
        }
    }
}

pub fn settle(grant: Grant, used: Amount, position: Option<Position>) {
    grant.lease.expect("a lease").settle(used, position);
}

#[track_caller]
pub fn granted(verdict: Verdict) -> Grant {
    match verdict {
        Verdict::Granted(grant) => grant,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn denied(verdict: Verdict) -> Denied {
    match verdict {
        Verdict::Denied(denied) => denied,
        other => panic!("{other:?}"),
    }
}

/// Budgets among checks, as policies.
pub fn policies(checks: &[Check]) -> Vec<Policy> {
    let policy = |check: &Check| Policy {
        id: check.counter.policy,
        period: match check.rule {
            Rule::Budget { period, .. } => Some(period),
            Rule::Rate { .. } => None,
        },
        thresholds: vec![80, 90],
        limits: match check.rule {
            Rule::Budget { tokens, cost, .. } => Limits { tokens, cost },
            Rule::Rate { .. } => Limits::default(),
        },
    };
    checks.iter().map(policy).collect()
}

/// Until it is so.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !holds().await {
        assert!(std::time::Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
