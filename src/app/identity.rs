//! Who is who: `auth.issuers` → identity providers, the gateway's own issuer, the console's sessions.

use std::sync::Arc;

use super::AppError;
use crate::{
    auth::{
        self, ApiKeys, Authenticator, ClaimPaths, ClientRules, IdentityProviders, ProviderRules,
        Sessions, Site, TokenDesk,
    },
    config::{Config, Issuer},
    net::Fetcher,
    secrets::Keyring,
    store::Store,
};

/// What tells who calls, and what gives tokens.
pub struct Identity {
    pub people: Arc<Authenticator>,
    pub tokens: Arc<TokenDesk>,
}

/// Puts it together, for a console at `site`.
pub async fn identity(
    config: &Config,
    (store, keyring): (&Store, &Arc<Keyring>),
    keys: &Arc<ApiKeys>,
    fetcher: &Fetcher,
    site: Site,
) -> Result<Identity, AppError> {
    let issuer = Arc::new(auth::Issuer::load_or_create(store, keyring).await?);
    let tokens = TokenDesk::new(store.clone(), Arc::clone(keyring), Arc::clone(&issuer));
    let sessions = Sessions::new(store.clone(), Arc::clone(keyring), site);
    let providers = providers(config, fetcher);
    let people = Authenticator::new(store.clone(), issuer, providers, Arc::clone(keys), sessions);
    Ok(Identity { people: Arc::new(people), tokens: Arc::new(tokens) })
}

/// All that are configured.
fn providers(config: &Config, fetcher: &Fetcher) -> IdentityProviders {
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
        client: issuer.client_id.clone().map(|id| ClientRules {
            id,
            secret: issuer.client_secret.clone(),
            scopes: issuer.scopes.clone(),
        }),
    }
}
