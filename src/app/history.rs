//! What the governor asks of the ledger's database.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    domain::{BudgetTarget, OrgId, Position, Scope, Spent, Timestamp},
    govern::{Amount, History, HistoryError, Lately, Second, Term, Used},
    ledger::Ledger,
    policy,
    store::{SpentOnce, Store, StoreError},
};

/// What limits per minute look back on: a minute, and the second that it begins in.
const LAST_MINUTE: i64 = 61;
const SECOND: i64 = 1_000_000;
/// How long a question waits for the ledger to be delivered; under load something always waits.
const DELIVERED_WITHIN: Duration = Duration::from_millis(500);

/// The store, as the governor sees it.
pub struct LedgerHistory {
    store: Store,
    ledger: Arc<Ledger>,
}

impl LedgerHistory {
    /// What `store` holds of `ledger` and of those of other processes.
    pub const fn new(store: Store, ledger: Arc<Ledger>) -> Self {
        Self { store, ledger }
    }

    async fn budgets(&self, org: OrgId, terms: &[Term]) -> Result<Used, StoreError> {
        let mut tx = self.store.read().await?;
        let budgets: HashMap<Uuid, _> =
            tx.budgets(org).await?.into_iter().map(|row| (row.id.0, row)).collect();
        let scopes: Vec<&Scope> = budgets.values().map(|row| &row.scope).collect();
        let directory = tx.directory(org, &scopes).await?;
        // One state of the database: what the marks say is there is in the sums.
        let earliest = terms.iter().map(|term| term.start).min().unwrap_or_default();
        let mut used = Used { marks: tx.marks(earliest).await?, terms: Vec::new() };
        let mut spent: HashMap<(Timestamp, Timestamp), Vec<Spent>> = HashMap::new();
        for term in terms {
            let days = (term.start, term.end);
            if let Entry::Vacant(unread) = spent.entry(days) {
                unread.insert(tx.spent_in_days(org, term.start, term.end).await?);
            }
            let found = budgets.get(&term.policy).zip(spent.get(&days)).map(|(row, spent)| {
                policy::counters(&row.scope, &row.target, row.traffic, spent, &directory)
            });
            let amounts = found.unwrap_or_default().into_iter().map(|(entity, used)| {
                (entity.into(), Amount { tokens: used.tokens, cost: used.cost })
            });
            used.terms.push(amounts.collect());
        }
        Ok(used)
    }

    async fn seconds(&self, org: OrgId, limits: &[Uuid]) -> Result<Vec<Second>, StoreError> {
        let now = Timestamp::now();
        let since = Timestamp(now.0.saturating_sub(LAST_MINUTE * SECOND));
        let mut tx = self.store.read().await?;
        let mut rows = tx.rate_limits(org).await?;
        rows.retain(|row| limits.contains(&row.id.0));
        let scopes: Vec<&Scope> = rows.iter().map(|row| &row.scope).collect();
        let directory = tx.directory(org, &scopes).await?;
        drop(tx);
        let mut seconds = Vec::new();
        for (second, spent) in self.store.spent_by_second(org, since).await? {
            let ago = u32::try_from((now.0 / SECOND).saturating_sub(second)).unwrap_or(0);
            for row in &rows {
                let target = BudgetTarget::default();
                let spent = std::slice::from_ref(&spent);
                let found = policy::counters(&row.scope, &target, row.traffic, spent, &directory);
                seconds.extend(found.into_iter().map(|(entity, used)| Second {
                    policy: row.id.0,
                    entity: entity.into(),
                    ago,
                    requests: used.requests,
                    tokens: used.tokens,
                }));
            }
        }
        Ok(seconds)
    }
}

fn lately(spent: SpentOnce) -> Lately {
    let SpentOnce { alias, endpoint, tokens, cost } = spent;
    Lately { alias, endpoint, used: Amount { tokens, cost } }
}

#[async_trait]
impl History for LedgerHistory {
    async fn used(&self, org: OrgId, terms: &[Term]) -> Result<Used, HistoryError> {
        // What was used before a budget was made is known to the ledger alone until it is delivered.
        self.ledger.wait_delivered(DELIVERED_WITHIN).await;
        self.budgets(org, terms).await.map_err(away)
    }

    async fn wait_delivered(&self) {
        // After a crash what came last is in the spool alone.
        self.ledger.wait_delivered(DELIVERED_WITHIN).await;
    }

    async fn lately(&self, org: OrgId) -> Result<Vec<Lately>, HistoryError> {
        let spent = self.store.spent_lately(org).await.map_err(away)?;
        Ok(spent.into_iter().map(lately).collect())
    }

    async fn last_minute(&self, org: OrgId, limits: &[Uuid]) -> Result<Vec<Second>, HistoryError> {
        self.seconds(org, limits).await.map_err(away)
    }

    async fn replicas(&self) -> Result<u32, HistoryError> {
        self.store.replicas().await.map_err(away)
    }

    async fn note_replicas(&self, count: u32) -> Result<(), HistoryError> {
        self.store.note_replicas(count).await.map_err(away)
    }

    fn delivered(&self) -> Position {
        self.ledger.delivered()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by value")]
fn away(error: StoreError) -> HistoryError {
    HistoryError(error.to_string())
}
