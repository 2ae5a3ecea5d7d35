//! Versions of prices.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PriceId, ProviderId, Rates, Timestamp, UserId};

/// Whether a rule follows the managed defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", try_from = "String")]
#[schema(as = PricingSyncMode)]
pub enum SyncMode {
    /// When asked to (sync-defaults).
    Tracking,
    /// Never.
    #[default]
    Pinned,
    /// By itself.
    Auto,
}

// Read by way of a text: what is none is then told as a wrong value and not as wrong JSON.
impl TryFrom<String> for SyncMode {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.as_str() {
            "tracking" => Ok(Self::Tracking),
            "pinned" => Ok(Self::Pinned),
            "auto" => Ok(Self::Auto),
            other => Err(format!("'{other}' is not one of tracking, pinned, auto")),
        }
    }
}

/// How a version came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PricingChangeSource)]
pub enum ChangeSource {
    /// The first version of its rule.
    AdminCreate,
    /// A later one.
    AdminEdit,
    /// It was to take effect later when it was written.
    AdminSchedule,
    /// Copied from a managed default.
    Import,
    /// Brought to the managed default by sync-defaults.
    SyncManual,
    /// Brought to the managed default by the gateway itself.
    SyncAuto,
    /// The tombstone of an archived rule.
    AdminArchive,
    /// An archived rule's prices, in force again.
    AdminRestore,
}

/// Which tier priced a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PricingSource)]
pub enum PriceSource {
    /// A rule for the provider itself.
    OrgInstance,
    /// A rule for its vendor or catalog line.
    OrgCatalog,
    /// A rule for the organization.
    OrgGeneric,
    /// A managed default.
    BarndoorDefault,
    /// Nothing: the vendor does not bill by the token.
    NotMetered,
    /// No price is known.
    None,
}

impl PriceSource {
    /// Every one.
    #[cfg(test)]
    pub(super) const ALL: &'static [Self] = &[
        Self::OrgInstance,
        Self::OrgCatalog,
        Self::OrgGeneric,
        Self::BarndoorDefault,
        Self::NotMetered,
        Self::None,
    ];

    /// Name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrgInstance => "org_instance",
            Self::OrgCatalog => "org_catalog",
            Self::OrgGeneric => "org_generic",
            Self::BarndoorDefault => "barndoor_default",
            Self::NotMetered => "not_metered",
            Self::None => "none",
        }
    }
}

/// One version of a rule. A rule is the versions of one (pattern, `model_provider`, `provider_id`)
/// of an organization; the newest that has taken effect is the rule's current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceVersion {
    /// Its id; every change makes a new one.
    pub id: PriceId,
    /// The one provider that it is for; none for all.
    pub provider_id: Option<ProviderId>,
    /// Vendor or catalog slug that it is for; none for any.
    pub model_provider: Option<String>,
    /// The catalog slug that the client named, if it did.
    pub catalog_slug: Option<String>,
    /// Upstream model, a prefix ending in `*`, or `*`.
    pub model_pattern: String,
    /// What it says.
    pub rates: Rates,
    /// From when on.
    pub effective_from: Timestamp,
    /// Whether it follows the managed defaults.
    pub sync_mode: SyncMode,
    /// How it came to be.
    pub change_source: ChangeSource,
    /// Why, in the client's words.
    pub change_reason: Option<String>,
    /// A tombstone: from here on the rule prices nothing.
    pub is_archived: bool,
    /// Who wrote it; none for the gateway itself.
    pub created_by: Option<UserId>,
}

impl PriceVersion {
    /// Whether both are versions of one rule.
    #[must_use]
    pub fn same_rule(&self, other: &Self) -> bool {
        self.model_pattern == other.model_pattern
            && self.model_provider == other.model_provider
            && self.provider_id == other.provider_id
    }
}
