//! `auth.issuers` → identity providers.

use crate::{
    auth::{ClaimPaths, IdentityProviders, ProviderRules},
    config::{Config, Issuer},
    net::Fetcher,
};

/// All that are configured.
pub fn providers(config: &Config, fetcher: &Fetcher) -> IdentityProviders {
    IdentityProviders::new(config.auth.issuers.iter().map(rules).collect(), fetcher)
}

fn rules(issuer: &Issuer) -> ProviderRules {
    ProviderRules {
        issuer: issuer.issuer.clone(),
        audience: issuer.audience.clone(),
        jwks_url: issuer.jwks_url.clone(),
        claims: ClaimPaths {
            org: issuer.org_claim.clone(),
            roles: issuer.roles_claim.clone(),
            groups: issuer.groups_claim.clone(),
            email: issuer.email_claim.clone(),
        },
        organizations: issuer.organizations.clone(),
        max_role: issuer.max_role,
    }
}
