//! With a clock that the tests move.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::time::{advance, sleep};

use super::*;

/// An issuer that publishes what it is told to.
#[derive(Default)]
struct Issuer {
    published: Mutex<Option<Vec<Value>>>,
    fetches: AtomicUsize,
    delay: Mutex<Duration>,
}

#[async_trait]
impl Publishes for Issuer {
    async fn fetch(&self) -> Result<KeySet, KeysError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let delay = *self.delay.lock().unwrap();
        sleep(delay).await;
        let published = self.published.lock().unwrap();
        let keys = published.as_ref().ok_or(KeysError::Status(KEYS, 503))?;
        Ok(KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap())
    }
}

impl Issuer {
    fn publish(&self, keys: &[&Pair]) {
        let keys = keys.iter().map(|pair| pair.jwk.clone()).collect();
        *self.published.lock().unwrap() = Some(keys);
    }

    fn go_away(&self) {
        *self.published.lock().unwrap() = None;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

struct Pair {
    jwk: Value,
    token: String,
}

fn pair(kid: &str) -> Pair {
    let pair = Ed25519KeyPair::generate().unwrap();
    let header = json!({"alg": "EdDSA", "kid": kid}).to_string();
    let signed = format!("{}.e30", URL_SAFE_NO_PAD.encode(header));
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x});
    Pair { jwk, token: format!("{signed}.{signature}") }
}

fn source(issuer: &Arc<Issuer>) -> IssuerKeys {
    IssuerKeys::new("https://id.example", Arc::clone(issuer) as Arc<dyn Publishes>)
}

async fn check(source: &IssuerKeys, token: &str) -> Result<(), TokenRefusal> {
    source.verify(&Jwt::parse(token).ok().unwrap()).await
}

/// Lets what runs beside get to its end.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_requests_at_once_fetch_once() {
    let (issuer, a) = (Arc::new(Issuer::default()), pair("a"));
    issuer.publish(&[&a]);
    *issuer.delay.lock().unwrap() = Duration::from_secs(1);
    let source = source(&issuer);
    let all = futures_util::future::join_all((0..50).map(|_| check(&source, &a.token))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_accepted_at_once_and_a_withdrawn_one_no_longer() {
    let (issuer, a, b) = (Arc::new(Issuer::default()), pair("a"), pair("b"));
    let source = source(&issuer);
    issuer.publish(&[&a]);
    check(&source, &a.token).await.unwrap();
    issuer.publish(&[&b]);
    assert_eq!(check(&source, &b.token).await, Ok(()));
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(check(&source, &a.token).await, Err(TokenRefusal::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_keys_causes_one_fetch_in_thirty_seconds() {
    let (issuer, a) = (Arc::new(Issuer::default()), pair("a"));
    issuer.publish(&[&a]);
    let source = source(&issuer);
    let flood = async || {
        for n in 0..200 {
            let stranger = pair(&format!("unknown-{n}"));
            assert_eq!(check(&source, &stranger.token).await, Err(TokenRefusal::UnknownKey));
        }
    };
    flood().await;
    assert_eq!(issuer.fetches(), 1, "the first set was fetched for a token of the flood");
    check(&source, &a.token).await.unwrap();
    advance(DAMPING).await;
    flood().await;
    assert_eq!(issuer.fetches(), 2);
    check(&source, &a.token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flood_while_the_issuer_is_away_asks_no_more_often() {
    let (issuer, a) = (Arc::new(Issuer::default()), pair("a"));
    issuer.publish(&[&a]);
    let source = source(&issuer);
    check(&source, &a.token).await.unwrap();
    issuer.go_away();
    for n in 0..100 {
        let stranger = pair(&format!("unknown-{n}"));
        assert_eq!(check(&source, &stranger.token).await, Err(TokenRefusal::UnknownKey));
    }
    assert_eq!(issuer.fetches(), 2);
    check(&source, &a.token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn old_keys_are_renewed_while_they_serve() {
    let (issuer, a, b) = (Arc::new(Issuer::default()), pair("a"), pair("b"));
    issuer.publish(&[&a]);
    let source = source(&issuer);
    check(&source, &a.token).await.unwrap();
    issuer.publish(&[&b]);
    advance(FRESH).await;
    assert_eq!(check(&source, &a.token).await, Ok(()), "nobody waits");
    settle().await;
    assert_eq!(issuer.fetches(), 2);
    assert_eq!(check(&source, &b.token).await, Ok(()));
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn known_keys_serve_through_an_outage_of_a_day_and_no_longer() {
    let (issuer, a) = (Arc::new(Issuer::default()), pair("a"));
    issuer.publish(&[&a]);
    let source = source(&issuer);
    check(&source, &a.token).await.unwrap();
    issuer.go_away();
    let hour = Duration::from_secs(3600);
    for _ in 0..23 {
        advance(hour).await;
        assert_eq!(check(&source, &a.token).await, Ok(()));
        settle().await;
    }
    advance(hour).await;
    assert_eq!(check(&source, &a.token).await, Err(TokenRefusal::Unavailable));
    assert!(issuer.fetches() <= 25, "{}", issuer.fetches());
    issuer.publish(&[&a]);
    advance(FAILED).await;
    assert_eq!(check(&source, &a.token).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_known_a_failure_counts_for_a_moment() {
    let (issuer, a) = (Arc::new(Issuer::default()), pair("a"));
    let source = source(&issuer);
    for _ in 0..50 {
        assert_eq!(check(&source, &a.token).await, Err(TokenRefusal::Unavailable));
    }
    assert_eq!(issuer.fetches(), 1);
    issuer.publish(&[&a]);
    advance(FAILED).await;
    assert_eq!(check(&source, &a.token).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_does_not_stop_the_fetch() {
    let (issuer, a) = (Arc::new(Issuer::default()), pair("a"));
    issuer.publish(&[&a]);
    *issuer.delay.lock().unwrap() = Duration::from_secs(4);
    let source = source(&issuer);
    let impatient = tokio::time::timeout(Duration::from_secs(1), check(&source, &a.token)).await;
    assert!(impatient.is_err());
    assert_eq!(check(&source, &a.token).await, Ok(()));
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_withdraws_every_key_is_believed() {
    let (issuer, a) = (Arc::new(Issuer::default()), pair("a"));
    issuer.publish(&[&a]);
    let source = source(&issuer);
    check(&source, &a.token).await.unwrap();
    issuer.publish(&[]);
    advance(FRESH).await;
    check(&source, &a.token).await.unwrap();
    settle().await;
    assert_eq!(check(&source, &a.token).await, Err(TokenRefusal::UnknownKey));
    issuer.publish(&[&a]);
    advance(DAMPING).await;
    assert_eq!(check(&source, &a.token).await, Ok(()));
}
