//! The store against a real file and a real server: one set of tests for both engines.

mod keys;
mod people;
mod prices;
mod providers;
mod records;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;

use super::{
    statement::sql,
    testing::{on_both, org_with_user, postgres_store, provider, route, temp_store},
    *,
};
use crate::{
    domain::{
        ChangeSource, CredentialId, KeyId, OrgId, Person, Price, PriceVersion, ProviderId, Rates,
        RecordId, Role, ServiceAccountId, SyncMode, Timestamp, UserId,
    },
    ledger::{Ledger, OnFull, SpoolLimits, UsageSink as _},
};

on_both! {
    a_change_is_counted_and_the_keys_that_it_touches_are_told,
    text_with_a_nul_is_refused_by_name,
    the_data_plane_is_answered_while_every_reader_is_taken,
    the_first_sealed_value_wins,
    another_organization_neither_sees_nor_changes_a_row,
    the_database_itself_refuses_a_reference_into_another_organization,
    a_transaction_that_is_dropped_changes_nothing,
}

fn connection(org: OrgId, name: &str, base_url: &str) -> ConnectionRow {
    ConnectionRow {
        id: CredentialId::random(),
        org_id: org,
        name: name.to_owned(),
        model_provider: "custom".to_owned(),
        auth_type: "bearer_api_key".to_owned(),
        base_url: base_url.to_owned(),
        settings: json!({"dialects": ["embeddings"]}),
        sealed: Some(vec![9]),
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

fn key(org: OrgId, creator: UserId, hash: u8) -> KeyRow {
    KeyRow {
        id: KeyId::random(),
        org_id: org,
        name: "ci".to_owned(),
        key_prefix: "bd-abcde".to_owned(),
        hash: vec![hash; 32],
        created_by_user_id: creator,
        user_id: Some(creator),
        group_name: None,
        user_email: Some("ci@example.org".to_owned()),
        scopes: vec!["chat".to_owned()],
        created_at: Timestamp(1),
        expires_at: None,
        revoked_at: None,
        user_groups: Vec::new(),
        person: None,
    }
}

#[tokio::test]
async fn a_store_that_is_opened_again_has_what_was_written() {
    let (dir, store) = temp_store().await;
    let (org, user) = org_with_user(&store, "acme").await;
    store.close().await;

    let url = format!("sqlite://{}/turnpike.db", dir.path().display());
    let store = Store::open(&url).await.unwrap();
    assert_eq!(store.ensure_org("acme").await.unwrap(), org);
    assert_eq!(store.read().await.unwrap().user(org.id, user.id).await.unwrap(), Some(user));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, store) = temp_store().await;
    org_with_user(&store, "acme").await;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

async fn the_data_plane_is_answered_while_every_reader_is_taken(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let mut tx = store.write().await.unwrap();
    tx.insert_key(&key(org.id, user.id, 7)).await.unwrap();
    tx.commit().await.unwrap();
    let mut taken = Vec::new();
    while let Ok(tx) = tokio::time::timeout(Duration::from_millis(300), store.read()).await {
        taken.push(tx.unwrap());
    }
    let asked = async {
        assert!(store.key_by_hash(&[7; 32]).await.unwrap().is_some());
        assert_eq!(store.runtime_rows(org.id).await.unwrap().org, org);
        assert_eq!(store.orgs().await.unwrap(), [org]);
    };
    tokio::time::timeout(Duration::from_secs(4), asked).await.expect("connections of its own");
}

#[tokio::test]
async fn a_url_of_another_kind_is_refused_by_name() {
    let error = Store::open("mysql://x").await.err().unwrap().to_string();
    assert!(error.contains("sqlite://"), "{error}");
}

async fn the_first_sealed_value_wins(store: Store) {
    assert_eq!(store.sealed("issuer-key").await.unwrap(), None);
    assert_eq!(store.put_sealed_if_absent("issuer-key", b"one").await.unwrap(), b"one");
    assert_eq!(store.put_sealed_if_absent("issuer-key", b"two").await.unwrap(), b"one");
}

async fn another_organization_neither_sees_nor_changes_a_row(store: Store) {
    let (acme, user) = org_with_user(&store, "acme").await;
    let (evil, _) = org_with_user(&store, "evil").await;
    let shared = connection(acme.id, "c", "https://example.org");
    let upstream = provider(acme.id, "p");
    let mapping = route(acme.id, upstream.id, "m", "m");
    let new_key = key(acme.id, user.id, 1);
    let mut tx = store.write().await.unwrap();
    tx.insert_connection(&shared).await.unwrap();
    tx.insert_provider(&upstream, Inherits::default()).await.unwrap();
    tx.insert_route(&mapping).await.unwrap();
    tx.insert_key(&new_key).await.unwrap();

    assert!(tx.connections(evil.id).await.unwrap().is_empty());
    assert!(tx.providers(evil.id).await.unwrap().is_empty());
    assert!(tx.routes(evil.id).await.unwrap().is_empty());
    assert!(tx.keys(evil.id).await.unwrap().is_empty());
    assert!(tx.user(evil.id, user.id).await.unwrap().is_none());
    assert!(!tx.delete_connection(evil.id, shared.id).await.unwrap());
    assert!(!tx.delete_provider(evil.id, upstream.id).await.unwrap());
    assert!(!tx.delete_route(evil.id, mapping.id).await.unwrap());
    tx.revoke_key(evil.id, new_key.id, Timestamp(2)).await.unwrap();
    tx.update_provider(
        &ProviderRow { org_id: evil.id, name: "mine".into(), ..upstream.clone() },
        Inherits::default(),
    )
    .await
    .unwrap();

    assert_eq!(tx.provider(acme.id, upstream.id).await.unwrap(), Some(upstream));
    assert_eq!(tx.key(acme.id, new_key.id).await.unwrap().unwrap().revoked_at, None);
}

async fn the_database_itself_refuses_a_reference_into_another_organization(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (evil, mallory) = org_with_user(&store, "evil").await;
    let shared = connection(acme.id, "c", "https://example.org");
    let mut tx = store.write().await.unwrap();
    tx.insert_connection(&shared).await.unwrap();
    let thief = ProviderRow { connection_id: Some(shared.id), ..provider(evil.id, "p") };
    assert!(tx.insert_provider(&thief, Inherits::default()).await.is_err());
    assert!(tx.insert_key(&key(acme.id, mallory.id, 3)).await.is_err());
}

async fn a_transaction_that_is_dropped_changes_nothing(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&provider(org.id, "p"), Inherits::default()).await.unwrap();
    drop(tx);
    assert!(store.runtime_rows(org.id).await.unwrap().providers.is_empty());
}

async fn a_change_is_counted_and_the_keys_that_it_touches_are_told(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let revision = async |org: OrgId| {
        let all = store.revisions().await.unwrap();
        all.into_iter().find(|(id, _)| *id == org).unwrap().1
    };
    let (before, elsewhere) = (revision(org.id).await, revision(other.id).await);
    let new = key(org.id, user.id, 7);
    let mut tx = store.write().await.unwrap();
    tx.insert_key(&new).await.unwrap();
    tx.touch(org.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(revision(org.id).await, before + 1);
    assert_eq!(revision(other.id).await, elsewhere);
    assert_eq!(store.keys_changed_after(org.id, before).await.unwrap().len(), 1);
    assert!(store.keys_changed_after(org.id, before + 1).await.unwrap().is_empty());

    let mut tx = store.write().await.unwrap();
    tx.revoke_key(org.id, new.id, Timestamp(5)).await.unwrap();
    tx.touch(org.id).await.unwrap();
    tx.commit().await.unwrap();
    let changed = store.keys_changed_after(org.id, before + 1).await.unwrap();
    assert_eq!(changed[0].revoked_at, Some(Timestamp(5)));

    let groups = ["sales".to_owned()];
    let seen = SeenUser {
        org: org.id,
        issuer: &user.issuer,
        subject: &user.subject,
        email: None,
        roles: &user.roles,
        groups: &groups,
        at: Timestamp::now(),
    };
    assert!(store.ensure_user(&seen).await.unwrap().regrouped);
    let changed = store.keys_changed_after(org.id, before + 2).await.unwrap();
    assert_eq!(changed[0].user_groups, groups);
}

async fn text_with_a_nul_is_refused_by_name(store: Store) {
    let refused = store.ensure_org("a\0b").await.unwrap_err();
    assert!(matches!(&refused, StoreError::Invalid(text) if text.contains("U+0000")), "{refused}");
}

#[tokio::test]
async fn a_server_announces_a_change_to_whoever_listens() {
    let store = postgres_store().await;
    let org = store.ensure_org("acme").await.unwrap();
    let mut announcements = store.announcements().await.unwrap().unwrap();
    let mut tx = store.write().await.unwrap();
    tx.touch(org.id).await.unwrap();
    tx.commit().await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(10), announcements.next()).await;
    assert_eq!(heard.unwrap().unwrap(), Some(org.id));
}

#[tokio::test]
async fn a_replica_that_freezes_in_a_change_does_not_keep_the_others_from_theirs() {
    let store = postgres_store().await;
    let mut tx = store.write().await.unwrap();
    for (setting, value) in [
        ("SHOW idle_in_transaction_session_timeout", "10s"),
        ("SHOW lock_timeout", "5s"),
        ("SHOW statement_timeout", "15s"),
    ] {
        assert_eq!(tx.one::<String>(sql(setting)).await.unwrap(), value, "{setting}");
    }
}

#[tokio::test]
async fn a_database_that_a_newer_version_changed_is_refused_only_where_it_took_something_away() {
    let url = tokio::task::spawn_blocking(testing::postgres_url).await.unwrap();
    let store = Store::open(&url).await.unwrap();
    let insert =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES ($1, $2, TRUE, '', 0)";
    store.writer.execute(sql(insert).bind(8_000_i64).bind("more columns")).await.unwrap();
    assert!(Store::open(&url).await.is_ok());
    store.writer.execute(sql(insert).bind(9_000_i64).bind("contract_8500_x")).await.unwrap();
    let refused = Store::open(&url).await.err().unwrap().to_string();
    assert!(refused.contains("newer version"), "{refused}");
}

#[tokio::test]
async fn replicas_that_start_together_migrate_once() {
    let url = tokio::task::spawn_blocking(testing::postgres_url).await.unwrap();
    let (a, b, c) = tokio::join!(Store::open(&url), Store::open(&url), Store::open(&url));
    let org = a.unwrap().ensure_org("acme").await.unwrap();
    assert_eq!(b.unwrap().orgs().await.unwrap(), std::slice::from_ref(&org));
    assert_eq!(c.unwrap().orgs().await.unwrap(), [org]);
}
