//! How the gateway shows a vendor who it is, in both public vocabularies.

/// What an `auth_type` means; several names may mean the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// One key in a header.
    ApiKey,
    /// One key of Bedrock, in a header.
    BedrockApiKey,
    /// A role of the organization's AWS account, which the gateway assumes.
    AwsRole,
    /// An access key of AWS.
    AwsKeys,
    /// The gateway's own identity at Google.
    GoogleAdc,
    /// A service account, by its key.
    GoogleServiceAccount,
    /// A service account, as which the gateway's own identity acts.
    GoogleImpersonation,
    /// The caller's own OAuth token.
    OauthPassthrough,
}

/// Every name that is taken, with what it means; the first of a kind is the usual one.
const NAMES: [(&str, AuthKind); 14] = [
    ("api_key", AuthKind::ApiKey),
    ("bearer_api_key", AuthKind::ApiKey),
    ("x_api_key", AuthKind::ApiKey),
    ("azure_api_key", AuthKind::ApiKey),
    ("bedrock_api_key", AuthKind::BedrockApiKey),
    ("aws_role", AuthKind::AwsRole),
    ("aws_keys", AuthKind::AwsKeys),
    ("aws_static_credentials", AuthKind::AwsKeys),
    ("google_adc", AuthKind::GoogleAdc),
    ("google_service_account", AuthKind::GoogleServiceAccount),
    ("google_impersonation", AuthKind::GoogleImpersonation),
    ("google_service_account_impersonation", AuthKind::GoogleImpersonation),
    ("oauth_passthrough", AuthKind::OauthPassthrough),
    ("claude_oauth", AuthKind::OauthPassthrough),
];

impl AuthKind {
    /// What a name means.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Every name that is taken.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Its names, the usual one first.
    pub fn own_names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(_, kind)| *kind == self).map(|(name, _)| *name)
    }

    /// The usual one of its names.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.own_names().next().unwrap_or("api_key")
    }

    /// Whether the secret is one key, which goes into a header as it is.
    #[must_use]
    pub const fn is_key(self) -> bool {
        matches!(self, Self::ApiKey | Self::BedrockApiKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_vocabularies_mean_the_same() {
        for (one, other) in [
            ("api_key", "bearer_api_key"),
            ("api_key", "x_api_key"),
            ("api_key", "azure_api_key"),
            ("aws_keys", "aws_static_credentials"),
            ("google_impersonation", "google_service_account_impersonation"),
            ("oauth_passthrough", "claude_oauth"),
        ] {
            assert_eq!(AuthKind::named(one), AuthKind::named(other), "{other}");
            assert_eq!(AuthKind::named(one).map(AuthKind::name), Some(one));
        }
        assert_eq!(AuthKind::named("codex_oauth"), None);
        assert_eq!(AuthKind::names().count(), NAMES.len());
    }
}
