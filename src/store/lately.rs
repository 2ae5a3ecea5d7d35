//! A sample of what an organization's requests have used lately, kind by kind.

use serde::Deserialize;

use super::{Store, StoreError, statement::sql};
use crate::domain::{Endpoint, Money, OrgId, UsageSource};

/// So many of the newest records are looked at: enough for whatever is common, and little to read where there are
/// many organizations.
const SAMPLE: i64 = 256;

const NEWEST: &str =
    "SELECT record FROM usage_records WHERE org_id = $1 ORDER BY ts DESC, id DESC LIMIT $2";

/// What one request has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpentOnce {
    /// Where it went.
    pub alias: String,
    /// What it asked for there.
    pub endpoint: Option<Endpoint>,
    /// Its tokens.
    pub tokens: u64,
    /// Its cost, as far as it is known.
    pub cost: Money,
}

/// The part of a [`crate::domain::UsageRecord`] that is looked at.
#[derive(Deserialize)]
struct Facts {
    alias: Option<String>,
    endpoint: Option<Endpoint>,
    usage_source: Option<UsageSource>,
    input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    cache_read_tokens: u64,
    #[serde(default)]
    cache_write_tokens: u64,
    cost_total: Option<Money>,
}

impl Store {
    /// What the newest of an organization's requests have used that reached a model, the oldest of them first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn spent_lately(&self, org: OrgId) -> Result<Vec<SpentOnce>, StoreError> {
        let newest = sql(NEWEST).bind(org.0).bind(SAMPLE);
        let records: Vec<String> = self.readers.all(newest).await?;
        // A record that cannot be read tells nothing; whose fault that is, others say.
        let facts = records.iter().rev().filter_map(|record| serde_json::from_str(record).ok());
        Ok(facts.filter_map(spent).collect())
    }
}

fn spent(facts: Facts) -> Option<SpentOnce> {
    facts.usage_source?;
    let counts = [
        facts.input_tokens,
        facts.output_tokens,
        facts.cache_read_tokens,
        facts.cache_write_tokens,
    ];
    Some(SpentOnce {
        alias: facts.alias?,
        endpoint: facts.endpoint,
        tokens: counts.into_iter().fold(0, u64::saturating_add),
        cost: facts.cost_total.unwrap_or_default(),
    })
}
