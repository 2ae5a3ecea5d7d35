//! The stored rows, as values.

use serde_json::Value;
use uuid::Uuid;

use super::{AccessRow, BudgetRow, ModelOverrideRow, RateLimitRow, SmartModelRow};
use crate::domain::{
    CredentialId, KeyId, OrgId, Person, PriceVersion, ProviderId, Role, RouteId, ServiceAccountId,
    Timestamp, UserId,
};

/// An organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgRow {
    /// Its id.
    pub id: OrgId,
    /// Its name, unique.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// How often something of it changed.
    pub revision: i64,
}

/// A user as a token just presented them.
#[derive(Clone, Copy, Debug)]
pub struct SeenUser<'a> {
    /// The organization that the token speaks for.
    pub org: OrgId,
    /// Who issued the token.
    pub issuer: &'a str,
    /// The issuer's name for the user.
    pub subject: &'a str,
    /// E-mail, if the token has one. Never links accounts.
    pub email: Option<&'a str>,
    /// Roles in the token.
    pub roles: &'a [String],
    /// Groups in the token.
    pub groups: &'a [String],
    /// When.
    pub at: Timestamp,
}

/// A user, stable per (organization, issuer, subject).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Their id.
    pub id: UserId,
    /// Their organization.
    pub org_id: OrgId,
    /// Who issued their tokens.
    pub issuer: String,
    /// The issuer's name for them.
    pub subject: String,
    /// As last seen.
    pub email: Option<String>,
    /// As last seen.
    pub roles: Vec<String>,
    /// As last seen.
    pub groups: Vec<String>,
    /// What an administrator put in place of `groups`; holds until it is taken away.
    pub groups_override: Option<Vec<String>>,
    /// When a token of theirs was last seen, to about a minute.
    pub last_seen_at: Timestamp,
}

impl UserRow {
    /// The groups that count.
    #[must_use]
    pub fn effective_groups(&self) -> &[String] {
        self.groups_override.as_deref().unwrap_or(&self.groups)
    }
}

/// A program that gets tokens with a secret of its own, which is stored nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountRow {
    /// Its id.
    pub id: ServiceAccountId,
    /// Its organization.
    pub org_id: OrgId,
    /// Unique in the organization.
    pub name: String,
    /// What its tokens may do.
    pub role: Role,
    /// Keyed hash of its secret, 32 bytes.
    pub secret_hash: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last got a token.
    pub last_used_at: Option<Timestamp>,
}

/// What the store made of a user who was just seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// As stored now.
    pub user: UserRow,
    /// The user was known with other groups: what was learnt of their keys is void.
    pub regrouped: bool,
}

/// A gateway API key. The key itself is stored nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// Its organization.
    pub org_id: OrgId,
    /// Name for people; not unique.
    pub name: String,
    /// First 8 characters of the key.
    pub key_prefix: String,
    /// Keyed hash of the key, 32 bytes.
    pub hash: Vec<u8>,
    /// Who made it.
    pub created_by_user_id: UserId,
    /// The user it acts for; excludes `group_name`.
    pub user_id: Option<UserId>,
    /// The group it is bound to; excludes `user_id`.
    pub group_name: Option<String>,
    /// The e-mail recorded when it was made.
    pub user_email: Option<String>,
    /// Opaque, stored and echoed; empty means all.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Groups of `user_id` as last seen (joined; ignored on insert).
    pub user_groups: Vec<String>,
    /// Who `user_id` is (joined; ignored on insert).
    pub person: Option<Person>,
}

/// A reusable upstream credential (wire name: connection).
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionRow {
    /// Its id.
    pub id: CredentialId,
    /// Its organization.
    pub org_id: OrgId,
    /// Unique within the organization.
    pub name: String,
    /// Vendor slug.
    pub model_provider: String,
    /// As the client wrote it.
    pub auth_type: String,
    /// As the client wrote it, or the vendor's default.
    pub base_url: String,
    /// A JSON object.
    pub settings: Value,
    /// Sealed credential; none where the vendor needs no key.
    pub sealed: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A named upstream. `auth_type`, `base_url` and `settings` are the effective values: the
/// connection's where the provider inherits them.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderRow {
    /// Its id.
    pub id: ProviderId,
    /// Its organization.
    pub org_id: OrgId,
    /// Unique within the organization, whatever its case.
    pub name: String,
    /// Vendor slug.
    pub model_provider: String,
    /// As the client wrote it.
    pub auth_type: String,
    /// As the client wrote it, or the vendor's default.
    pub base_url: String,
    /// A JSON object.
    pub settings: Value,
    /// Catalog template, if one was used.
    pub catalog_id: Option<Uuid>,
    /// Shared credential, if any; then `sealed` is none.
    pub connection_id: Option<CredentialId>,
    /// Sealed inline credential.
    pub sealed: Option<Vec<u8>>,
    /// The operator's switch.
    pub enabled: bool,
    /// Whether an unhealthy probe takes it out of routing.
    pub enforce_health_check: bool,
    /// `unverified`, `healthy` or `unhealthy`.
    pub health_status: String,
    /// Reason of the last unhealthy probe.
    pub health_detail: Option<String>,
    /// Time of the last probe.
    pub health_checked_at: Option<Timestamp>,
    /// Total limit of a request, seconds; none inherits the platform's.
    pub request_timeout_secs: Option<u32>,
    /// Idle limit of a stream, seconds; none inherits the platform's.
    pub stream_idle_timeout_secs: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A model route (wire name: model mapping). A row whose alias is its upstream model is the model's
/// enablement on the provider (the 1:1 row).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of its own")]
pub struct RouteRow {
    /// Its id.
    pub id: RouteId,
    /// Its organization.
    pub org_id: OrgId,
    /// Whom it calls.
    pub provider_id: ProviderId,
    /// What callers send.
    pub model_alias: String,
    /// What is sent upstream.
    pub upstream_model: String,
    /// The operator's switch.
    pub enabled: bool,
    /// Lower is tried first within an alias.
    pub priority: i64,
    /// Retries in place after a 429, 0–10.
    pub retry_on_429_count: u32,
    /// Cap on a vendor's Retry-After, seconds; zero ignores the header.
    pub retry_on_429_max_wait_secs: u32,
    /// Whether the plain alias resolves to this row.
    pub bare_alias: bool,
    /// Seconds; none inherits (1:1 row, provider, platform).
    pub request_timeout_secs: Option<u32>,
    /// Never set: lists show the inherited value. Cleared by an explicit null: lists show null.
    pub request_timeout_inherited: bool,
    /// Seconds; none inherits.
    pub stream_idle_timeout_secs: Option<u32>,
    /// As `request_timeout_inherited`.
    pub stream_idle_timeout_inherited: bool,
    /// Cap on requests in flight per gateway process.
    pub max_concurrent_requests: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl RouteRow {
    /// Whether this row is the enablement of its model (the 1:1 row).
    #[must_use]
    pub fn is_enablement(&self) -> bool {
        self.model_alias == self.upstream_model
    }
}

/// A version of a price, with the names that go with its ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricingRow {
    /// Its organization.
    pub org_id: OrgId,
    /// The version.
    pub version: PriceVersion,
    /// Name of the provider that it is for, if that is still there (joined; ignored on insert).
    pub provider_name: Option<String>,
    /// E-mail of whoever wrote it, if known (joined; ignored on insert).
    pub created_by_email: Option<String>,
}

/// An organization's switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GovernanceRow {
    /// A route that is enabled needs a price.
    pub require_pricing_for_mappings: bool,
}

/// Everything the data plane needs of one organization, read at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct RuntimeRows {
    /// The organization.
    pub org: OrgRow,
    /// Its credentials.
    pub connections: Vec<ConnectionRow>,
    /// Its providers.
    pub providers: Vec<ProviderRow>,
    /// Its routes.
    pub routes: Vec<RouteRow>,
    /// The current and the coming versions of its price rules.
    pub prices: Vec<PriceVersion>,
    /// What it says of models.
    pub model_overrides: Vec<ModelOverrideRow>,
    /// Its rate limits.
    pub rate_limits: Vec<RateLimitRow>,
    /// Its budgets.
    pub budgets: Vec<BudgetRow>,
    /// Who may use what.
    pub access: Vec<AccessRow>,
    /// Its smart models.
    pub smart_models: Vec<SmartModelRow>,
}
