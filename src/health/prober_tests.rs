//! Probes of a server that answers as told.

use std::sync::Mutex;

use axum::{Router, extract::State, response::IntoResponse, routing::any};
use http::{HeaderMap, Uri};

use super::*;
use crate::{
    net::{AddressPolicy, Resolver},
    secrets,
    store::{
        Inherits,
        testing::{org_with_user, provider, temp_store},
    },
};

#[derive(Clone, Default)]
struct Server {
    status: Arc<Mutex<u16>>,
    body: Arc<Mutex<String>>,
    seen: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

async fn answer(State(server): State<Server>, uri: Uri, headers: HeaderMap) -> impl IntoResponse {
    server.seen.lock().unwrap().push((uri.to_string(), headers));
    let status = StatusCode::from_u16(*server.status.lock().unwrap()).unwrap();
    (status, server.body.lock().unwrap().clone())
}

struct Fixture {
    _dir: tempfile::TempDir,
    store: Store,
    prober: Prober,
    row: ProviderRow,
    server: Server,
}

async fn fixture(vendor: &str) -> Fixture {
    let server = Server::default();
    *server.status.lock().unwrap() = 200;
    let app = Router::new().fallback(any(answer)).with_state(server.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });

    let (dir, store) = temp_store().await;
    let (org, _) = org_with_user(&store, "acme").await;
    let keyring = Arc::new(Keyring::new([1; 32]));
    let mut row = provider(org.id, "p");
    row.model_provider = vendor.to_owned();
    row.base_url = format!("http://{address}/prefix");
    row.sealed = Some(secrets::seal_api_key(&keyring, org.id, row.id.0, "sk-1").unwrap());
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&row, Inherits::default()).await.unwrap();
    tx.commit().await.unwrap();
    let second = Duration::from_secs(1);
    let fetcher =
        Fetcher::new(AddressPolicy::default(), Resolver::default(), second, None).unwrap();
    let prober = Prober::new(store.clone(), keyring, fetcher);
    Fixture { _dir: dir, store, prober, row, server }
}

impl Fixture {
    async fn probe(&self) -> bool {
        self.prober.probe(self.row.org_id, self.row.id).await.unwrap()
    }

    async fn stored(&self) -> ProviderRow {
        let mut tx = self.store.read().await.unwrap();
        tx.provider(self.row.org_id, self.row.id).await.unwrap().unwrap()
    }

    async fn revision(&self) -> i64 {
        self.store.revisions().await.unwrap()[0].1
    }
}

#[tokio::test]
async fn the_list_of_models_is_asked_for_as_the_vendor_wants_it() {
    for (vendor, path, header, value) in [
        ("openai", "/prefix/v1/models", "authorization", "Bearer sk-1"),
        ("anthropic", "/prefix/v1/models", "x-api-key", "sk-1"),
        ("deepseek", "/prefix/models", "authorization", "Bearer sk-1"),
        ("google_ai", "/prefix/v1beta/models", "x-goog-api-key", "sk-1"),
    ] {
        let f = fixture(vendor).await;
        assert!(f.probe().await, "{vendor}");
        let (asked, headers) = f.server.seen.lock().unwrap().remove(0);
        assert_eq!((asked.as_str(), headers[header].to_str().unwrap()), (path, value));
        if vendor == "anthropic" {
            assert_eq!(headers["anthropic-version"], "2023-06-01");
        }
        let row = f.stored().await;
        assert_eq!((row.health_status.as_str(), row.health_detail), ("healthy", None));
        assert!(row.health_checked_at.is_some());
    }
}

#[tokio::test]
async fn a_refused_key_is_told_and_replicas_learn_of_a_change_alone() {
    let f = fixture("openai").await;
    f.probe().await;
    let revision = f.revision().await;
    f.probe().await;
    assert_eq!(f.revision().await, revision, "the same verdict is no news");
    *f.server.status.lock().unwrap() = 401;
    f.probe().await;
    let row = f.stored().await;
    assert_eq!(row.health_status, "unhealthy");
    let detail = row.health_detail.unwrap();
    assert!(detail.contains("refused the credential (401)"), "{detail}");
    assert!(f.revision().await > revision);
}

#[tokio::test]
async fn a_key_that_google_refuses_with_400_is_a_refused_key() {
    let f = fixture("google_ai").await;
    *f.server.status.lock().unwrap() = 400;
    f.probe().await;
    assert_eq!(f.stored().await.health_status, "unverified");
    *f.server.body.lock().unwrap() =
        r#"{"error":{"code":400,"message":"m","details":[{"reason":"API_KEY_INVALID"}]}}"#
            .to_owned();
    f.probe().await;
    assert_eq!(f.stored().await.health_status, "unhealthy");
}

#[tokio::test]
async fn a_verdict_on_what_was_changed_meanwhile_is_dropped() {
    let f = fixture("openai").await;
    let mut seen = f.row.clone();
    seen.updated_at = Timestamp(seen.updated_at.0 - 1);
    let mut tx = f.store.write().await.unwrap();
    assert!(!tx.set_health(&seen, "unhealthy", None, Timestamp::now()).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(f.stored().await.health_status, "unverified");
}

#[tokio::test]
async fn vendors_that_are_not_probed_stay_unverified_and_are_not_asked() {
    for (vendor, auth_type) in [
        ("bedrock", "bedrock_api_key"),
        ("azure_openai", "api_key"),
        ("vertex", "google_adc"),
        ("anthropic", "claude_oauth"),
        ("perplexity", "api_key"),
    ] {
        let f = fixture(vendor).await;
        let mut row = f.row.clone();
        row.auth_type = auth_type.to_owned();
        let mut tx = f.store.write().await.unwrap();
        tx.update_provider(&row, Inherits::default()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!f.probe().await, "{vendor}");
        assert_eq!(f.stored().await.health_status, "unverified");
        assert!(f.server.seen.lock().unwrap().is_empty(), "{vendor}");
    }
}

#[tokio::test]
async fn the_sandbox_is_healthy_and_an_unknown_provider_is_nothing() {
    let f = fixture("sandbox").await;
    assert!(f.probe().await);
    assert_eq!(f.stored().await.health_status, "healthy");
    assert!(f.server.seen.lock().unwrap().is_empty(), "it lives in this process");
    assert!(!f.prober.probe(f.row.org_id, ProviderId::random()).await.unwrap());
    assert!(!f.prober.probe(OrgId::random(), f.row.id).await.unwrap(), "of another organization");
}

#[tokio::test]
async fn an_answer_of_any_length_is_judged_by_its_status() {
    let f = fixture("openai").await;
    *f.server.body.lock().unwrap() = "x".repeat(BOUNDS.bytes + 1);
    for (status, health) in [(401, "unhealthy"), (200, "healthy"), (500, "unverified")] {
        *f.server.status.lock().unwrap() = status;
        f.probe().await;
        assert_eq!(f.stored().await.health_status, health, "{status}");
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_unhealthy() {
    let f = fixture("custom").await;
    let mut row = f.row.clone();
    row.base_url = "http://127.0.0.1:1".to_owned();
    let mut tx = f.store.write().await.unwrap();
    tx.update_provider(&row, Inherits::default()).await.unwrap();
    tx.commit().await.unwrap();
    f.probe().await;
    let row = f.stored().await;
    assert_eq!(row.health_status, "unhealthy");
    assert!(row.health_detail.unwrap().contains("cannot be reached"));
}
