//! What a model is called: by the name that is sent, and by those that it is known by.

use crate::{provider::Vendor, store::ProviderRow};

/// A model's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelNames<'n> {
    /// What is sent: a model's id, or what an account called it (a deployment at Azure, a profile's ARN on
    /// Bedrock).
    pub sent: &'n str,
    /// What the provider's setting `base_models` says that this is, else the same.
    pub told: &'n str,
    /// That without the place where it runs.
    pub base: &'n str,
}

impl<'n> ModelNames<'n> {
    /// The names of `sent` on a provider.
    #[must_use]
    pub fn of(row: &'n ProviderRow, vendor: &Vendor, sent: &'n str) -> Self {
        let told = row.settings.get("base_models").and_then(|models| models.get(sent)?.as_str());
        let told = told.unwrap_or(sent);
        Self { sent, told, base: vendor.base_model(told) }
    }

    /// All of them, the most exact first.
    pub fn all(&self) -> impl Iterator<Item = &'n str> + use<'n> {
        [self.sent, self.told, self.base].into_iter()
    }
}
