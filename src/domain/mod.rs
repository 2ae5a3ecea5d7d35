//! The vocabulary: plain types that every other part speaks in.
//!
//! Nothing here does IO, reads a clock or knows another module of the crate.

mod decimal;
pub mod effort;
pub mod endpoint;
pub mod ids;
pub mod ip_range;
pub mod limits;
pub mod model;
pub mod money;
pub mod policy;
pub mod position;
pub mod price;
pub mod request_id;
pub mod role;
#[cfg(test)]
pub(crate) mod seeded;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;
pub mod usage;
mod usage_text;
mod usage_write;

pub use effort::{Effort, Efforts};
pub use endpoint::{ClientDialect, Endpoint};
pub use ids::{
    AccessPolicyId, BudgetId, CredentialId, DeliveryId, KeyId, OrgId, PriceId, ProviderId,
    RateLimitId, RecordId, RouteId, ServiceAccountId, SmartModelId, UserId, WebhookId,
};
pub use ip_range::IpRange;
pub use limits::{IMAGE_TOKENS, MAX_ADMIN_BODY, TEXT_BYTES_PER_TOKEN};
pub use model::{
    Capabilities, Capability, DocumentPart, JsonModes, ModelFacts, Quirks, ReasoningHistory,
    ReasoningMember, ReasoningMode,
};
pub use money::{BilledRates, CURRENCY, Cost, Money, Price, Rates};
pub use policy::{
    AccessKind, AccessTarget, Alert, AlertEvent, BudgetTarget, DeliveryOutcome, Directory,
    ExhaustAction, Period, Person, Scope, ScopeType, Spent, TrafficType, UnknownWord,
};
pub use position::{LedgerId, Mark, Position};
pub use price::{ChangeSource, PriceSource, PriceVersion, SyncMode};
pub use request_id::RequestId;
pub use role::Role;
pub use time::Timestamp;
pub use usage::{Attempt, AttemptOutcome, DETERMINER_CLIENT, TokenUsage, UsageRecord, UsageSource};
pub use usage_text::whole_record;
