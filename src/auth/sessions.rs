//! Sessions of the console: a random cookie in place of a token, for people in browsers.
//!
//! The cookie's text is nowhere but with the browser; the store has its keyed hash, so that any replica
//! knows it and a stolen database gives none away. A browser sends cookies along whoever's page asks,
//! so that whatever may change something must also show a token that only the console's own pages can
//! read ([`CSRF_HEADER`]), and must not come from another site's page where the browser says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use moka::sync::Cache;
use zeroize::Zeroizing;

use super::{
    ORG_HEADER, api_key,
    code_flow::{ATTEMPT_LIVES, Attempt},
    cookie::{SESSION, SIGN_IN},
    head::{Head, Site},
    keys::Principal,
    links::SignInError,
};
use crate::{
    domain::{OrgId, Role, Timestamp, UserId},
    secrets::{Keyring, SealError, Secret},
    store::{NewSession, SessionRow, Store, StoreError},
};

/// Carries the session's token on requests that may change something.
pub const CSRF_HEADER: &str = "x-turnpike-csrf";
/// How long a session lives, however much it is used.
const LIVES: Duration = Duration::from_secs(24 * 60 * 60);
/// How long it lives without being used.
const IDLES: Duration = Duration::from_secs(8 * 60 * 60);
/// How stale the time of its last use may be: each write waits for the disk.
const USED_RESOLUTION: Duration = Duration::from_secs(60);
/// Random characters of a cookie: of 62, these are 256 bits.
const LENGTH: usize = 43;
/// How long the runtime believes what it knows of a session. Bounds the time until another replica's
/// sign-out is seen.
const BELIEVED: Duration = Duration::from_secs(1);
/// Sessions that the runtime knows at most.
const CAPACITY: u64 = 10_000;

const STORED: &str = "session";
const GENUINE: &str = "genuine";
const CSRF: &str = "csrf";
const ATTEMPT: &str = "console-sign-in";

/// Why a request with a session's cookie is refused though the session is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// Without the token, or with another.
    #[error(
        "a request with the session's cookie must carry the session's token in the header \
         x-turnpike-csrf; GET /api/llm-gateway/auth/session tells it"
    )]
    Token,
    /// From another site's page.
    #[error(
        "a request with the session's cookie must come from the console's own pages; if it did, and \
         a proxy changes the header Host, set server.public_url to the console's address"
    )]
    Page,
}

/// Sessions, in the store and with their cookies.
pub struct Sessions {
    store: Store,
    keyring: Arc<Keyring>,
    site: Site,
    recent: Cache<Known, Arc<Principal>>,
    /// What was learnt before it changed is not believed.
    changes: AtomicU64,
}

/// A session as the runtime asks for it: its hash, the organization that is named, and how much had
/// changed.
type Known = ([u8; 32], Option<HeaderValue>, u64);

impl Sessions {
    /// Those in the store, for a console at `site`.
    #[must_use]
    pub fn new(store: Store, keyring: Arc<Keyring>, site: Site) -> Self {
        let recent = Cache::builder().max_capacity(CAPACITY).time_to_live(BELIEVED).build();
        Self { store, keyring, site, recent, changes: AtomicU64::new(0) }
    }

    /// Where the console is.
    pub const fn site(&self) -> &Site {
        &self.site
    }

    pub(super) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The cookie of a request, if it is one of ours: whatever somebody made up is no cookie, and never
    /// asked for in the store.
    pub(super) fn cookie<'r>(&self, head: &Head<'r>) -> Option<&'r str> {
        let cookie = SESSION.read(head.headers, self.site.is_secure())?;
        let (random, tag) = cookie.split_once('.')?;
        Keyring::same_hash(tag.as_bytes(), self.tag(random).as_bytes()).then_some(cookie)
    }

    /// What stands behind the random part of a cookie.
    fn tag(&self, random: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.keyring.session_hash(GENUINE, random))
    }

    /// The session of a request's cookie. Notes that it is used.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn find(
        &self,
        head: &Head<'_>,
        now: Timestamp,
    ) -> Result<Option<SessionRow>, StoreError> {
        let Some(cookie) = self.cookie(head) else { return Ok(None) };
        let hash = self.hash(cookie);
        let found = self.store.session(&hash, now, now.before(IDLES)).await?;
        let Some(mut session) = found else { return Ok(None) };
        if session.used_at < now.before(USED_RESOLUTION) {
            self.store.session_used(&hash, now).await?;
            session.used_at = now;
        }
        Ok(Some(session))
    }

    /// Refuses what another site's page may have had a browser send. Reading changes nothing, and other
    /// sites' pages cannot see the answer.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check_forgery(&self, head: &Head<'_>) -> Result<(), Forged> {
        if head.method.is_safe() {
            return Ok(());
        }
        if !self.site.is_own_page(head) {
            return Err(Forged::Page);
        }
        let given = head.headers.get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        let wanted = self.csrf_token(head).unwrap_or_default();
        if wanted.is_empty() || !Keyring::same_hash(given, wanted.as_bytes()) {
            return Err(Forged::Token);
        }
        Ok(())
    }

    /// The token that stands beside the cookie of this request: derived from it, stored nowhere.
    #[must_use]
    pub fn csrf_token(&self, head: &Head<'_>) -> Option<String> {
        let derived = self.keyring.session_hash(CSRF, self.cookie(head)?);
        Some(URL_SAFE_NO_PAD.encode(derived))
    }

    /// When a session ends if it is not used any more.
    #[must_use]
    pub fn end(session: &SessionRow) -> Timestamp {
        session.used_at.after(IDLES).min(session.ends_at)
    }

    /// Signs someone in; answers the header that gives the browser its cookie.
    ///
    /// # Errors
    /// When the store cannot be written, or there are no random numbers.
    pub async fn begin(
        &self,
        org: OrgId,
        user: UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<Option<HeaderValue>, SignInError> {
        let random = random()?;
        let tag = self.tag(random.expose());
        let cookie = Secret::new(format!("{}.{tag}", random.expose()));
        let hash = self.hash(cookie.expose());
        let new = NewSession { hash, org, user, role, at: now, ends_at: now.after(LIVES) };
        self.store.insert_session(&new).await?;
        Ok(SESSION.set(cookie.expose(), self.site.is_secure(), LIVES))
    }

    /// Ends the session of a request, if it has one; answers the header that takes its cookie away.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn finish(&self, head: &Head<'_>) -> Result<Option<HeaderValue>, StoreError> {
        if let Some(cookie) = self.cookie(head) {
            self.store.end_session(&self.hash(cookie)).await?;
            self.forget();
        }
        Ok(SESSION.clear(self.site.is_secure()))
    }

    /// Makes what the runtime knows of sessions void at once, as after a change of someone's groups.
    pub fn forget(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// What the runtime knows of a request's session, and where to keep what it learns.
    pub(super) fn known(&self, head: &Head<'_>) -> (Option<Known>, Option<Arc<Principal>>) {
        let changes = self.changes.load(Ordering::Acquire);
        // Of several organizations the look-up says that they are too many, and nothing is kept.
        let mut named = head.headers.get_all(ORG_HEADER).iter();
        let (org, None) = (named.next(), named.next()) else { return (None, None) };
        let known = self.cookie(head).map(|cookie| (self.hash(cookie), org.cloned(), changes));
        let principal = known.as_ref().and_then(|known| self.recent.get(known));
        (known, principal)
    }

    /// Keeps what was learnt for a while.
    pub(super) fn learn(&self, known: Known, principal: &Arc<Principal>) {
        self.recent.insert(known, Arc::clone(principal));
    }

    /// Keeps a sign-in that is under way with the browser, sealed.
    pub(super) fn keep_attempt(
        &self,
        attempt: &Attempt,
    ) -> Result<Option<HeaderValue>, SignInError> {
        let plain = serde_json::to_vec(attempt).map_err(|_| SealError::Malformed)?;
        let sealed = URL_SAFE_NO_PAD.encode(self.keyring.seal_named(ATTEMPT, &plain)?);
        Ok(SIGN_IN.set(&sealed, self.site.is_secure(), ATTEMPT_LIVES))
    }

    /// What was kept.
    pub(super) fn kept_attempt(&self, head: &Head<'_>) -> Option<Attempt> {
        let text = SIGN_IN.read(head.headers, self.site.is_secure())?;
        let plain = self.keyring.open_named(ATTEMPT, &URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// The header that takes away what was kept.
    pub fn drop_attempt(&self) -> Option<HeaderValue> {
        SIGN_IN.clear(self.site.is_secure())
    }

    fn hash(&self, cookie: &str) -> [u8; 32] {
        self.keyring.session_hash(STORED, cookie)
    }
}

/// Removes from the store what is over: sessions, and links that nobody used. Answers how many.
///
/// # Errors
/// When the store cannot be written.
pub async fn expire_sessions(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let sessions = store.expire_sessions(now, now.before(IDLES)).await?;
    Ok(sessions + store.expire_links(now).await?)
}

/// A text that nobody can guess.
pub(super) fn random() -> Result<Secret, SignInError> {
    let mut text = Zeroizing::new(String::with_capacity(LENGTH));
    api_key::push_random(&mut text, LENGTH)?;
    Ok(Secret::new(text.to_string()))
}

#[cfg(test)]
mod tests {
    use http::{Method, Request, header};

    use super::*;
    use crate::store::testing::{on_both, org_with_user, postgres_store, temp_store};

    fn sessions(store: &Store) -> Sessions {
        Sessions::new(store.clone(), Arc::new(Keyring::new([3; 32])), Site::default())
    }

    /// A request with a cookie, as the browser would send it after that answer.
    fn request(method: Method, set: &HeaderValue, headers: &[(&str, &str)]) -> Request<()> {
        let pair = set.to_str().unwrap().split(';').next().unwrap();
        let mut request = Request::builder().method(method).uri("/x").header(header::COOKIE, pair);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    async fn signed_in(sessions: &Sessions, now: Timestamp) -> HeaderValue {
        let (org, user) = org_with_user(&sessions.store, "acme").await;
        sessions.begin(org.id, user.id, Role::Admin, now).await.unwrap().unwrap()
    }

    async fn lives(sessions: &Sessions, set: &HeaderValue, at: Timestamp) -> bool {
        let request = request(Method::GET, set, &[]);
        sessions.find(&Head::of(&request), at).await.unwrap().is_some()
    }

    on_both! {
        a_session_ends_when_it_is_not_used_and_in_any_case_after_a_day,
        a_session_ends_with_its_sign_out_and_is_forgotten,
        what_is_over_is_removed,
    }

    async fn a_session_ends_when_it_is_not_used_and_in_any_case_after_a_day(store: Store) {
        let sessions = sessions(&store);
        let begin = Timestamp(1_000_000_000_000);
        let set = signed_in(&sessions, begin).await;
        let hours = |hours: u64| begin.after(Duration::from_secs(hours * 3600));
        for hour in [0, 7, 14, 21, 23] {
            assert!(lives(&sessions, &set, hours(hour)).await, "after {hour} hours");
        }
        assert!(!lives(&sessions, &set, hours(24)).await, "a day is the most");
        let set = signed_in(&sessions, begin).await;
        assert!(!lives(&sessions, &set, hours(8)).await, "unused");
    }

    async fn a_session_ends_with_its_sign_out_and_is_forgotten(store: Store) {
        let sessions = sessions(&store);
        let now = Timestamp::now();
        let (set, other) = (signed_in(&sessions, now).await, signed_in(&sessions, now).await);
        let leaving = request(Method::POST, &set, &[]);
        let cleared = sessions.finish(&Head::of(&leaving)).await.unwrap().unwrap();
        assert!(cleared.to_str().unwrap().starts_with("turnpike_session=;"));
        assert!(!lives(&sessions, &set, now).await);
        assert!(lives(&sessions, &other, now).await);
    }

    async fn what_is_over_is_removed(store: Store) {
        let sessions = sessions(&store);
        let begin = Timestamp::now();
        signed_in(&sessions, begin).await;
        let nine_hours = begin.after(Duration::from_secs(9 * 3600));
        let fresh = signed_in(&sessions, nine_hours).await;
        assert_eq!(expire_sessions(&store, nine_hours).await.unwrap(), 1);
        assert!(lives(&sessions, &fresh, nine_hours).await);
    }

    #[tokio::test]
    async fn a_cookie_that_somebody_made_up_is_none() {
        let (_dir, store) = temp_store().await;
        let sessions = sessions(&store);
        let own = signed_in(&sessions, Timestamp::now()).await;
        let pair = own.to_str().unwrap().split(';').next().unwrap();
        let is_cookie = |pair: &str| {
            let set = HeaderValue::from_str(pair).unwrap();
            let asked = request(Method::GET, &set, &[]);
            sessions.cookie(&Head::of(&asked)).is_some()
        };
        assert!(is_cookie(pair));
        let (random, tag) = pair.split_once('.').unwrap();
        for made_up in
            [random, &format!("{random}x.{tag}"), &format!("{random}."), "turnpike_session=."]
        {
            assert!(!is_cookie(made_up), "{made_up}");
        }
    }

    #[tokio::test]
    async fn only_the_sessions_own_token_lets_a_change_through() {
        let (_dir, store) = temp_store().await;
        let sessions = sessions(&store);
        let now = Timestamp::now();
        let (set, other) = (signed_in(&sessions, now).await, signed_in(&sessions, now).await);
        let token_of = |set: &HeaderValue| {
            sessions.csrf_token(&Head::of(&request(Method::GET, set, &[]))).unwrap()
        };
        let (own, others) = (token_of(&set), token_of(&other));
        let ask = |method: Method, headers: &[(&str, &str)]| {
            sessions.check_forgery(&Head::of(&request(method, &set, headers)))
        };
        assert_eq!(ask(Method::GET, &[]), Ok(()));
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert_eq!(ask(method.clone(), &[]), Err(Forged::Token));
            assert_eq!(ask(method.clone(), &[(CSRF_HEADER, "")]), Err(Forged::Token));
            assert_eq!(ask(method.clone(), &[(CSRF_HEADER, &others)]), Err(Forged::Token));
            assert_eq!(ask(method.clone(), &[(CSRF_HEADER, &own)]), Ok(()));
            let foreign = [(CSRF_HEADER, own.as_str()), ("sec-fetch-site", "cross-site")];
            assert_eq!(ask(method, &foreign), Err(Forged::Page));
        }
    }
}
