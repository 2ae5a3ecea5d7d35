//! Against a receiver of this process, on both engines.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::{
    domain::{Alert, AlertEvent, DeliveryOutcome, OrgId, Timestamp, WebhookId},
    net::{AddressPolicy, Fetcher, Resolver},
    secrets::Keyring,
    store::{
        Store, WebhookRow,
        testing::{org_with_user, postgres_store, temp_store},
    },
};

const SHORT: &[Duration] = &[Duration::from_millis(1), Duration::from_millis(2)];

/// One request that came, and how it is answered.
#[derive(Clone, Debug)]
struct Post {
    id: String,
    seconds: String,
    signature: String,
    body: String,
}

#[derive(Clone, Default)]
struct Receiver {
    posts: Arc<Mutex<Vec<Post>>>,
    /// Statuses to come, the next last; 204 when there are no more.
    statuses: Arc<Mutex<Vec<u16>>>,
    /// How many bytes follow a status.
    says: usize,
}

type Answer = (StatusCode, String);

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> Answer {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    let (id, seconds) = (header("webhook-id"), header("webhook-timestamp"));
    let signature = header("webhook-signature");
    receiver.posts.lock().unwrap().push(Post { id, seconds, signature, body });
    let status = receiver.statuses.lock().unwrap().pop().unwrap_or(204);
    (StatusCode::from_u16(status).unwrap(), "x".repeat(receiver.says))
}

impl Receiver {
    async fn start(statuses: &[u16]) -> (Self, String) {
        Self::saying(0, statuses).await
    }

    async fn saying(says: usize, statuses: &[u16]) -> (Self, String) {
        let receiver = Self { says, ..Self::default() };
        *receiver.statuses.lock().unwrap() = statuses.iter().rev().copied().collect();
        let app = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (receiver, url)
    }

    fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }
}

struct Scene {
    store: Store,
    keyring: Arc<Keyring>,
    org: OrgId,
    secret: WebhookSecret,
}

impl Scene {
    async fn new(store: Store, url: &str, events: &[AlertEvent]) -> Self {
        let (org, _) = org_with_user(&store, "acme").await;
        let keyring = Arc::new(Keyring::new([5; 32]));
        let (id, secret) = (WebhookId::random(), WebhookSecret::random().unwrap());
        let row = WebhookRow {
            id,
            org_id: org.id,
            name: "hook".to_owned(),
            url: url.to_owned(),
            events: events.to_vec(),
            enabled: true,
            sealed: secret.seal(&keyring, org.id, id).unwrap(),
            created_at: Timestamp(1),
            updated_at: Timestamp(1),
        };
        let mut tx = store.write().await.unwrap();
        tx.insert_webhook(&row).await.unwrap();
        tx.commit().await.unwrap();
        Self { store, keyring, org: org.id, secret }
    }

    async fn raise(&self, event: AlertEvent, key: &str) -> u64 {
        let alert =
            Alert { org: self.org, event, key: key.to_owned(), data: json!({"provider": "p"}) };
        let mut tx = self.store.write().await.unwrap();
        let queued = raise(&mut tx, &alert, Timestamp(1_700_000_000_000_000)).await.unwrap();
        tx.commit().await.unwrap();
        queued
    }

    fn courier(&self, deny: &[&str]) -> Courier {
        let deny = deny.iter().map(|range| range.parse().unwrap()).collect();
        let policy = AddressPolicy { deny, allow: Vec::new() };
        let second = Duration::from_secs(1);
        let fetcher = Fetcher::new(policy, Resolver::default(), second, None).unwrap();
        Courier::new(self.store.clone(), Arc::clone(&self.keyring), fetcher, SHORT)
    }

    /// Rounds until nothing is under way any more.
    async fn deliver_all(&self, courier: &Courier, attempts: usize) {
        let mut made = 0;
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while made < attempts {
            made += courier.round().await.unwrap();
            assert!(std::time::Instant::now() < deadline, "{made} of {attempts} attempts");
            tokio::task::yield_now().await;
        }
        let far = Timestamp::now().after(Duration::from_secs(3600));
        let left = self.store.claim_deliveries(far, far, 9).await.unwrap();
        assert_eq!(left, [], "nothing is left to be sent");
    }
}

macro_rules! on_both {
    ($($name:ident,)+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let (_dir, store) = super::temp_store().await;
                super::$name(store).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::postgres_store().await).await;
            })+
        }
    };
}

on_both! {
    a_message_arrives_signed_and_is_sent_again_until_it_is_taken,
    an_alert_is_told_once_and_only_to_those_who_asked,
    two_couriers_share_the_work,
    a_message_that_nobody_takes_is_given_up,
    a_message_whose_taker_never_came_back_is_taken_by_another,
}

async fn a_message_arrives_signed_and_is_sent_again_until_it_is_taken(store: Store) {
    let (receiver, url) = Receiver::start(&[500, 302]).await;
    let scene = Scene::new(store, &url, AlertEvent::ALL).await;
    assert_eq!(scene.raise(AlertEvent::UpstreamKeyRejected, "one").await, 1);
    scene.deliver_all(&scene.courier(&[]), 3).await;

    let posts = receiver.posts();
    assert_eq!(posts.len(), 3, "an error, a redirect that is not followed, and a success");
    for post in &posts {
        let seconds = post.seconds.parse().unwrap();
        assert_eq!(post.signature, scene.secret.signature(&post.id, seconds, &post.body));
        assert!(Timestamp::now().unix_seconds().abs_diff(seconds) < 60, "the time of sending");
        assert_eq!(post.id, posts[0].id, "the same message every time");
    }
    let body: Value = serde_json::from_str(&posts[0].body).unwrap();
    let expected = json!({
        "type": "upstream_key_rejected", "timestamp": "2023-11-14T22:13:20Z",
        "data": {"provider": "p"},
    });
    assert_eq!(body, expected);
}

async fn an_alert_is_told_once_and_only_to_those_who_asked(store: Store) {
    let (receiver, url) = Receiver::start(&[]).await;
    let scene = Scene::new(store, &url, &[AlertEvent::BudgetExhausted]).await;
    assert_eq!(scene.raise(AlertEvent::RouteEjected, "other").await, 0);
    assert_eq!(scene.raise(AlertEvent::BudgetExhausted, "b:2026-11").await, 1);
    assert_eq!(scene.raise(AlertEvent::BudgetExhausted, "b:2026-11").await, 0, "told already");
    let courier = scene.courier(&[]);
    scene.deliver_all(&courier, 1).await;
    assert_eq!(scene.raise(AlertEvent::BudgetExhausted, "b:2026-11").await, 0, "and for good");
    assert_eq!(scene.raise(AlertEvent::BudgetExhausted, "b:2026-12").await, 1);
    scene.deliver_all(&courier, 1).await;
    assert_eq!(receiver.posts().len(), 2);
}

async fn two_couriers_share_the_work(store: Store) {
    let (receiver, url) = Receiver::start(&[]).await;
    let scene = Scene::new(store, &url, AlertEvent::ALL).await;
    for number in 0..40 {
        scene.raise(AlertEvent::RouteEjected, &number.to_string()).await;
    }
    let (one, two) = (scene.courier(&[]), scene.courier(&[]));
    let (first, second) = tokio::join!(one.round(), two.round());
    assert_eq!(first.unwrap() + second.unwrap(), 40, "each message is taken by one");
    let mut ids: Vec<String> = receiver.posts().into_iter().map(|post| post.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

async fn a_message_that_nobody_takes_is_given_up(store: Store) {
    let (receiver, url) = Receiver::start(&[503, 503, 410]).await;
    let scene = Scene::new(store, &url, AlertEvent::ALL).await;
    scene.raise(AlertEvent::BudgetThreshold, "one").await;
    // The first attempt and one after each pause.
    let told: Arc<Mutex<Vec<DeliveryOutcome>>> = Arc::default();
    let hears = Arc::clone(&told);
    let courier = scene.courier(&[]).telling(move |outcome| hears.lock().unwrap().push(outcome));
    scene.deliver_all(&courier, 3).await;
    assert_eq!(receiver.posts().len(), 3);
    let failed = DeliveryOutcome::Failed;
    assert_eq!(*told.lock().unwrap(), [failed, failed, DeliveryOutcome::GivenUp]);
}

async fn a_message_whose_taker_never_came_back_is_taken_by_another(store: Store) {
    let (receiver, url) = Receiver::start(&[]).await;
    let scene = Scene::new(store, &url, AlertEvent::ALL).await;
    scene.raise(AlertEvent::BudgetThreshold, "one").await;
    let now = Timestamp::now();
    let lease = now.after(Duration::from_millis(30));
    let taken = scene.store.claim_deliveries(now, lease, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(scene.store.claim_deliveries(now, lease, 9).await.unwrap(), []);
    scene.deliver_all(&scene.courier(&[]), 1).await;
    assert_eq!(receiver.posts().len(), 1);
}

#[tokio::test]
async fn a_receiver_that_says_much_is_told_once() {
    let (_dir, store) = temp_store().await;
    let (receiver, url) = Receiver::saying(200_000, &[500, 200]).await;
    let scene = Scene::new(store, &url, AlertEvent::ALL).await;
    scene.raise(AlertEvent::BudgetThreshold, "one").await;
    scene.deliver_all(&scene.courier(&[]), 2).await;
    assert_eq!(receiver.posts().len(), 2, "its status counts, be it good or bad");
}

#[tokio::test]
async fn an_address_that_is_denied_is_not_reached() {
    let (_dir, store) = temp_store().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let scene = Scene::new(store, &url, AlertEvent::ALL).await;
    scene.raise(AlertEvent::RouteEjected, "one").await;
    scene.deliver_all(&scene.courier(&["127.0.0.0/8"]), 3).await;
    assert_eq!(receiver.posts().len(), 0);
}

#[tokio::test]
async fn a_courier_delivers_by_itself_until_it_is_told_to_stop() {
    let (_dir, store) = temp_store().await;
    let (receiver, url) = Receiver::start(&[]).await;
    let scene = Scene::new(store, &url, AlertEvent::ALL).await;
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(scene.courier(&[]).run(stopped));
    scene.raise(AlertEvent::RouteEjected, "one").await;
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while receiver.posts().is_empty() {
        assert!(std::time::Instant::now() < deadline, "nothing was delivered");
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(10), running).await.unwrap().unwrap();
}
