//! Versions of prices.

use uuid::Uuid;

use super::{
    PricingRow, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{OrgId, Price, PriceId, PriceVersion, ProviderId, Rates, Timestamp, UserId};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.*, p.name AS provider_name, u.email AS created_by_email
            FROM pricing_versions v
            LEFT JOIN providers p ON p.org_id = v.org_id AND p.id = v.provider_id
            LEFT JOIN users u ON u.org_id = v.org_id AND u.id = v.created_by_user_id
            WHERE v.org_id = $1 ",
            $rest
        )
    };
}

const GET: &str = select!("AND v.id = $2");
const IN_FORCE: &str = select!(
    "AND (v.effective_from > $2 OR v.effective_from = (
        SELECT MAX(n.effective_from) FROM pricing_versions n
        WHERE n.org_id = v.org_id AND n.model_pattern = v.model_pattern
            AND n.model_provider = v.model_provider AND n.provider_id = v.provider_id
            AND n.effective_from <= $2))
    ORDER BY v.model_provider, v.model_pattern, v.provider_id, v.effective_from"
);
const HISTORY: &str = select!(
    "AND v.model_pattern = $2 AND v.model_provider = $3
    ORDER BY v.effective_from DESC, v.provider_id"
);
const RULE: &str = select!(
    "AND v.model_pattern = $2 AND v.model_provider = $3 AND v.provider_id = $4
    ORDER BY v.effective_from"
);
const COUNTS: &str = "SELECT model_pattern, model_provider, provider_id, COUNT(*) AS versions
    FROM pricing_versions WHERE org_id = $1 GROUP BY model_pattern, model_provider, provider_id";
const INSERT: &str = "INSERT INTO pricing_versions (id, org_id, model_pattern, model_provider,
        provider_id, effective_from, catalog_slug, input_price, output_price, cache_read_price,
        cache_write_price, sync_mode, change_source, change_reason, is_archived,
        created_by_user_id, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const UPDATE: &str = "UPDATE pricing_versions SET effective_from = $3, input_price = $4,
        output_price = $5, cache_read_price = $6, cache_write_price = $7, sync_mode = $8,
        change_reason = $9
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM pricing_versions WHERE org_id = $1 AND id = $2";

/// What tells a rule from the organization's others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuleKey {
    /// See [`PriceVersion::model_pattern`].
    pub model_pattern: String,
    /// See [`PriceVersion::model_provider`].
    pub model_provider: Option<String>,
    /// See [`PriceVersion::provider_id`].
    pub provider_id: Option<ProviderId>,
}

impl RuleKey {
    /// The key of a version's rule.
    #[must_use]
    pub fn of(version: &PriceVersion) -> Self {
        Self {
            model_pattern: version.model_pattern.clone(),
            model_provider: version.model_provider.clone(),
            provider_id: version.provider_id,
        }
    }

    fn stored_provider(&self) -> Uuid {
        self.provider_id.map_or(Uuid::nil(), |id| id.0)
    }

    fn stored_model_provider(&self) -> &str {
        self.model_provider.as_deref().unwrap_or_default()
    }
}

impl Tx {
    /// One version.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn price(
        &mut self,
        org: OrgId,
        id: PriceId,
    ) -> Result<Option<PricingRow>, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0).bind(id.0)).await?)
    }

    /// Every rule's current version and those to come, each rule's together and oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn price_rules(
        &mut self,
        org: OrgId,
        now: Timestamp,
    ) -> Result<Vec<PricingRow>, StoreError> {
        Ok(self.all(sql(IN_FORCE).bind(org.0).bind(now.0)).await?)
    }

    /// The same, without names.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn prices_in_force(
        &mut self,
        org: OrgId,
        now: Timestamp,
    ) -> Result<Vec<PriceVersion>, StoreError> {
        let rows = self.price_rules(org, now).await?;
        Ok(rows.into_iter().map(|row| row.version).collect())
    }

    /// Every version for a pattern and a line, whichever provider it is for, newest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn price_history(
        &mut self,
        org: OrgId,
        model_pattern: &str,
        model_provider: &str,
    ) -> Result<Vec<PricingRow>, StoreError> {
        let query = sql(HISTORY).bind(org.0).bind(model_pattern).bind(model_provider);
        Ok(self.all(query).await?)
    }

    /// Every version of one rule, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn price_rule(
        &mut self,
        org: OrgId,
        key: &RuleKey,
    ) -> Result<Vec<PricingRow>, StoreError> {
        let query = sql(RULE)
            .bind(org.0)
            .bind(key.model_pattern.as_str())
            .bind(key.stored_model_provider())
            .bind(key.stored_provider());
        Ok(self.all(query).await?)
    }

    /// How many versions each rule has.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn price_counts(&mut self, org: OrgId) -> Result<Vec<(RuleKey, i64)>, StoreError> {
        let rows: Vec<Count> = self.all(sql(COUNTS).bind(org.0)).await?;
        Ok(rows.into_iter().map(|row| (row.key, row.versions)).collect())
    }

    /// Adds a version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its rule has one at that instant.
    pub async fn insert_price(
        &mut self,
        org: OrgId,
        new: &PriceVersion,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = RuleKey::of(new);
        let query = sql(INSERT)
            .bind(new.id.0)
            .bind(org.0)
            .bind(new.model_pattern.as_str())
            .bind(key.stored_model_provider())
            .bind(key.stored_provider())
            .bind(new.effective_from.0)
            .bind(new.catalog_slug.as_deref())
            .bind(new.rates.input.units())
            .bind(new.rates.output.units())
            .bind(new.rates.cache_read.map(Price::units))
            .bind(new.rates.cache_write.map(Price::units))
            .bind(word(new.sync_mode)?)
            .bind(word(new.change_source)?)
            .bind(new.change_reason.as_deref())
            .bind(new.is_archived)
            .bind(new.created_by.map(|id| id.0))
            .bind(now.0);
        self.execute(query).await?;
        Ok(())
    }

    /// Changes what a version says that has not taken effect.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its rule has another one at that instant.
    pub async fn update_price(
        &mut self,
        org: OrgId,
        changed: &PriceVersion,
    ) -> Result<(), StoreError> {
        let query = sql(UPDATE)
            .bind(org.0)
            .bind(changed.id.0)
            .bind(changed.effective_from.0)
            .bind(changed.rates.input.units())
            .bind(changed.rates.output.units())
            .bind(changed.rates.cache_read.map(Price::units))
            .bind(changed.rates.cache_write.map(Price::units))
            .bind(word(changed.sync_mode)?)
            .bind(changed.change_reason.as_deref());
        self.execute(query).await?;
        Ok(())
    }

    /// Takes away a version that has not taken effect.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_price(&mut self, org: OrgId, id: PriceId) -> Result<(), StoreError> {
        self.execute(sql(DELETE).bind(org.0).bind(id.0)).await?;
        Ok(())
    }
}

/// A value of an enumeration as the word that it is on the wire.
fn word(value: impl serde::Serialize) -> Result<String, StoreError> {
    let unwritable = |error: serde_json::Error| StoreError::Invalid(error.to_string());
    let value = serde_json::to_value(value).map_err(unwritable)?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

struct Count {
    key: RuleKey,
    versions: i64,
}

impl Record for Count {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self { key: key(found)?, versions: found.get("versions")? })
    }
}

fn key(found: &Found<'_>) -> sqlx::Result<RuleKey> {
    let model_provider: String = found.get("model_provider")?;
    let provider_id: Uuid = found.get("provider_id")?;
    Ok(RuleKey {
        model_pattern: found.get("model_pattern")?,
        model_provider: Some(model_provider).filter(|slug| !slug.is_empty()),
        provider_id: Some(provider_id).filter(|id| !id.is_nil()).map(ProviderId),
    })
}

impl Record for PricingRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let price = |column| found.get::<i64>(column).map(Price::from_units);
        let price_opt =
            |column| Ok::<_, sqlx::Error>(found.get::<Option<i64>>(column)?.map(Price::from_units));
        let rates = Rates {
            input: price("input_price")?,
            output: price("output_price")?,
            cache_read: price_opt("cache_read_price")?,
            cache_write: price_opt("cache_write_price")?,
        };
        let RuleKey { model_pattern, model_provider, provider_id } = key(found)?;
        let version = PriceVersion {
            id: found.id("id", PriceId)?,
            provider_id,
            model_provider,
            catalog_slug: found.get("catalog_slug")?,
            model_pattern,
            rates,
            effective_from: found.time("effective_from")?,
            sync_mode: found.word("sync_mode")?,
            change_source: found.word("change_source")?,
            change_reason: found.get("change_reason")?,
            is_archived: found.get("is_archived")?,
            created_by: found.id_opt("created_by_user_id", UserId)?,
        };
        Ok(Self {
            org_id: found.id("org_id", OrgId)?,
            version,
            provider_name: found.get("provider_name")?,
            created_by_email: found.get("created_by_email")?,
        })
    }
}
