//! Identifiers: UUIDv4, one type per thing they name, so that two cannot be swapped.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new random (version 4) identifier.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

id! {
    /// An organization: the tenant that owns everything else.
    OrgId,
    /// A person or service of one organization, stable per (organization, issuer, subject).
    UserId,
    /// A gateway API key (`bd-…`).
    KeyId,
    /// A named upstream.
    ProviderId,
    /// A reusable upstream credential (wire name: connection).
    CredentialId,
    /// A model route (wire name: model mapping).
    RouteId,
    /// A service account: a program that gets tokens with a secret of its own.
    ServiceAccountId,
    /// A version of a price.
    PriceId,
    /// A usage record.
    RecordId,
    /// A rate limit.
    RateLimitId,
    /// A budget.
    BudgetId,
    /// A model access policy.
    AccessPolicyId,
    /// A smart model.
    SmartModelId,
    /// An alert webhook.
    WebhookId,
    /// A message to an alert webhook.
    DeliveryId,
}
