//! The ways into the console: at an identity provider, and by a link. Each ends in a session.

use std::sync::Arc;

use http::HeaderValue;

use super::{
    Authenticator, CallerRefusal, ISSUER_NAME, SignInError,
    caller::named_org,
    code_flow::{self, FlowRefusal},
    head::Head,
    keys::Principal,
    links,
    presented::{Presented, Reach},
};
use crate::{
    domain::{Person, Role, Timestamp},
    store::{SessionRow, UserRow},
};

/// A sign-in at a provider that has begun.
pub struct Begun {
    /// Where the browser is to go.
    pub location: String,
    /// What it is to keep.
    pub cookies: Vec<HeaderValue>,
}

/// What the browser brings back from the provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered<'a> {
    /// For the token.
    pub code: Option<&'a str>,
    /// Which sign-in it belongs to.
    pub state: Option<&'a str>,
    /// Why there is no code.
    pub error: Option<&'a str>,
    /// Who says so (RFC 9207).
    pub iss: Option<&'a str>,
}

/// A sign-in that has come to its end.
pub struct Ended {
    /// Path in the console to go on at.
    pub return_to: String,
    /// What the browser is to keep.
    pub cookies: Vec<HeaderValue>,
}

impl Authenticator {
    /// The identity providers at which people can sign in.
    pub fn sign_in_issuers(&self) -> impl Iterator<Item = &str> {
        self.providers.for_sign_in()
    }

    /// Begins a sign-in at a provider, for an organization if one is named, to go on at a path of the
    /// console.
    ///
    /// # Errors
    /// Why it cannot begin.
    pub async fn begin_sign_in(
        &self,
        head: &Head<'_>,
        issuer: &str,
        (return_to, org): (Option<&str>, Option<&str>),
        now: Timestamp,
    ) -> Result<Begun, FlowRefusal> {
        let base = self.sessions.site().base(head).ok_or(FlowRefusal::NoProvider)?;
        let redirect_uri = format!("{base}/auth/callback");
        let (mut attempt, location) = self.providers.begin(issuer, redirect_uri, now).await?;
        attempt.org = org.map(str::to_owned);
        if let Some(path) = return_to.filter(|path| code_flow::is_own_path(path)) {
            path.clone_into(&mut attempt.return_to);
        }
        let kept = self.sessions.keep_attempt(&attempt)?;
        Ok(Begun { location, cookies: kept.into_iter().collect() })
    }

    /// Ends it with what the browser brought back.
    ///
    /// # Errors
    /// Why nobody is signed in.
    pub async fn end_sign_in(
        &self,
        head: &Head<'_>,
        answered: Answered<'_>,
        now: Timestamp,
    ) -> Result<Ended, FlowRefusal> {
        let attempt = self.sessions.kept_attempt(head).filter(|attempt| !attempt.is_over(now));
        let attempt = attempt.ok_or(FlowRefusal::NoAttempt)?;
        let of_issuer = answered.iss.is_none_or(|iss| iss.trim_end_matches('/') == attempt.issuer);
        if answered.state != Some(&attempt.state) || !of_issuer {
            return Err(FlowRefusal::State);
        }
        let code = match (answered.error, answered.code) {
            (None, Some(code)) => code,
            (error, _) => {
                let error = code_flow::named(error.unwrap_or("no_code"));
                return Err(FlowRefusal::Refused(error));
            }
        };
        let presented = self.providers.end(&attempt, code, now).await?;
        let role = presented.role();
        let user = self.user_of(&presented, role, attempt.org.as_deref(), now).await;
        let user = user.map_err(|refusal| match refusal {
            CallerRefusal::SeveralOrganizations => FlowRefusal::SeveralOrganizations,
            other => other.into(),
        })?;
        let cookies = self.signed_in(head, &user, role, now).await?;
        Ok(Ended { return_to: attempt.return_to, cookies })
    }

    /// Signs in by a link; nobody where it was used or its time is over.
    ///
    /// # Errors
    /// When the store cannot be used.
    pub async fn sign_in_by_link(
        &self,
        head: &Head<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Ended>, SignInError> {
        let keyring = self.sessions.keyring();
        let Some(link) = links::take(&self.store, keyring, token, now).await? else {
            return Ok(None);
        };
        let user = self.store.read().await?.user(link.org, link.user).await?;
        let Some(user) = user else { return Ok(None) };
        let cookies = self.signed_in(head, &user, link.role, now).await?;
        Ok(Some(Ended { return_to: "/".to_owned(), cookies }))
    }

    /// A new session in place of the browser's former one.
    async fn signed_in(
        &self,
        head: &Head<'_>,
        user: &UserRow,
        role: Role,
        now: Timestamp,
    ) -> Result<Vec<HeaderValue>, SignInError> {
        self.sessions.finish(head).await?;
        let session = self.sessions.begin(user.org_id, user.id, role, now).await?;
        tracing::info!(org = %user.org_id, user = %user.id, "someone signed in to the console");
        Ok(session.into_iter().chain(self.sessions.drop_attempt()).collect())
    }

    /// Whether a request shows a session and nothing else: a token or key goes before it.
    #[must_use]
    pub fn has_session(&self, head: &Head<'_>) -> bool {
        let shows = |name: &str| head.headers.contains_key(name);
        !shows("authorization") && !shows("x-api-key") && self.sessions.cookie(head).is_some()
    }

    /// The session of a request, and what its user may do now. An identity provider that is not
    /// configured any more speaks for nobody, and one that may give less gives less. Nor does anybody
    /// keep a role that their latest token does not name.
    ///
    /// # Errors
    /// When there is none, or the store cannot be asked.
    pub async fn session(
        &self,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<(SessionRow, Role), CallerRefusal> {
        let session = self.sessions.find(head, now).await?.ok_or(CallerRefusal::NoSession)?;
        let (reach, most) = self.reach(&session.user.issuer).ok_or(CallerRefusal::NoSession)?;
        let latest = Presented::again(&session.user, reach).role();
        let role = session.role.min(most).min(latest);
        Ok((session, role))
    }

    fn reach(&self, issuer: &str) -> Option<(Reach, Role)> {
        let own = issuer == ISSUER_NAME;
        if own { Some((Reach::All, Role::Superadmin)) } else { self.providers.reach(issuer) }
    }

    /// Who sent a request with a session, and what they may do.
    pub(super) async fn by_session(
        &self,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<(UserRow, Role), CallerRefusal> {
        self.sessions.check_forgery(head)?;
        let (SessionRow { user, .. }, role) = self.session(head, now).await?;
        let (reach, _) = self.reach(&user.issuer).ok_or(CallerRefusal::NoSession)?;
        let seen = Presented::again(&user, reach);
        let homes = seen.homes(&self.store).await?;
        let org = self.org(named_org(head.headers)?, &seen, &homes, role).await?;
        let user = if org == user.org_id { user } else { self.visitor(org, &seen, now).await? };
        Ok((user, role))
    }

    /// On whose behalf a runtime request with a session is made.
    ///
    /// # Errors
    /// Why it is refused.
    pub async fn principal(
        &self,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<Arc<Principal>, CallerRefusal> {
        let (place, known) = self.sessions.known(head);
        if let Some(known) = known {
            self.sessions.check_forgery(head)?;
            return Ok(known);
        }
        let (user, _) = self.by_session(head, now).await?;
        let groups = user.effective_groups().into();
        let person = Person { subject: user.subject, email: user.email, roles: user.roles };
        let principal = Arc::new(Principal {
            org: user.org_id,
            key: None,
            key_name: Arc::from(""),
            user: Some(user.id),
            person: Some(person),
            groups,
            expires_at: None,
        });
        if let Some(place) = place {
            self.sessions.learn(place, &principal);
        }
        Ok(principal)
    }
}
