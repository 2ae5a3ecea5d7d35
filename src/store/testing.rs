//! What tests of the store and of what stands on it share.

#[path = "../../tests/it/support/postgres_server.rs"]
#[allow(dead_code, reason = "shared with the black-box tests, which use more of it")]
mod postgres_server;

/// Runs each of the named tests on both engines.
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

pub(crate) use on_both;
use postgres_server::PostgresServer;
use tempfile::TempDir;

use super::{
    OrgRow, ProviderRow, RouteRow, SeenUser, Store, Tx, UserRow, pool::Pool, statement::sql,
};
use crate::domain::{OrgId, ProviderId, RouteId, Timestamp};

/// A new, empty database of a real server. Blocks.
pub(crate) fn postgres_url() -> String {
    PostgresServer::shared().database()
}

/// A store in a new database of a real server.
pub(crate) async fn postgres_store() -> Store {
    let url = tokio::task::spawn_blocking(postgres_url).await;
    Store::open(&url.expect("a database")).await.expect("a new store opens")
}

/// A store in a folder that is removed with the guard.
pub(crate) async fn temp_store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}/turnpike.db", dir.path().display());
    let store = Store::open(&url).await.expect("a new store opens");
    (dir, store)
}

impl Store {
    /// Takes every connection that answers the data plane, until what is returned is dropped.
    pub(crate) async fn stop_lookups(&self) -> Vec<Tx> {
        all_of(&self.lookups).await
    }

    /// Takes every connection that writes, until what is returned is dropped.
    pub(crate) async fn stop_writing(&self) -> Vec<Tx> {
        all_of(&self.writer).await
    }

    /// Makes an organization's webhooks what this version cannot read.
    pub(crate) async fn spoil_webhooks(&self, org: OrgId) {
        let spoil = sql(r#"UPDATE alert_webhooks SET events = '["unheard_of"]' WHERE org_id = $1"#);
        self.writer.execute(spoil.bind(org.0)).await.expect("the row is changed");
    }
}

async fn all_of(pool: &Pool) -> Vec<Tx> {
    let mut taken = Vec::new();
    for _ in 0..pool.size_limit() {
        taken.push(Tx::read(pool).await.expect("a connection"));
    }
    taken
}

/// An organization and a user in it.
pub(crate) async fn org_with_user(store: &Store, name: &str) -> (OrgRow, UserRow) {
    let org = store.ensure_org(name).await.expect("the organization is made");
    let seen = SeenUser {
        org: org.id,
        issuer: "turnpike",
        subject: "ada",
        email: None,
        roles: &["admin".to_owned()],
        groups: &["research".to_owned()],
        at: Timestamp::now(),
    };
    let seen = store.ensure_user(&seen).await.expect("the user is made");
    (org, seen.user)
}

/// A provider of that organization, with its own values.
pub(crate) fn provider(org: OrgId, name: &str) -> ProviderRow {
    ProviderRow {
        id: ProviderId::random(),
        org_id: org,
        name: name.to_owned(),
        model_provider: "openai".to_owned(),
        auth_type: "api_key".to_owned(),
        base_url: "https://api.openai.com/v1".to_owned(),
        settings: serde_json::json!({}),
        catalog_id: None,
        connection_id: None,
        sealed: Some(vec![1, 2, 3]),
        enabled: true,
        enforce_health_check: true,
        health_status: "unverified".to_owned(),
        health_detail: None,
        health_checked_at: None,
        request_timeout_secs: None,
        stream_idle_timeout_secs: None,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

/// A route of that provider.
pub(crate) fn route(org: OrgId, provider: ProviderId, alias: &str, upstream: &str) -> RouteRow {
    RouteRow {
        id: RouteId::random(),
        org_id: org,
        provider_id: provider,
        model_alias: alias.to_owned(),
        upstream_model: upstream.to_owned(),
        enabled: true,
        priority: 0,
        retry_on_429_count: 0,
        retry_on_429_max_wait_secs: 0,
        bare_alias: alias != upstream,
        request_timeout_secs: None,
        request_timeout_inherited: true,
        stream_idle_timeout_secs: None,
        stream_idle_timeout_inherited: true,
        max_concurrent_requests: None,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}
