//! Messages to alert webhooks: queued with the change that they tell of, taken by one replica at a
//! time, kept until they are through or given up.

use super::{
    Store, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{Alert, DeliveryId, OrgId, Timestamp, WebhookId};

const QUEUE: &str = "INSERT INTO webhook_deliveries
        (id, org_id, webhook_id, alert_key, body, attempts, due_at, created_at)
    VALUES ($1, $2, $3, $4, $5, 0, $6, $6) ON CONFLICT (webhook_id, alert_key) DO NOTHING";
const WAITING: &str =
    "SELECT 1 FROM webhook_deliveries WHERE done_at IS NULL AND due_at <= $1 LIMIT 1";

macro_rules! claim {
    ($lock:literal) => {
        concat!(
            "UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = $2 WHERE id IN
                (SELECT d.id FROM webhook_deliveries d
                    JOIN alert_webhooks w ON w.org_id = d.org_id AND w.id = d.webhook_id
                    WHERE d.done_at IS NULL AND d.due_at <= $1 AND w.enabled
                    ORDER BY d.due_at, d.id LIMIT $3 ",
            $lock,
            ") RETURNING id, org_id, webhook_id, body, attempts, created_at"
        )
    };
}

const CLAIM_SQLITE: &str = claim!("");
const CLAIM_POSTGRES: &str = claim!("FOR UPDATE OF d SKIP LOCKED");
const RETRY: &str = "UPDATE webhook_deliveries SET due_at = $4, last_error = $5
    WHERE org_id = $1 AND id = $2 AND attempts = $3 AND done_at IS NULL";
const FINISH: &str = "UPDATE webhook_deliveries SET done_at = $3, delivered = $4, last_error = $5
    WHERE org_id = $1 AND id = $2 AND done_at IS NULL";
const EXPIRE: &str = "DELETE FROM webhook_deliveries WHERE done_at < $1";

/// A message that this process has taken to send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its id, the same at every attempt.
    pub id: DeliveryId,
    /// Whose.
    pub org_id: OrgId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// JSON.
    pub body: String,
    /// How often it was taken, this time included.
    pub attempts: u32,
    /// When it was queued.
    pub created_at: Timestamp,
}

impl Tx {
    /// Queues an alert for each of the organization's webhooks that wants to hear of it, once for
    /// all time; answers how many messages that makes. `body` is what they are sent.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn queue_alert(
        &mut self,
        alert: &Alert,
        body: &str,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut queued = 0;
        for webhook in self.webhooks(alert.org).await? {
            if !webhook.enabled || !webhook.events.contains(&alert.event) {
                continue;
            }
            let queue = sql(QUEUE)
                .bind(DeliveryId::random().0)
                .bind(alert.org.0)
                .bind(webhook.id.0)
                .bind(alert.key.as_str())
                .bind(body)
                .bind(at.0);
            queued += self.execute(queue).await?;
        }
        Ok(queued)
    }
}

impl Store {
    /// Takes messages that are due, oldest first; nobody else gets them before `until`.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn claim_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        // Most of the time there is none, and looking costs no lock.
        if self.readers.optional::<Any>(sql(WAITING).bind(now.0)).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = Tx::append(&self.writer).await?;
        let claim = tx.engine().pick(CLAIM_SQLITE, CLAIM_POSTGRES);
        let rows = tx.all(sql(claim).bind(now.0).bind(until.0).bind(limit)).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Puts a message back until `due`, unless another replica has taken it meanwhile.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn retry_delivery(
        &self,
        row: &DeliveryRow,
        due: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let retry = sql(RETRY).bind(row.org_id.0).bind(row.id.0).bind(row.attempts);
        self.writer.execute(retry.bind(due.0).bind(error)).await?;
        Ok(())
    }

    /// Notes that a message is through, or given up with what went wrong last.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn finish_delivery(
        &self,
        row: &DeliveryRow,
        at: Timestamp,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let finish = sql(FINISH).bind(row.org_id.0).bind(row.id.0).bind(at.0);
        self.writer.execute(finish.bind(error.is_none()).bind(error)).await?;
        Ok(())
    }

    /// Forgets messages that were done with before `before`; answers how many.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn expire_deliveries(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.writer.execute(sql(EXPIRE).bind(before.0)).await?)
    }
}

/// A row, whatever is in it.
struct Any;

impl Record for Any {
    fn read(_: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self)
    }
}

impl Record for DeliveryRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", DeliveryId)?,
            org_id: found.id("org_id", OrgId)?,
            webhook_id: found.id("webhook_id", WebhookId)?,
            body: found.get("body")?,
            attempts: found.count("attempts")?,
            created_at: found.time("created_at")?,
        })
    }
}
