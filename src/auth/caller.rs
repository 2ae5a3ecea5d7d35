//! Callers of the admin and user API: from a bearer token to organization, user and role.

use std::sync::Arc;

use http::{HeaderMap, header::AUTHORIZATION};
use uuid::Uuid;

use super::{
    Forged, Head, ISSUER_NAME, IdentityProviders, Issuer, Sessions, TokenRefusal, jwt::Jwt,
    keys::ApiKeys, presented::Presented,
};
use crate::{
    domain::{OrgId, Role, Timestamp, UserId},
    store::{OrgRow, SeenUser, Sighting, Store, StoreError, UserRow},
};

/// In which a superadmin names the organization to act in, by UUID or name; and with which anyone
/// chooses among several that their token names.
pub const ORG_HEADER: &str = "x-turnpike-org";

/// Who calls the admin or user API, and in which organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The organization to act in.
    pub org: OrgId,
    /// The user's id in that organization.
    pub user: UserId,
    /// What the user may do there.
    pub role: Role,
    /// The user's groups there: those that an administrator gave, else the token's.
    pub groups: Vec<String>,
    /// The user's name at the issuer.
    pub subject: String,
    /// E-mail address, if known.
    pub email: Option<String>,
}

/// Turns requests into callers.
pub struct Authenticator {
    pub(super) store: Store,
    issuer: Arc<Issuer>,
    pub(super) providers: IdentityProviders,
    keys: Arc<ApiKeys>,
    pub(super) sessions: Sessions,
}

impl Authenticator {
    /// Verifies with the issuer's key and the identity providers', keeps users in the store, and lets
    /// `keys` know of those whose groups have changed.
    #[must_use]
    pub const fn new(
        store: Store,
        issuer: Arc<Issuer>,
        providers: IdentityProviders,
        keys: Arc<ApiKeys>,
        sessions: Sessions,
    ) -> Self {
        Self { store, issuer, providers, keys, sessions }
    }

    /// The console's sessions.
    pub const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Tells who sent a request, by its token, or by its session where it has no token.
    ///
    /// # Errors
    /// Why it is refused; [`CallerRefusal::status`] is the status to answer.
    pub async fn authenticate(
        &self,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<Caller, CallerRefusal> {
        if self.has_session(head) {
            let (user, role) = self.by_session(head, now).await?;
            return Ok(Caller::new(user, role));
        }
        let token = self.verify(bearer(head.headers)?, now).await?;
        let role = self.role(&token).await?;
        let user = self.user_of(&token, role, named_org(head.headers)?, now).await?;
        Ok(Caller::new(user, role))
    }

    /// The user of a token in its organization, or in the one that is named.
    pub(super) async fn user_of(
        &self,
        token: &Presented,
        role: Role,
        named: Option<&str>,
        now: Timestamp,
    ) -> Result<UserRow, CallerRefusal> {
        let homes = token.homes(&self.store).await?;
        let org = self.org(named, token, &homes, role).await?;
        if homes.contains(&org) {
            self.user(org, token, &token.groups, now).await
        } else {
            self.visitor(org, token, now).await
        }
    }

    /// What the token may do: a service account's no more than its account, which must still be there.
    async fn role(&self, token: &Presented) -> Result<Role, CallerRefusal> {
        let Some(id) = token.service_account else { return Ok(token.role()) };
        let org = token.orgs.first().and_then(|org| org.id);
        let org = org.ok_or(CallerRefusal::NoOrganization)?;
        let account = self.store.service_account(org, id).await?;
        Ok(token.role().min(account.ok_or(CallerRefusal::AccountGone)?.role))
    }

    async fn verify(&self, token: &str, now: Timestamp) -> Result<Presented, TokenRefusal> {
        let jwt = Jwt::parse(token)?;
        if jwt.issuer() == Some(ISSUER_NAME) {
            return self.issuer.check(&jwt, now).map(Presented::from);
        }
        self.providers.verify(&jwt, now).await
    }

    /// The token's organization, or the one that is named.
    pub(super) async fn org(
        &self,
        named: Option<&str>,
        token: &Presented,
        homes: &[OrgId],
        role: Role,
    ) -> Result<OrgId, CallerRefusal> {
        let Some(name) = named else {
            return match homes {
                [] => Err(CallerRefusal::NoOrganization),
                [home] => Ok(*home),
                _ => Err(CallerRefusal::SeveralOrganizations),
            };
        };
        if homes.is_empty() {
            return Err(CallerRefusal::NoOrganization);
        }
        match self.find_org(name).await? {
            Some(org) if homes.contains(&org.id) => Ok(org.id),
            // The same whether it exists or not: that is not theirs to know.
            _ if role < Role::Superadmin => Err(CallerRefusal::OtherOrganization),
            Some(org) if token.reach.covers(&org) => Ok(org.id),
            Some(_) => Err(CallerRefusal::OtherOrganization),
            None => Err(CallerRefusal::NoSuchOrganization(name.to_owned())),
        }
    }

    /// Looks an organization up; unlike `turnpike token`, a header never creates one.
    async fn find_org(&self, name: &str) -> Result<Option<OrgRow>, StoreError> {
        match name.parse::<Uuid>() {
            Ok(id) => self.store.org(OrgId(id)).await,
            Err(_) => self.store.org_by_name(name).await,
        }
    }

    /// The row of somebody who acts in another organization than those that they present. Groups and their
    /// policies belong to one organization: a visitor brings none along, and where they are known there,
    /// by an earlier token of that organization's, they are who they were.
    pub(super) async fn visitor(
        &self,
        org: OrgId,
        token: &Presented,
        now: Timestamp,
    ) -> Result<UserRow, CallerRefusal> {
        match self.store.user_by_subject(org, &token.issuer, &token.subject).await? {
            Some(known) => Ok(known),
            None => self.user(org, token, &[], now).await,
        }
    }

    /// The user's row. The store writes it when something changed or a minute went by, not on
    /// every request.
    async fn user(
        &self,
        org: OrgId,
        token: &Presented,
        groups: &[String],
        now: Timestamp,
    ) -> Result<UserRow, CallerRefusal> {
        let seen = SeenUser {
            org,
            issuer: &token.issuer,
            subject: &token.subject,
            email: token.email.as_deref(),
            roles: &token.roles,
            groups,
            at: now,
        };
        let Sighting { user, regrouped } = self.store.ensure_user(&seen).await?;
        if regrouped {
            self.keys.forget_user(org, user.id).await;
            self.sessions.forget();
        }
        Ok(user)
    }
}

impl Caller {
    fn new(user: UserRow, role: Role) -> Self {
        let groups = user.effective_groups().to_vec();
        let UserRow { id, org_id, subject, email, .. } = user;
        Self { org: org_id, user: id, role, groups, subject, email }
    }
}

/// The organization that a request's header names.
pub(super) fn named_org(headers: &HeaderMap) -> Result<Option<&str>, CallerRefusal> {
    let mut named = headers.get_all(ORG_HEADER).iter();
    let Some(name) = named.next() else { return Ok(None) };
    let name = name.to_str().map(str::trim).map_err(|_| CallerRefusal::OrgHeader)?;
    if named.next().is_some() || name.is_empty() {
        return Err(CallerRefusal::OrgHeader);
    }
    Ok(Some(name))
}

/// The token of `Authorization: Bearer …`.
fn bearer(headers: &HeaderMap) -> Result<&str, CallerRefusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        let has_key =
            headers.get("x-api-key").is_some_and(|key| key.as_bytes().starts_with(b"bd-"));
        return Err(if has_key { CallerRefusal::GatewayKey } else { CallerRefusal::Missing });
    };
    if values.next().is_some() {
        return Err(CallerRefusal::Missing);
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().split_once(' '))
        .ok_or(CallerRefusal::Missing)?;
    let token = token.trim_start();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(CallerRefusal::Missing);
    }
    if token.starts_with("bd-") { Err(CallerRefusal::GatewayKey) } else { Ok(token) }
}

/// Why a request to the admin or user API has no caller.
#[derive(Debug, thiserror::Error)]
pub enum CallerRefusal {
    /// No bearer token, or not exactly one.
    #[error("a JWT is required: send it as 'Authorization: Bearer <token>'")]
    Missing,
    /// A `bd-` key where a token belongs.
    #[error("bd- keys are for /v1 only; the admin and user API need a JWT")]
    GatewayKey,
    /// The cookie is that of no session, or of one that is over.
    #[error("the session has ended: sign in again")]
    NoSession,
    /// A session's cookie that another site's page may have sent.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// The token is not valid.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// The token names no organization, or none that exists and that its issuer may speak for.
    #[error("the token names no organization that exists and that its issuer may speak for")]
    NoOrganization,
    /// The token's service account was deleted.
    #[error("the token's service account was deleted")]
    AccountGone,
    /// The token names more than one.
    #[error("the token names several organizations: choose one with the header x-turnpike-org")]
    SeveralOrganizations,
    /// The header names nothing that could be an organization.
    #[error("x-turnpike-org must hold one organization's UUID or name")]
    OrgHeader,
    /// Only a superadmin may act in another organization, and only where the issuer's word reaches.
    #[error("x-turnpike-org names an organization in which this token may not act")]
    OtherOrganization,
    /// A superadmin named an organization that does not exist.
    #[error("organization '{0}' not found")]
    NoSuchOrganization(String),
    /// The store cannot be asked now.
    #[error("users cannot be looked up at the moment")]
    Store(#[from] StoreError),
}

impl CallerRefusal {
    /// The HTTP status to answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Token(TokenRefusal::Unavailable) | Self::Store(_) => 503,
            Self::Missing
            | Self::NoSession
            | Self::GatewayKey
            | Self::Token(_)
            | Self::NoOrganization
            | Self::AccountGone => 401,
            Self::OrgHeader | Self::SeveralOrganizations => 400,
            Self::OtherOrganization | Self::Forged(_) => 403,
            Self::NoSuchOrganization(_) => 404,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;
    use crate::{
        auth::{Site, token},
        secrets::Keyring,
        store::testing,
    };

    struct Fixture {
        _dir: tempfile::TempDir,
        store: Store,
        keyring: Arc<Keyring>,
        authenticator: Authenticator,
    }

    impl Fixture {
        async fn new() -> Self {
            let (dir, store) = testing::temp_store().await;
            let keyring = Arc::new(Keyring::new([5; 32]));
            let issuer = Issuer::load_or_create(&store, &keyring).await.unwrap();
            let keys = Arc::new(ApiKeys::new(store.clone(), Arc::clone(&keyring)));
            let authenticator = Authenticator::new(
                store.clone(),
                Arc::new(issuer),
                IdentityProviders::default(),
                keys,
                Sessions::new(store.clone(), Arc::clone(&keyring), Site::default()),
            );
            Self { _dir: dir, store, keyring, authenticator }
        }

        async fn token(&self, org: &str, role: Role, groups: &[&str]) -> String {
            let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
            let hour = Duration::from_secs(3600);
            token(&self.store, &self.keyring, org, "ann@example.com", role, &groups, hour)
                .await
                .unwrap()
        }

        async fn ask(&self, headers: &[(&'static str, &str)]) -> Result<Caller, CallerRefusal> {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, HeaderValue::from_str(value).unwrap());
            }
            let mut request = http::Request::new(());
            *request.headers_mut() = map;
            self.authenticator.authenticate(&Head::of(&request), Timestamp::now()).await
        }

        async fn refused(&self, headers: &[(&'static str, &str)]) -> u16 {
            self.ask(headers).await.unwrap_err().status()
        }
    }

    #[tokio::test]
    async fn a_token_tells_who_calls_and_in_which_organization() {
        let f = Fixture::new().await;
        let bearer = format!("bearer {}", f.token("acme", Role::Admin, &["research"]).await);
        let caller = f.ask(&[("authorization", &bearer)]).await.unwrap();
        assert_eq!(caller.org, f.store.ensure_org("acme").await.unwrap().id);
        assert_eq!(caller.role, Role::Admin);
        assert_eq!(caller.groups, ["research"]);
        assert_eq!(caller.email.as_deref(), Some("ann@example.com"));
        assert_eq!(f.ask(&[("authorization", &bearer)]).await.unwrap(), caller, "the id stays");
    }

    #[tokio::test]
    async fn a_users_groups_are_those_of_the_latest_token() {
        let f = Fixture::new().await;
        for groups in [&["a"][..], &["b", "c"], &[]] {
            let bearer = format!("Bearer {}", f.token("acme", Role::User, groups).await);
            let caller = f.ask(&[("authorization", &bearer)]).await.unwrap();
            let stored = f.store.read().await.unwrap().user(caller.org, caller.user).await.unwrap();
            assert_eq!(stored.unwrap().groups, groups);
        }
    }

    #[tokio::test]
    async fn a_gateway_key_is_refused_and_told_apart() {
        let f = Fixture::new().await;
        for header in [("authorization", "Bearer bd-0123"), ("x-api-key", "bd-0123")] {
            let refusal = f.ask(&[header]).await.unwrap_err();
            assert!(matches!(refusal, CallerRefusal::GatewayKey));
            assert_eq!(refusal.status(), 401);
            assert!(refusal.to_string().contains("JWT"));
        }
    }

    #[tokio::test]
    async fn no_token_or_an_odd_one_is_401() {
        let f = Fixture::new().await;
        let good = format!("Bearer {}", f.token("acme", Role::User, &[]).await);
        let basic = good.replacen("Bearer", "Basic", 1);
        assert_eq!(f.refused(&[]).await, 401);
        for odd in ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", &basic] {
            assert_eq!(f.refused(&[("authorization", odd)]).await, 401, "{odd}");
        }
        assert_eq!(f.refused(&[("authorization", &good), ("authorization", &good)]).await, 401);
    }

    #[tokio::test]
    async fn a_token_for_an_organization_that_does_not_exist_is_401() {
        let f = Fixture::new().await;
        let elsewhere = Fixture::new().await;
        let foreign = elsewhere.token("acme", Role::Admin, &[]).await;
        let claims = elsewhere.authenticator.issuer.verify(&foreign, Timestamp::now()).unwrap();
        let bearer = format!("Bearer {}", f.authenticator.issuer.sign(&claims).unwrap());
        assert_eq!(f.refused(&[("authorization", &bearer)]).await, 401);
    }

    #[tokio::test]
    async fn a_superadmin_names_an_organization_by_name_or_uuid() {
        let f = Fixture::new().await;
        let bearer = format!("Bearer {}", f.token("acme", Role::Superadmin, &["ops"]).await);
        let home = f.ask(&[("authorization", &bearer)]).await.unwrap();
        let other = f.store.ensure_org("other").await.unwrap().id;
        for name in ["other", &other.to_string()] {
            let visit = f.ask(&[("authorization", &bearer), (ORG_HEADER, name)]).await.unwrap();
            assert_eq!(visit.org, other);
            assert_eq!(visit.role, Role::Superadmin);
            assert_ne!(visit.user, home.user, "users belong to one organization");
            assert!(visit.groups.is_empty());
        }
        let gone = OrgId::random().to_string();
        for name in ["nowhere", &gone] {
            assert_eq!(f.refused(&[("authorization", &bearer), (ORG_HEADER, name)]).await, 404);
        }
        assert_eq!(f.store.orgs().await.unwrap().len(), 2, "a header creates nothing");
    }

    #[tokio::test]
    async fn a_superadmin_who_visits_an_organization_leaves_their_own_groups_there_alone() {
        let f = Fixture::new().await;
        let at_home = format!("Bearer {}", f.token("other", Role::Superadmin, &["research"]).await);
        let member = f.ask(&[("authorization", &at_home)]).await.unwrap();
        assert_eq!(member.groups, ["research"]);
        let guest = format!("Bearer {}", f.token("acme", Role::Superadmin, &["ops"]).await);
        for _ in 0..2 {
            let visit = f.ask(&[("authorization", &guest), (ORG_HEADER, "other")]).await.unwrap();
            assert_eq!(visit, member);
        }
    }

    #[tokio::test]
    async fn an_admin_cannot_name_another_organization() {
        let f = Fixture::new().await;
        f.store.ensure_org("other").await.unwrap();
        let bearer = format!("Bearer {}", f.token("acme", Role::Admin, &[]).await);
        assert_eq!(f.refused(&[("authorization", &bearer), (ORG_HEADER, "other")]).await, 403);
        assert_eq!(f.refused(&[("authorization", &bearer), (ORG_HEADER, "nowhere")]).await, 403);
        assert_eq!(f.refused(&[("authorization", &bearer), (ORG_HEADER, " ")]).await, 400);
        assert!(f.ask(&[("authorization", &bearer), (ORG_HEADER, "acme")]).await.is_ok());
    }
}
