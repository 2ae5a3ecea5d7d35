//! The stored rows of policies, as values.

use serde::{Deserialize, Serialize};

use super::record::Found;
use crate::domain::{
    AccessKind, AccessPolicyId, AccessTarget, AlertEvent, BudgetId, BudgetTarget, ExhaustAction,
    Money, OrgId, Period, RateLimitId, Scope, SmartModelId, Timestamp, TrafficType, WebhookId,
};

/// A rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitRow {
    /// Its id.
    pub id: RateLimitId,
    /// Its organization.
    pub org_id: OrgId,
    /// For people.
    pub name: String,
    /// Whom it is about.
    pub scope: Scope,
    /// In any 60 seconds.
    pub requests_per_minute: Option<u32>,
    /// In any 60 seconds.
    pub tokens_per_minute: Option<u32>,
    /// Which lane.
    pub traffic: TrafficType,
    /// The operator's switch.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetRow {
    /// Its id.
    pub id: BudgetId,
    /// Its organization.
    pub org_id: OrgId,
    /// For people.
    pub name: String,
    /// Whom it is about.
    pub scope: Scope,
    /// What it is narrowed to.
    pub target: BudgetTarget,
    /// Its window.
    pub period: Period,
    /// 0 for none.
    pub token_limit: i64,
    /// None or 0 for none.
    pub cost_limit: Option<Money>,
    /// Of the cost limit, ISO 4217.
    pub currency: String,
    /// Percentages at which alerts are sent, as they were given.
    pub alert_thresholds: Vec<u8>,
    /// What it does when it is used up.
    pub action: ExhaustAction,
    /// Which lane.
    pub traffic: TrafficType,
    /// The operator's switch.
    pub enabled: bool,
    /// Whether it may not be exceeded at all.
    pub strict: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A model access policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRow {
    /// Its id.
    pub id: AccessPolicyId,
    /// Its organization.
    pub org_id: OrgId,
    /// For people.
    pub name: String,
    /// Whom it is about.
    pub scope: Scope,
    /// What its targets are.
    pub kind: AccessKind,
    /// What it lists, in the order given.
    pub targets: Vec<AccessTarget>,
    /// Which lane.
    pub traffic: TrafficType,
    /// The operator's switch.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a smart model chooses among.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmartSlot {
    /// The alias that it leads to.
    pub model_alias: String,
    /// For people, and for the determiner.
    pub label: Option<String>,
}

/// A smart model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmartModelRow {
    /// Its id.
    pub id: SmartModelId,
    /// Its organization.
    pub org_id: OrgId,
    /// What callers send.
    pub model_alias: String,
    /// For people.
    pub description: Option<String>,
    /// The operator's switch.
    pub enabled: bool,
    /// The model that chooses.
    pub determiner_model_alias: String,
    /// What it chooses among.
    pub slots: Vec<SmartSlot>,
    /// Token counts from which on the next slot is the least; one fewer than slots.
    pub context_breakpoints: Vec<i64>,
    /// How much of a request the determiner is shown.
    pub determiner_input_max_chars: u32,
    /// The slot where the determiner gives none.
    pub default_slot_on_failure: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What an organization says of models; none keeps to what the program knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelOverrideRow {
    /// Its organization.
    pub org_id: OrgId,
    /// A name, a prefix with `*`, or `*`.
    pub model_pattern: String,
    /// The vendor; none for any.
    pub model_provider: Option<String>,
    /// What the models can do.
    pub capabilities: Option<Vec<String>>,
    /// How thinking is asked for.
    pub reasoning_mode: Option<String>,
    /// How hard the models can be told to think.
    pub efforts: Option<Vec<String>>,
    /// Tokens of input and output together.
    pub context_tokens: Option<u32>,
    /// Tokens of output.
    pub max_output_tokens: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An alert webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its id.
    pub id: WebhookId,
    /// Its organization.
    pub org_id: OrgId,
    /// For people; unique.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// What is told.
    pub events: Vec<AlertEvent>,
    /// The operator's switch.
    pub enabled: bool,
    /// The key of its signatures, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Found<'_> {
    /// The three columns of a scope.
    pub(super) fn scope(&self) -> sqlx::Result<Scope> {
        Ok(Scope {
            kind: self.word("scope_type")?,
            id: self.get("scope_id")?,
            value: self.get("scope_value")?,
        })
    }
}
