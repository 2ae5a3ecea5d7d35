//! Roles of the admin and user API, weakest first.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a caller of the admin and user API may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Own keys and own usage.
    User,
    /// Everything within the own organization.
    Admin,
    /// Admin of every organization.
    Superadmin,
}

impl Role {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Superadmin => "superadmin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "user" => Ok(Self::User),
            "admin" => Ok(Self::Admin),
            "superadmin" => Ok(Self::Superadmin),
            _ => Err(UnknownRole),
        }
    }
}

/// The text names no role.
#[derive(Debug, thiserror::Error)]
#[error("role must be one of: user, admin, superadmin")]
pub struct UnknownRole;
