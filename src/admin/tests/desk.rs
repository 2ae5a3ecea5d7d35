//! A gateway's admin API on a temporary store, and someone who calls it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, header},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::{
    admin::{
        AdminState, Counted, Determiner, Enforcement, Outside, RateCounter, Refresh, RefreshError,
        router,
    },
    auth::{
        ApiKeys, Authenticator, IdentityProviders, Issuer, Principal, Sessions, Site, TokenDesk,
        token,
    },
    cloud::{Aws, Google},
    domain::{OrgId, ProviderId, RateLimitId, RequestId, Role, Timestamp},
    health::Probe,
    net::{AddressPolicy, Fetcher, Resolver, TrustedHosts},
    route::{RouteHealth, health::Tuning},
    secrets::Keyring,
    snapshot::SmartModel,
    store::{Store, StoreError, testing::temp_store},
};

/// Notes which organizations were put into force.
#[derive(Default)]
pub(super) struct Refreshed(pub(super) Mutex<Vec<OrgId>>);

#[async_trait::async_trait]
impl Refresh for Refreshed {
    async fn org(&self, org: OrgId) -> Result<(), RefreshError> {
        self.0.lock().unwrap().push(org);
        Ok(())
    }
}

/// Finds what it is told to find, where it is told anything.
#[derive(Default)]
pub(super) struct Probes {
    pub(super) store: Mutex<Option<Store>>,
    pub(super) finds: Mutex<Option<(&'static str, Duration)>>,
    pub(super) asked: Mutex<Vec<ProviderId>>,
}

#[async_trait::async_trait]
impl Probe for Probes {
    async fn probe(&self, org: OrgId, provider: ProviderId) -> Result<bool, StoreError> {
        self.asked.lock().unwrap().push(provider);
        let (finds, store) = (*self.finds.lock().unwrap(), self.store.lock().unwrap().clone());
        let (Some((status, after)), Some(store)) = (finds, store) else { return Ok(false) };
        tokio::time::sleep(after).await;
        let mut tx = store.write().await?;
        let row = tx.provider(org, provider).await?.expect("the provider");
        tx.set_health(&row, status, Some("as told"), Timestamp::now()).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Names no slot.
struct Nobody;

#[async_trait::async_trait]
impl Determiner for Nobody {
    async fn slot(
        &self,
        _: Arc<Principal>,
        _: &SmartModel,
        _: &str,
        _: &RequestId,
    ) -> Option<usize> {
        None
    }
}

#[async_trait::async_trait]
impl Enforcement for Nobody {
    async fn counted(&self, _: OrgId, _: &[RateCounter]) -> Option<Vec<Counted>> {
        None
    }

    fn held(&self, _: OrgId, _: &[RateLimitId]) -> Vec<(RateLimitId, Arc<str>)> {
        Vec::new()
    }
}

/// An outside that answers nothing, except probes.
pub(super) fn outside(health: &Arc<Probes>) -> Outside {
    let everything = ["0.0.0.0/0", "::/0"].map(|range| range.parse().unwrap()).to_vec();
    let policy = AddressPolicy { deny: everything, allow: Vec::new() };
    let names = Resolver::default();
    let nobody = Fetcher::new(policy, names, Duration::from_secs(1), None).unwrap();
    let iam = "http://127.0.0.1:1".to_owned();
    let principal = Some("arn:aws:iam::123456789012:role/gateway".to_owned());
    Outside {
        aws: Aws::new(nobody.clone(), nobody.clone(), principal),
        google: Google::new(nobody.clone(), nobody, iam),
        trusted: TrustedHosts::new(vec!["trusted.example".to_owned()]),
        health: Arc::<Probes>::clone(health),
        routes: Arc::new(RouteHealth::new(Tuning::default(), |_| {})),
        sharing: None,
        determiner: Arc::new(Nobody),
        enforcement: Arc::new(Nobody),
    }
}

pub(super) struct Desk {
    pub(super) probes: Arc<Probes>,
    pub(super) store: Store,
    pub(super) keyring: Arc<Keyring>,
    pub(super) api_keys: Arc<ApiKeys>,
    pub(super) refreshed: Arc<Refreshed>,
    pub(super) state: AdminState,
    pub(super) router: Router,
    /// Removes the files when dropped.
    pub(super) _dir: TempDir,
}

/// An answer.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    #[track_caller]
    pub(super) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// Status, and the flat shape with the class that belongs to it; answers the message.
    #[track_caller]
    pub(super) fn refused(self, status: u16, class: &str) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        let fields = self.body.as_object().expect("the flat shape");
        assert_eq!(fields.len(), 2, "{}", self.body);
        assert_eq!(fields["error"], class);
        fields["message"].as_str().expect("a message").to_owned()
    }
}

impl Desk {
    pub(super) async fn open() -> Self {
        let (dir, store) = temp_store().await;
        let keyring = Arc::new(Keyring::new([7; 32]));
        let api_keys = Arc::new(ApiKeys::new(store.clone(), Arc::clone(&keyring)));
        let issuer = Arc::new(Issuer::load_or_create(&store, &keyring).await.unwrap());
        let refreshed = Arc::new(Refreshed::default());
        let probes = Arc::new(Probes::default());
        *probes.store.lock().unwrap() = Some(store.clone());
        let desk = TokenDesk::new(store.clone(), Arc::clone(&keyring), Arc::clone(&issuer));
        let authenticator = Authenticator::new(
            store.clone(),
            issuer,
            IdentityProviders::default(),
            Arc::clone(&api_keys),
            Sessions::new(store.clone(), Arc::clone(&keyring), Site::default()),
        );
        let state = AdminState::new(
            store.clone(),
            Arc::clone(&keyring),
            Arc::clone(&api_keys),
            Arc::new(authenticator),
            Arc::new(desk),
            Arc::<Refreshed>::clone(&refreshed),
            outside(&probes),
        );
        let router = router(state.clone());
        Self { probes, store, keyring, api_keys, refreshed, state, router, _dir: dir }
    }

    pub(super) async fn token(&self, org: &str, user: &str, role: Role) -> String {
        let groups = ["research".to_owned()];
        let ttl = Duration::from_secs(600);
        token(&self.store, &self.keyring, org, user, role, &groups, ttl).await.unwrap()
    }

    /// An admin of an organization; both are made where they are new.
    pub(super) async fn admin(&self, org: &str) -> Client<'_> {
        Client { desk: self, token: self.token(org, "ada@example.org", Role::Admin).await }
    }

    pub(super) async fn user(&self, org: &str, name: &str) -> Client<'_> {
        Client { desk: self, token: self.token(org, name, Role::User).await }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&bytes)));
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// Someone with a token.
pub(super) struct Client<'a> {
    pub(super) desk: &'a Desk,
    pub(super) token: String,
}

impl Client<'_> {
    pub(super) fn request(&self, method: &str, path: &str, body: Body) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(format!("/api/llm-gateway{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            // The same on every answer, so that answers can be compared.
            .header("x-request-id", "desk")
            .body(body)
            .unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.desk.send(self.request("GET", path, Body::empty())).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.desk.send(self.request("DELETE", path, Body::empty())).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.desk.send(self.request("POST", path, Body::from(body.to_string()))).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Answer {
        self.desk.send(self.request("PUT", path, Body::from(body.to_string()))).await
    }

    /// Sends text that need not be JSON.
    pub(super) async fn post_text(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.desk.send(self.request("POST", path, body.into())).await
    }

    /// A provider with an inline key; answers its id.
    pub(super) async fn provider(&self, name: &str, models: &[&str]) -> String {
        let body = json!({
            "name": name, "model_provider": "openai", "api_key": "sk-1", "models": models,
        });
        id(&self.post("/admin/providers", body).await.ok())
    }

    /// A mapping; answers its id.
    pub(super) async fn mapping(&self, provider: &str, alias: &str, upstream: &str) -> String {
        let body =
            json!({"provider_id": provider, "model_alias": alias, "upstream_model": upstream});
        id(&self.post("/admin/model-mappings", body).await.ok())
    }
}

#[track_caller]
pub(super) fn id(body: &Value) -> String {
    body["id"].as_str().expect("an id").to_owned()
}

/// The object of that id in a list.
#[track_caller]
pub(super) fn find<'a>(list: &'a Value, id: &str) -> &'a Value {
    let mut rows = list.as_array().expect("a bare array").iter();
    rows.find(|row| row["id"] == id).expect("the row is listed")
}
