//! What limits per minute hold now, as the administration asks for it.

use std::{collections::HashSet, sync::Arc};

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    admin::{Counted, Enforcement, RateCounter},
    domain::{OrgId, RateLimitId},
    govern::{Check, Counter, Governor, Rule},
};

/// Counters that are asked for together: Redis serves nobody else meanwhile.
const TOGETHER: usize = 64;

#[async_trait]
impl Enforcement for Arc<Governor> {
    async fn counted(&self, org: OrgId, counters: &[RateCounter]) -> Option<Vec<Counted>> {
        let mut all = Vec::with_capacity(counters.len());
        for some in counters.chunks(TOGETHER) {
            let checks: Arc<[Check]> = some.iter().map(|counter| check(org, counter)).collect();
            let sums = Governor::counted(self, org, &checks).await?;
            all.extend(sums.into_iter().map(|(requests, tokens)| Counted { requests, tokens }));
        }
        Some(all)
    }

    fn held(&self, org: OrgId, limits: &[RateLimitId]) -> Vec<(RateLimitId, Arc<str>)> {
        let limits: HashSet<Uuid> = limits.iter().map(|limit| limit.0).collect();
        let held = Governor::held(self, org, &limits).into_iter();
        held.map(|counter| (RateLimitId(counter.policy), counter.entity)).collect()
    }
}

fn check(org: OrgId, of: &RateCounter) -> Check {
    let counter = Counter::new(org, of.limit.0, Arc::clone(&of.entity));
    Check { counter, rule: Rule::Rate { requests: of.requests, tokens: of.tokens } }
}
