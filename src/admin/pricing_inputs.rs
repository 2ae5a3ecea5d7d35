//! What requests about prices look like.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{error::AdminError, patch::Patch, upstream};
use crate::{
    domain::{Price, PriceVersion, ProviderId, Rates, SyncMode, Timestamp},
    pricing::check_pattern,
    store::RuleKey,
};

/// Longest reason, characters.
const MAX_REASON: usize = 2_000;

/// A price to set or to schedule; null is as absent
#[derive(Deserialize, ToSchema)]
#[schema(as = CreatePricingRequest)]
pub(super) struct Create {
    /// Upstream model, a prefix ending in `*`, or `*`.
    #[schema(min_length = 1, max_length = 256)]
    model_pattern: String,
    /// Vendor or catalog slug that it is for; `catalog_slug` where absent, else any.
    #[schema(max_length = 256)]
    model_provider: Option<String>,
    input_cost_per_million_tokens: Price,
    output_cost_per_million_tokens: Price,
    /// Now where absent; a later time schedules. Not before the version that is in force.
    pub(super) effective_from: Option<Timestamp>,
    /// The one provider that it is for.
    pub(super) provider_id: Option<ProviderId>,
    #[schema(max_length = 256)]
    catalog_slug: Option<String>,
    /// Whether it follows the managed defaults.
    #[schema(default = "pinned")]
    sync_mode: Option<SyncMode>,
    #[schema(max_length = 2000)]
    change_reason: Option<String>,
    /// Where absent, the managed default's for the model, else the input's.
    cache_read_cost_per_million_tokens: Option<Price>,
    /// As for reading.
    cache_write_cost_per_million_tokens: Option<Price>,
}

/// What is asked for, checked.
pub(super) struct Wanted {
    pub(super) key: RuleKey,
    pub(super) catalog_slug: Option<String>,
    pub(super) rates: Rates,
    pub(super) sync_mode: SyncMode,
    pub(super) change_reason: Option<String>,
    pub(super) effective_from: Option<Timestamp>,
}

impl Create {
    /// Checks everything that needs no look at what is stored.
    pub(super) fn checked(self) -> Result<Wanted, AdminError> {
        check_pattern(&self.model_pattern)
            .map_err(|fault| AdminError::bad_request(format!("model_pattern {fault}")))?;
        let catalog_slug = slug("catalog_slug", self.catalog_slug)?;
        let model_provider = slug("model_provider", self.model_provider)?;
        Ok(Wanted {
            key: RuleKey {
                model_pattern: self.model_pattern,
                model_provider: model_provider.or_else(|| catalog_slug.clone()),
                provider_id: self.provider_id,
            },
            catalog_slug,
            rates: Rates {
                input: self.input_cost_per_million_tokens,
                output: self.output_cost_per_million_tokens,
                cache_read: self.cache_read_cost_per_million_tokens,
                cache_write: self.cache_write_cost_per_million_tokens,
            },
            sync_mode: self.sync_mode.unwrap_or_default(),
            change_reason: self.change_reason.map(reason).transpose()?,
            effective_from: self.effective_from,
        })
    }
}

/// Changes to a version that has not taken effect; absent keeps, and so does null except where it
/// clears
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdatePricingRequest)]
pub(super) struct Update {
    input_cost_per_million_tokens: Option<Price>,
    output_cost_per_million_tokens: Option<Price>,
    /// Still in the future.
    pub(super) effective_from: Option<Timestamp>,
    sync_mode: Option<SyncMode>,
    #[schema(max_length = 2000)]
    change_reason: Option<String>,
    /// Null clears.
    #[serde(default)]
    #[schema(value_type = Option<Price>)]
    cache_read_cost_per_million_tokens: Patch<Price>,
    /// Null clears.
    #[serde(default)]
    #[schema(value_type = Option<Price>)]
    cache_write_cost_per_million_tokens: Patch<Price>,
}

impl Update {
    /// Checks everything that needs no look at what is stored.
    pub(super) fn checked(mut self) -> Result<Self, AdminError> {
        self.change_reason = self.change_reason.map(reason).transpose()?;
        Ok(self)
    }

    /// The changed version.
    pub(super) fn applied(self, mut version: PriceVersion) -> PriceVersion {
        let rates = &mut version.rates;
        rates.input = self.input_cost_per_million_tokens.unwrap_or(rates.input);
        rates.output = self.output_cost_per_million_tokens.unwrap_or(rates.output);
        self.cache_read_cost_per_million_tokens.apply(&mut rates.cache_read);
        self.cache_write_cost_per_million_tokens.apply(&mut rates.cache_write);
        version.effective_from = self.effective_from.unwrap_or(version.effective_from);
        version.sync_mode = self.sync_mode.unwrap_or(version.sync_mode);
        version.change_reason = self.change_reason.or(version.change_reason);
        version
    }
}

/// Which managed defaults to copy into the organization, and how
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = ImportPricingDefaultsRequest)]
pub(super) struct Import {
    /// Ids of defaults; absent or empty means all.
    pub(super) ids: Option<Vec<Uuid>>,
    /// Whether the copies follow the defaults.
    #[schema(default = "tracking")]
    pub(super) sync_mode: Option<SyncMode>,
}

/// Which managed defaults to bring the organization's copies to
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = SyncPricingDefaultsRequest)]
pub(super) struct Sync {
    /// Ids of defaults; absent or empty means all.
    pub(super) ids: Option<Vec<Uuid>>,
}

/// Which rule's versions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct History {
    /// The pattern as it is stored.
    pub(super) model_pattern: String,
    /// Absent or empty: rules for any vendor.
    pub(super) model_provider: Option<String>,
}

/// A slug; empty is as absent.
fn slug(field: &str, given: Option<String>) -> Result<Option<String>, AdminError> {
    given.filter(|text| !text.is_empty()).map(|text| upstream::text(field, text)).transpose()
}

fn reason(given: String) -> Result<String, AdminError> {
    if given.chars().count() > MAX_REASON {
        let message = format!("change_reason must have at most {MAX_REASON} characters");
        return Err(AdminError::bad_request(message));
    }
    Ok(given)
}
