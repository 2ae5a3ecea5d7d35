//! Telling whoever makes a policy that it can never match (contract 8): it is kept, and the answer warns.

use axum::http::HeaderValue;
use axum::response::{IntoResponseParts, ResponseParts};

use super::error::AdminError;
use crate::{
    domain::{OrgId, ProviderId, Scope, ScopeType, TrafficType},
    store::Tx,
};

/// The header by which an answer says so.
pub(super) struct NeverMatches(Option<&'static str>);

impl NeverMatches {
    /// What the scope and the lane of a policy tell.
    pub const fn of(scope: &Scope, traffic: TrafficType) -> Self {
        let text = match (scope.kind, traffic) {
            (ScopeType::Project, _) => "299 - \"scope_type 'project' never matches here\"",
            (ScopeType::Agent, _) => "299 - \"scope_type 'agent' never matches here\"",
            (ScopeType::McpServer, _) => "299 - \"scope_type 'mcp_server' never matches here\"",
            (_, TrafficType::Mcp) => "299 - \"traffic_type 'mcp' never matches here\"",
            _ => return Self(None),
        };
        Self(Some(text))
    }

    /// The same, or `text` where a target is a provider that the organization has not.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn or_missing(
        self,
        tx: &mut Tx,
        org: OrgId,
        targets: &[ProviderId],
        text: &'static str,
    ) -> Result<Self, AdminError> {
        for id in targets {
            if self.0.is_none() && tx.provider(org, *id).await?.is_none() {
                return Ok(Self(Some(text)));
            }
        }
        Ok(self)
    }
}

impl IntoResponseParts for NeverMatches {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        if let Some(text) = self.0 {
            parts.headers_mut().insert("warning", HeaderValue::from_static(text));
        }
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_that_cannot_match_has_a_warning_and_no_other_has() {
        for kind in ScopeType::ALL {
            let scope = Scope { kind: *kind, id: None, value: None };
            assert_eq!(
                NeverMatches::of(&scope, TrafficType::All).0.is_some(),
                !kind.can_match(),
                "{kind}"
            );
            assert!(NeverMatches::of(&scope, TrafficType::Mcp).0.is_some(), "{kind}");
        }
    }
}
