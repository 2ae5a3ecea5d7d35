//! Identity providers: from a token of theirs to what it says, as far as they may say it.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{
    TokenRefusal,
    claims::{ClaimPaths, OrgClaim},
    code_flow::{Attempt, ClientRules, FlowRefusal, KnownEndpoints},
    issuer_keys::{IssuerKeys, Published},
    jwt::Jwt,
    presented::{Presented, Reach},
};
use crate::{
    domain::{Role, Timestamp},
    net::Fetcher,
};

/// Codes that are given back to one provider at a time, at most.
const EXCHANGES: usize = 16;

/// One of `auth.issuers`.
#[derive(Clone, Debug)]
pub struct ProviderRules {
    /// `iss` of its tokens, without trailing slashes.
    pub issuer: String,
    /// What `aud` must name.
    pub audience: String,
    /// Where its keys are; none: its discovery document says.
    pub jwks_url: Option<String>,
    /// Where its tokens say what.
    pub claims: ClaimPaths,
    /// Names or UUIDs of the organizations that it may speak for; `*`: any.
    pub organizations: Vec<String>,
    /// The strongest role that it can give.
    pub max_role: Role,
    /// For signing in to the console; none: its tokens are taken, and that is all.
    pub client: Option<ClientRules>,
}

/// All of them. The default is none.
#[derive(Default)]
pub struct IdentityProviders(Vec<IdentityProvider>);

struct IdentityProvider {
    rules: ProviderRules,
    organizations: Arc<[String]>,
    keys: IssuerKeys,
    published: Arc<Published>,
    endpoints: KnownEndpoints,
    exchanges: Semaphore,
}

impl IdentityProviders {
    /// Their keys are fetched when the first of their tokens comes.
    #[must_use]
    pub fn new(rules: Vec<ProviderRules>, fetcher: &Fetcher) -> Self {
        Self(rules.into_iter().map(|rules| IdentityProvider::new(rules, fetcher)).collect())
    }

    /// Checks a token with its issuer's keys.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) async fn verify(
        &self,
        jwt: &Jwt<'_>,
        now: Timestamp,
    ) -> Result<Presented, TokenRefusal> {
        let issuer = jwt.issuer().ok_or(TokenRefusal::Malformed)?;
        let known = self.of(issuer).ok_or(TokenRefusal::Foreign)?;
        known.verify(jwt, &known.rules.audience, now).await
    }

    /// Those at which people can sign in to the console.
    pub(super) fn for_sign_in(&self) -> impl Iterator<Item = &str> {
        let with_client = self.0.iter().filter(|provider| provider.rules.client.is_some());
        with_client.map(|provider| provider.rules.issuer.as_str())
    }

    /// How far the word of an issuer reaches, and the strongest role that it can give.
    pub(super) fn reach(&self, issuer: &str) -> Option<(Reach, Role)> {
        let provider = self.of(issuer)?;
        Some((Reach::Listed(Arc::clone(&provider.organizations)), provider.rules.max_role))
    }

    /// Begins a sign-in; answers what to keep of it, and where the browser is to be sent.
    pub(super) async fn begin(
        &self,
        issuer: &str,
        redirect_uri: String,
        now: Timestamp,
    ) -> Result<(Attempt, String), FlowRefusal> {
        let (provider, client) = self.client(issuer)?;
        let endpoints = provider.endpoints.get(&provider.published).await?;
        let attempt = Attempt::new(issuer, &endpoints, redirect_uri, now)?;
        let location = attempt.location(&endpoints, client).ok_or(FlowRefusal::NoProvider)?;
        Ok((attempt, location))
    }

    /// Ends it: who has signed in.
    pub(super) async fn end(
        &self,
        attempt: &Attempt,
        code: &str,
        now: Timestamp,
    ) -> Result<Presented, FlowRefusal> {
        let (provider, client) = self.client(&attempt.issuer)?;
        // Attempts can be replayed: the provider is not to be flooded in the gateway's name.
        let _place = provider.exchanges.try_acquire().map_err(|_| FlowRefusal::Exchange)?;
        let token = attempt.exchange(&provider.published, client, code).await?;
        let jwt = Jwt::parse(&token)?;
        if !attempt.is_answered_by(&jwt, client) {
            return Err(FlowRefusal::State);
        }
        Ok(provider.verify(&jwt, &client.id, now).await?)
    }

    fn of(&self, issuer: &str) -> Option<&IdentityProvider> {
        self.0.iter().find(|provider| provider.rules.issuer == issuer)
    }

    fn client(&self, issuer: &str) -> Result<(&IdentityProvider, &ClientRules), FlowRefusal> {
        let provider = self.of(issuer).ok_or(FlowRefusal::NoProvider)?;
        Ok((provider, provider.rules.client.as_ref().ok_or(FlowRefusal::NoProvider)?))
    }
}

impl IdentityProvider {
    fn new(rules: ProviderRules, fetcher: &Fetcher) -> Self {
        let published = Arc::new(Published {
            fetcher: fetcher.clone(),
            issuer: rules.issuer.clone(),
            jwks_url: rules.jwks_url.clone(),
        });
        let keys = IssuerKeys::new(&rules.issuer, Arc::<Published>::clone(&published));
        let organizations = rules.organizations.clone().into();
        Self {
            organizations,
            rules,
            keys,
            published,
            endpoints: KnownEndpoints::default(),
            exchanges: Semaphore::new(EXCHANGES),
        }
    }

    /// The signature last: what is refused without it costs its issuer nothing.
    async fn verify(
        &self,
        jwt: &Jwt<'_>,
        audience: &str,
        now: Timestamp,
    ) -> Result<Presented, TokenRefusal> {
        if !jwt.is_for(audience) {
            return Err(TokenRefusal::Foreign);
        }
        jwt.check_times(now)?;
        let subject = jwt.subject().ok_or(TokenRefusal::Malformed)?.to_owned();
        self.keys.verify(jwt).await?;
        let paths = &self.rules.claims;
        let orgs: Vec<OrgClaim> = paths.organizations(&jwt.claims);
        Ok(Presented {
            issuer: self.rules.issuer.clone(),
            subject,
            email: paths.email(&jwt.claims),
            orgs,
            reach: Reach::Listed(Arc::clone(&self.organizations)),
            roles: self.capped(paths.roles(&jwt.claims)),
            groups: paths.groups(&jwt.claims),
            service_account: None,
        })
    }

    /// A role beyond what the issuer may give counts as the strongest that it may.
    fn capped(&self, roles: Vec<String>) -> Vec<String> {
        let most = self.rules.max_role;
        let cap = |name: String| match name.parse::<Role>() {
            Ok(role) if role > most => most.as_str().to_owned(),
            _ => name,
        };
        let mut capped: Vec<String> = Vec::with_capacity(roles.len());
        for role in roles.into_iter().map(cap) {
            if !capped.contains(&role) {
                capped.push(role);
            }
        }
        capped
    }
}
