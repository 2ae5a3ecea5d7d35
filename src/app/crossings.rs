//! Budgets that pass a threshold: told to the log and the organization's webhooks, off the requests' way.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::mpsc;

use super::alarms::Alarms;
use crate::{
    domain::{Alert, AlertEvent, Timestamp},
    govern::{Crossing, Listener, Rule},
    snapshot::{Policy, Publisher},
};

/// Crossings that may wait to be told. What is dropped beyond it is told by the next request of the budget
/// after a restart.
const WAITING: usize = 4096;
/// Percent at which a budget is used up.
const EXHAUSTED: u8 = 100;

/// Who tells, and whom the governor tells it.
pub fn start(alarms: Alarms, publisher: Arc<Publisher>) -> Listener {
    let (tell, mut hear) = mpsc::channel::<Crossing>(WAITING);
    tokio::spawn(async move {
        while let Some(crossing) = hear.recv().await {
            let Some(alert) = alert(&publisher, &crossing) else { continue };
            alarms.raise(alert, Timestamp::now());
        }
    });
    Box::new(move |crossing| {
        if tell.try_send(crossing).is_err() {
            tracing::warn!("too many budgets pass thresholds at once: one is not told");
        }
    })
}

/// None where the budget is gone by now.
fn alert(publisher: &Publisher, crossing: &Crossing) -> Option<Alert> {
    let counter = &crossing.counter;
    let snapshot = publisher.load();
    let org = snapshot.orgs.get(&counter.org)?;
    let policy = org.policies.limit(counter.policy)?;
    let exhausted = crossing.percent >= EXHAUSTED;
    Some(Alert {
        org: counter.org,
        event: if exhausted { AlertEvent::BudgetExhausted } else { AlertEvent::BudgetThreshold },
        key: key(crossing),
        data: facts(policy, crossing),
    })
}

/// One threshold of one period of one entity is told once, whoever finds out; again under other limits.
fn key(crossing: &Crossing) -> String {
    let Crossing { counter, start, percent, limits, .. } = crossing;
    let tokens = limits.tokens.map_or_else(String::new, |limit| limit.to_string());
    let cost = limits.cost.map_or_else(String::new, |limit| limit.0.to_string());
    format!("{}/{}/{start}/{tokens}/{cost}/{percent}", counter.policy, counter.entity)
}

fn facts(policy: &Policy, crossing: &Crossing) -> serde_json::Value {
    let period = match &policy.rule {
        Rule::Budget { period, .. } => Some(*period),
        Rule::Rate { .. } => None,
    };
    json!({
        "budget_id": policy.id,
        "budget_name": &*policy.name,
        "scope_type": policy.scope.kind,
        "entity": &*crossing.counter.entity,
        "period": period,
        "period_start": crossing.start,
        "period_end": crossing.end,
        "threshold": crossing.percent,
        "tokens_used": crossing.used.tokens,
        "token_limit": crossing.limits.tokens,
        "percentage_used": crossing.tokens_percent,
        "cost_used": crossing.used.cost,
        "cost_limit": crossing.limits.cost,
        "cost_percentage_used": crossing.cost_percent,
    })
}
