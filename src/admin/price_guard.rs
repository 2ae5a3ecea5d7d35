//! What routes cost now, and the rule that enabled ones must have a price.

use super::error::AdminError;
use crate::{
    domain::{OrgId, PriceVersion, Timestamp},
    pricing::{self, ModelNames, PriceBook, Priced},
    provider::catalog,
    snapshot::line,
    store::{ProviderRow, Tx},
};

/// An organization's prices at one moment.
pub(super) struct Prices {
    versions: Vec<PriceVersion>,
    at: Timestamp,
}

impl Prices {
    /// As they are now.
    pub(super) async fn now(tx: &mut Tx, org: OrgId) -> Result<Self, AdminError> {
        let at = Timestamp::now();
        Ok(Self { versions: tx.prices_in_force(org, at).await?, at })
    }

    /// What a model costs on a provider; none where nothing prices it.
    pub(super) fn of(&self, provider: &ProviderRow, model: &str) -> Option<Priced> {
        let book = PriceBook::new(&self.versions, pricing::defaults());
        let vendor = catalog().vendor(&provider.model_provider)?;
        book.price(&line(provider), &ModelNames::of(provider, vendor, model), self.at)
    }
}

/// Refuses models without a price on a provider, where the organization wants them to have one. Any
/// tier counts, the managed defaults too.
pub(super) async fn require(
    tx: &mut Tx,
    provider: &ProviderRow,
    models: impl IntoIterator<Item = &str>,
) -> Result<(), AdminError> {
    if !tx.governance(provider.org_id).await?.require_pricing_for_mappings {
        return Ok(());
    }
    let prices = Prices::now(tx, provider.org_id).await?;
    let unpriced = models.into_iter().find(|model| prices.of(provider, model).is_none());
    unpriced.map_or(Ok(()), |model| {
        Err(AdminError::bad_request(format!(
            "the model '{model}' has no price on the provider '{}', and this organization requires \
             one of enabled routes (require_pricing_for_mappings): set it with POST \
             /admin/model-pricing, or create the route with enabled: false",
            provider.name
        )))
    })
}
