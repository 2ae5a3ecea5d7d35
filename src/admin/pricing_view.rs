//! What prices look like in answers.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::sorting::{Entry, Sorts, name, price, time};
use crate::{
    domain::{
        CURRENCY, ChangeSource, OrgId, Price, PriceId, PriceSource, ProviderId, SyncMode,
        Timestamp, UserId,
    },
    pricing::{DefaultPrice, Priced},
    provider::templates,
    store::{PricingRow, RuleKey},
};

/// One version of a pricing rule
///
/// A rule is the versions of one pattern, `model_provider` and `provider_id`.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PricingVersion)]
pub(super) struct VersionView {
    /// Every change makes a new version with an id of its own.
    id: PriceId,
    org_id: OrgId,
    /// Vendor or catalog slug that it is for; null for any.
    model_provider: Option<String>,
    /// Upstream model, a prefix ending in `*`, or `*`.
    model_pattern: String,
    input_cost_per_million_tokens: Price,
    output_cost_per_million_tokens: Price,
    /// In the past: it has taken effect. In the future: it is scheduled.
    effective_from: Timestamp,
    sync_mode: SyncMode,
    change_source: ChangeSource,
    /// True for a tombstone: from here on the rule prices nothing.
    is_archived: bool,
    /// The one provider that it is for.
    provider_id: Option<ProviderId>,
    /// Its name, as long as it is there.
    provider_name: Option<String>,
    catalog_slug: Option<String>,
    /// Null: the managed default's for the model, else the input's.
    cache_read_cost_per_million_tokens: Option<Price>,
    /// As for reading.
    cache_write_cost_per_million_tokens: Option<Price>,
    change_reason: Option<String>,
    /// Null where the gateway itself wrote it.
    created_by_user_id: Option<UserId>,
    created_by_email: Option<String>,
}

impl From<PricingRow> for VersionView {
    fn from(row: PricingRow) -> Self {
        let version = row.version;
        Self {
            id: version.id,
            org_id: row.org_id,
            model_provider: version.model_provider,
            model_pattern: version.model_pattern,
            input_cost_per_million_tokens: version.rates.input,
            output_cost_per_million_tokens: version.rates.output,
            effective_from: version.effective_from,
            sync_mode: version.sync_mode,
            change_source: version.change_source,
            is_archived: version.is_archived,
            provider_id: version.provider_id,
            provider_name: row.provider_name,
            catalog_slug: version.catalog_slug,
            cache_read_cost_per_million_tokens: version.rates.cache_read,
            cache_write_cost_per_million_tokens: version.rates.cache_write,
            change_reason: version.change_reason,
            created_by_user_id: version.created_by,
            created_by_email: row.created_by_email,
        }
    }
}

/// A pricing rule: its current version, or the first to come where there is none, and counters
#[derive(Serialize, ToSchema)]
#[schema(as = PricingRule)]
pub(super) struct RuleView {
    #[serde(flatten)]
    version: VersionView,
    /// Versions that have not taken effect.
    scheduled_count: i64,
    /// All versions.
    version_count: i64,
    /// When the next of them does.
    next_scheduled_effective_from: Option<Timestamp>,
}

/// Every rule, from the versions that are in force or to come (each rule's together, oldest first)
/// and the number of all versions of each.
pub(super) fn rules(
    rows: Vec<PricingRow>,
    counts: Vec<(RuleKey, i64)>,
    now: Timestamp,
) -> Vec<RuleView> {
    let counts: HashMap<RuleKey, i64> = counts.into_iter().collect();
    let mut rules: Vec<RuleView> = Vec::new();
    let mut last: Option<RuleKey> = None;
    for row in rows {
        let key = RuleKey::of(&row.version);
        let from = row.version.effective_from;
        let scheduled = from > now;
        match rules.last_mut().filter(|_| last.as_ref() == Some(&key)) {
            Some(rule) => {
                rule.scheduled_count += i64::from(scheduled);
                rule.next_scheduled_effective_from.get_or_insert(from);
            }
            None => rules.push(RuleView {
                version: row.into(),
                scheduled_count: i64::from(scheduled),
                version_count: counts.get(&key).copied().unwrap_or(1),
                next_scheduled_effective_from: scheduled.then_some(from),
            }),
        }
        last = Some(key);
    }
    rules
}

impl Entry for RuleView {
    const LIST: &'static str = "prices";
    const SORTS: Sorts<Self> = &[
        ("model", |rule| Some(name(&rule.version.model_pattern))),
        ("for", |rule| rule.version.is_for().map(name)),
        ("input", |rule| Some(price(rule.version.input_cost_per_million_tokens))),
        ("output", |rule| Some(price(rule.version.output_cost_per_million_tokens))),
        ("since", |rule| Some(time(rule.version.effective_from))),
    ];

    fn text(&self) -> String {
        let version = &self.version;
        let slug = version.model_provider.as_deref().unwrap_or_default();
        [&*version.model_pattern, version.is_for().unwrap_or("any vendor"), slug].join("\n")
    }

    /// What a rule is, whichever version is in force.
    fn identity(&self) -> String {
        let version = &self.version;
        let vendor = version.model_provider.as_deref().unwrap_or_default();
        let provider = version.provider_id.map(|id| id.to_string()).unwrap_or_default();
        [&*version.model_pattern, vendor, &*provider].join("\n")
    }
}

impl VersionView {
    /// The provider or the vendor whose models it prices, as people call it; none for any.
    fn is_for(&self) -> Option<&str> {
        let vendor = self.model_provider.as_deref().map(|slug| templates().vendor_name(slug));
        self.provider_name.as_deref().or(vendor)
    }
}

impl RuleView {
    /// Whether the rule prices nothing.
    pub(super) const fn is_archived(&self) -> bool {
        self.version.is_archived
    }
}

/// A price that the gateway ships
#[derive(Serialize, ToSchema)]
#[schema(as = DefaultPricing)]
pub(super) struct DefaultView {
    id: PriceId,
    /// Catalog slug.
    provider_slug: String,
    model_name: String,
    model_pattern: String,
    input_cost_per_million_tokens: Price,
    output_cost_per_million_tokens: Price,
    currency: &'static str,
    /// The vendor's page that says so.
    source: String,
    /// When that page was read.
    as_of: Timestamp,
    /// Absent where the model has no such rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Price, required = false)]
    cache_read_cost_per_million_tokens: Option<Price>,
    /// Absent where the model has no such rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Price, required = false)]
    cache_write_cost_per_million_tokens: Option<Price>,
}

impl From<&DefaultPrice> for DefaultView {
    fn from(default: &DefaultPrice) -> Self {
        Self {
            id: default.id,
            provider_slug: default.provider_slug.clone(),
            model_name: default.model_name.clone(),
            model_pattern: default.model_pattern.clone(),
            input_cost_per_million_tokens: default.rates.input,
            output_cost_per_million_tokens: default.rates.output,
            currency: CURRENCY,
            source: default.source.clone(),
            as_of: default.as_of,
            cache_read_cost_per_million_tokens: default.rates.cache_read,
            cache_write_cost_per_million_tokens: default.rates.cache_write,
        }
    }
}

/// What became of a deletion
#[derive(Serialize, ToSchema)]
#[schema(as = ArchivePricingResult)]
pub(super) struct ArchiveView {
    /// Always true.
    pub(super) deleted: bool,
    pub(super) mode: ArchiveMode,
    /// Versions to come that went with the rule.
    pub(super) cancelled_scheduled: i64,
    /// Whether a tombstone was added; false where the rule was archived already.
    pub(super) archived: bool,
}

/// What a deletion did.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ArchiveMode {
    /// Took away one version that had not taken effect.
    CancelledScheduled,
    /// Archived the rule.
    ArchivedRule,
}

/// How many rules were made
#[derive(Serialize, ToSchema)]
#[schema(as = ImportPricingDefaultsResult)]
pub(super) struct Imported {
    pub(super) imported: i64,
}

/// How many rules got a new version
#[derive(Serialize, ToSchema)]
#[schema(as = SyncPricingDefaultsResult)]
pub(super) struct Synced {
    pub(super) synced: i64,
}

/// The price of a route now; rates are null where none is known
#[derive(Serialize, ToSchema)]
#[schema(as = EffectivePricing)]
pub(super) struct EffectiveView {
    source: PriceSource,
    /// The version, or the managed default, that says so.
    pricing_rule_id: Option<PriceId>,
    pub(super) input_cost_per_million_tokens: Option<Price>,
    pub(super) output_cost_per_million_tokens: Option<Price>,
    cache_read_cost_per_million_tokens: Option<Price>,
    cache_write_cost_per_million_tokens: Option<Price>,
}

impl From<Option<Priced>> for EffectiveView {
    fn from(priced: Option<Priced>) -> Self {
        let rates = priced.map(|priced| priced.rates);
        Self {
            source: priced.map_or(PriceSource::None, |priced| priced.source),
            pricing_rule_id: priced.map(|priced| priced.rule),
            input_cost_per_million_tokens: rates.map(|rates| rates.input),
            output_cost_per_million_tokens: rates.map(|rates| rates.output),
            cache_read_cost_per_million_tokens: rates.map(|rates| rates.cache_read),
            cache_write_cost_per_million_tokens: rates.map(|rates| rates.cache_write),
        }
    }
}
