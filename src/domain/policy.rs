//! What rate limits, budgets and access policies are made of: whom they are about, and the words of
//! their fields.

use std::{collections::HashMap, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{KeyId, Money, OrgId, ProviderId, UserId};

/// A text that is none of a list's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a known value")]
pub struct UnknownWord;

/// An enumeration whose variants are words of the API and of the store.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize, ToSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every one, in the order in which the API names them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Whom, or what, a policy is about.
    ScopeType {
        /// Everyone of the organization.
        Org = "org",
        /// A group, by another name (contract 8).
        Team = "team",
        /// A person or service.
        User = "user",
        /// Accepted and never matched.
        Project = "project",
        /// A gateway key.
        ApiKey = "api_key",
        /// Accepted and never matched.
        McpServer = "mcp_server",
        /// Accepted and never matched.
        Agent = "agent",
        /// A role of the caller.
        Role = "role",
        /// A group of the caller.
        Group = "group",
        /// The provider that a request reaches.
        LlmProvider = "llm_provider",
        /// The upstream model that a request reaches.
        Model = "model",
        /// The alias that a request asks for.
        ModelAlias = "model_alias",
    }
}

impl ScopeType {
    /// Whether it says what is reached, whoever calls.
    #[must_use]
    pub const fn is_about_routes(self) -> bool {
        matches!(self, Self::LlmProvider | Self::Model | Self::ModelAlias)
    }

    /// Those that say who calls; access policies take no other.
    pub const IDENTITY: &'static [Self] = &[
        Self::Org,
        Self::Team,
        Self::User,
        Self::Project,
        Self::ApiKey,
        Self::McpServer,
        Self::Agent,
        Self::Role,
        Self::Group,
    ];

    /// Whether a request can be of this kind at all. The others are taken for the sake of clients
    /// that know them.
    #[must_use]
    pub const fn can_match(self) -> bool {
        !matches!(self, Self::Project | Self::McpServer | Self::Agent)
    }
}

words! {
    /// The lane of traffic that a policy is about.
    TrafficType {
        /// Every lane.
        All = "all",
        /// Calls of models.
        Llm = "llm",
        /// Accepted and never matched: no such traffic passes here.
        Mcp = "mcp",
    }
}

words! {
    /// The window of a budget. All are of the calendar, in UTC.
    Period {
        /// From midnight.
        Daily = "daily",
        /// From Monday.
        Weekly = "weekly",
        /// From the first.
        Monthly = "monthly",
        /// From the first of January, April, July or October.
        Quarterly = "quarterly",
        /// From the first of January.
        Yearly = "yearly",
    }
}

words! {
    /// What an exhausted budget does.
    ExhaustAction {
        /// Refuses until the next period.
        Block = "block",
        /// Alerts, and serves on.
        Warn = "warn",
        /// As [`ExhaustAction::Warn`], and marks the usage record.
        Throttle = "throttle",
        /// [`ExhaustAction::Warn`] by another name.
        Alert = "alert",
    }
}

words! {
    /// What the targets of an access policy are.
    AccessKind {
        /// All that may be used.
        Allowlist = "allowlist",
        /// What may not be used.
        Denylist = "denylist",
    }
}

words! {
    /// What an alert tells of.
    AlertEvent {
        /// A budget has passed one of its thresholds.
        BudgetThreshold = "budget_threshold",
        /// A budget is used up.
        BudgetExhausted = "budget_exhausted",
        /// A route is skipped for a while, because it failed.
        RouteEjected = "route_ejected",
        /// A vendor refused the gateway's credential.
        UpstreamKeyRejected = "upstream_key_rejected",
    }
}

words! {
    /// What became of an attempt to deliver an alert.
    DeliveryOutcome {
        /// The receiver has it.
        Delivered = "delivered",
        /// It is tried again.
        Failed = "failed",
        /// It is not tried again.
        GivenUp = "given_up",
    }
}

/// Whom or what a policy is about. With neither id nor value: every one of its type, each on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The kind.
    pub kind: ScopeType,
    /// Which one, where it has an id.
    pub id: Option<Uuid>,
    /// Which one, by name.
    pub value: Option<String>,
}

/// What a budget is narrowed to; nothing where all are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetTarget {
    /// Served by this provider.
    pub provider: Option<ProviderId>,
    /// Reaching this upstream model of that provider.
    pub upstream_model: Option<String>,
    /// Asked for by this alias; excludes the other two.
    pub model_alias: Option<String>,
}

/// What an access policy lists. Names may end in `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = ModelAccessTarget)]
pub enum AccessTarget {
    /// The name that the caller sends.
    ModelAlias {
        /// That name.
        alias: String,
    },
    /// The upstream model that the name leads to.
    Model {
        /// Its id.
        model: String,
    },
    /// A provider: as a denial every route to it, as a grant its 1:1 models.
    Provider {
        /// Its id.
        provider_id: ProviderId,
    },
    /// One name on one provider.
    ProviderModel {
        /// The provider's id.
        provider_id: ProviderId,
        /// The alias there.
        model: String,
    },
}

/// What a person is called, and what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The issuer's name for them.
    pub subject: String,
    /// Their e-mail.
    pub email: Option<String>,
    /// Their roles.
    pub roles: Vec<String>,
}

/// Names that go with ids.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Users.
    pub people: HashMap<UserId, Person>,
    /// Names of keys.
    pub keys: HashMap<KeyId, String>,
}

/// What requests of one kind used together: by whom, of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// The key.
    pub api_key: Option<KeyId>,
    /// Its user.
    pub user: Option<UserId>,
    /// The caller's groups.
    pub groups: Vec<String>,
    /// What was asked for.
    pub alias: Option<String>,
    /// The smart model that chose it.
    pub smart_model: Option<String>,
    /// The provider that was reached.
    pub provider: Option<ProviderId>,
    /// The name that it had then.
    pub provider_name: Option<String>,
    /// The model that was reached.
    pub upstream_model: Option<String>,
    /// How many.
    pub requests: u64,
    /// Input, cached input and output.
    pub tokens: u64,
    /// As far as prices were known.
    pub cost: Money,
}

/// Something to be told to an organization's alert webhooks.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Whose.
    pub org: OrgId,
    /// What kind.
    pub event: AlertEvent,
    /// What is told but once: a second alert of the same key is none.
    pub key: String,
    /// The facts, for the receiver. Never secrets, prompts or answers.
    pub data: serde_json::Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for scope in ScopeType::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        }
        assert_eq!("Org".parse::<ScopeType>(), Err(UnknownWord));
    }

    #[test]
    fn a_target_has_the_fields_of_its_kind_alone() {
        let target = AccessTarget::ModelAlias { alias: "gpt-*".to_owned() };
        let json = serde_json::json!({"kind": "model_alias", "alias": "gpt-*"});
        assert_eq!(serde_json::to_value(&target).unwrap(), json);
        assert_eq!(serde_json::from_value::<AccessTarget>(json).unwrap(), target);
    }
}
