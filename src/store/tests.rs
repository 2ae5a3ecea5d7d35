//! The store against a real file and a real server: one set of tests for both engines.

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
        ChangeSource, CredentialId, KeyId, OrgId, Person, Price, PriceId, PriceVersion, ProviderId,
        Rates, RecordId, Role, ServiceAccountId, SyncMode, Timestamp, UserId,
    },
    ledger::{Ledger, OnFull, SpoolLimits, UsageSink as _},
};

on_both! {
    a_change_is_counted_and_the_keys_that_it_touches_are_told,
    text_with_a_nul_is_refused_by_name,
    the_data_plane_is_answered_while_every_reader_is_taken,
    an_organization_is_found_by_name_or_id_and_only_a_name_makes_one,
    a_user_keeps_the_id_while_mail_and_groups_follow_the_token,
    the_first_sealed_value_wins,
    groups_that_an_administrator_gave_count_until_they_are_taken_away,
    a_service_account_is_its_organizations_alone,
    a_key_is_found_by_its_hash_with_the_groups_of_its_user,
    a_second_revocation_keeps_the_time_of_the_first,
    another_organization_neither_sees_nor_changes_a_row,
    the_database_itself_refuses_a_reference_into_another_organization,
    inherited_values_follow_the_connection,
    names_are_unique_in_an_organization_and_free_in_another,
    a_model_is_enabled_once_and_goes_with_its_provider,
    a_transaction_that_is_dropped_changes_nothing,
    a_record_that_is_offered_twice_is_stored_once,
    a_record_without_an_organization_is_kept_once_and_shown_to_none,
    a_batch_with_an_unreadable_record_is_refused_whole,
    a_string_with_a_nul_spoils_no_query,
    pages_follow_each_other_without_gap_or_repeat,
    filters_narrow_what_is_listed,
    a_record_is_found_by_its_request_and_by_whether_that_failed,
    pages_of_keys_hold_every_key_once_in_the_order_of_the_whole_list,
    keys_are_found_by_what_people_know_of_them,
    pages_of_users_hold_everybody_once_in_the_order_of_the_whole_list,
    users_are_found_by_what_people_know_of_them,
    records_older_than_the_retention_go_and_the_others_stay,
    a_rule_has_one_version_at_an_instant,
    a_price_is_read_back_as_it_was_written,
    what_is_in_force_and_to_come_is_read_without_the_past,
    a_provider_leaves_its_prices_behind,
    switches_have_defaults_until_they_are_set,
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

fn usage(id: RecordId, org: Option<OrgId>, ts: i64, alias: &str, status: u16) -> Bytes {
    let record = json!({
        "id": id, "ts": Timestamp(ts), "org_id": org, "api_key_id": null, "user_id": null,
        "group_names": ["research", "a \"quoted\" one"], "provider_id": null,
        "provider_name": "p", "upstream_model": "gpt", "alias": alias, "status": status,
        "requested_model": "x", "stream": false, "input_tokens": 1, "output_tokens": 1,
        "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0, "latency_ms": 1,
        "attempts": [], "retry_count": 0, "retry_sleep_ms": 0, "request_id": "r",
    });
    Bytes::from(record.to_string())
}

fn ids(page: &UsagePage) -> Vec<String> {
    let id = |record: &serde_json::value::RawValue| {
        let record: serde_json::Value = serde_json::from_str(record.get()).unwrap();
        record["id"].as_str().unwrap().to_owned()
    };
    page.records.iter().map(|record| id(record)).collect()
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

async fn an_organization_is_found_by_name_or_id_and_only_a_name_makes_one(store: Store) {
    let org = store.ensure_org(" acme ").await.unwrap();
    assert_eq!(store.ensure_org("acme").await.unwrap(), org);
    assert_eq!(store.ensure_org(&org.id.to_string()).await.unwrap(), org);
    let unknown = store.ensure_org(&Uuid::new_v4().to_string()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
    assert!(matches!(store.ensure_org("  ").await, Err(StoreError::Invalid(_))));
    assert_eq!(store.orgs().await.unwrap(), vec![org]);
}

async fn a_user_keeps_the_id_while_mail_and_groups_follow_the_token(store: Store) {
    let (org, first) = org_with_user(&store, "acme").await;
    let again = SeenUser {
        org: org.id,
        issuer: "turnpike",
        subject: "ada",
        email: Some("ada@example.org"),
        roles: &[],
        groups: &["ops".to_owned()],
        at: Timestamp::now(),
    };
    let Sighting { user: second, regrouped } = store.ensure_user(&again).await.unwrap();
    assert!(regrouped);
    assert!(!store.ensure_user(&again).await.unwrap().regrouped);
    let promoted = SeenUser { roles: &["admin".to_owned()], ..again };
    assert!(!store.ensure_user(&promoted).await.unwrap().regrouped, "groups are as they were");
    assert_eq!(second.id, first.id);
    assert_eq!(second.email.as_deref(), Some("ada@example.org"));
    assert_eq!(second.groups, ["ops"]);
    let elsewhere = store.ensure_user(&SeenUser { issuer: "other", ..again }).await.unwrap();
    assert_ne!(elsewhere.user.id, first.id, "another issuer's subject is another user");
    assert!(!elsewhere.regrouped, "a user who is new had no groups before");
}

async fn groups_that_an_administrator_gave_count_until_they_are_taken_away(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let mut tx = store.write().await.unwrap();
    let own = KeyRow { user_id: Some(user.id), ..key(org.id, user.id, 7) };
    tx.insert_key(&own).await.unwrap();
    tx.commit().await.unwrap();
    let given = ["finance".to_owned(), "é".to_owned()];
    let put = async |org, groups: Option<&[String]>| {
        let mut tx = store.write().await.unwrap();
        tx.override_groups(org, user.id, groups).await.unwrap();
        tx.commit().await.unwrap();
        store.key_by_hash(&[7; 32]).await.unwrap().unwrap().user_groups
    };
    assert_eq!(put(other.id, Some(&given)).await, ["research"], "another's user is not touched");
    assert_eq!(put(org.id, Some(&given)).await, given);
    let seen = SeenUser {
        org: org.id,
        issuer: "turnpike",
        subject: "ada",
        email: None,
        roles: &[],
        groups: &["ops".to_owned()],
        at: Timestamp::now(),
    };
    let sighting = store.ensure_user(&seen).await.unwrap();
    assert!(!sighting.regrouped, "what counts is as it was");
    assert_eq!(sighting.user.effective_groups(), given);
    assert_eq!(sighting.user.groups, ["ops"]);
    assert_eq!(put(org.id, Some(&[])).await, [""; 0]);
    assert_eq!(put(org.id, None).await, ["ops"]);
    let listed = store.read().await.unwrap().users(org.id).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].groups_override, None);
}

async fn a_service_account_is_its_organizations_alone(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let account = ServiceAccountRow {
        id: ServiceAccountId::random(),
        org_id: org.id,
        name: "ci".to_owned(),
        role: Role::Admin,
        secret_hash: vec![7; 32],
        created_at: Timestamp(1),
        last_used_at: None,
    };
    let mut tx = store.write().await.unwrap();
    tx.insert_service_account(&account).await.unwrap();
    tx.commit().await.unwrap();
    let twin = ServiceAccountRow { id: ServiceAccountId::random(), ..account.clone() };
    let refused = store.write().await.unwrap().insert_service_account(&twin).await;
    assert!(matches!(refused, Err(StoreError::Conflict)));
    let mut tx = store.write().await.unwrap();
    let elsewhere = ServiceAccountRow { org_id: other.id, ..twin };
    tx.insert_service_account(&elsewhere).await.unwrap();
    tx.delete_service_account(other.id, account.id).await.unwrap();
    tx.commit().await.unwrap();
    store.service_account_used(other.id, account.id, Timestamp(2)).await.unwrap();
    assert_eq!(store.service_account(other.id, account.id).await.unwrap(), None);
    assert_eq!(store.service_account(org.id, account.id).await.unwrap(), Some(account.clone()));
    store.service_account_used(org.id, account.id, Timestamp(3)).await.unwrap();
    let used = ServiceAccountRow { last_used_at: Some(Timestamp(3)), ..account.clone() };
    assert_eq!(store.service_account_by_id(account.id).await.unwrap(), Some(used.clone()));
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.service_accounts(org.id).await.unwrap(), [used]);
    tx.delete_service_account(org.id, account.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.service_account_by_id(account.id).await.unwrap(), None);
    let left = store.read().await.unwrap().service_accounts(other.id).await.unwrap();
    assert_eq!(left, [elsewhere]);
}

async fn the_first_sealed_value_wins(store: Store) {
    assert_eq!(store.sealed("issuer-key").await.unwrap(), None);
    assert_eq!(store.put_sealed_if_absent("issuer-key", b"one").await.unwrap(), b"one");
    assert_eq!(store.put_sealed_if_absent("issuer-key", b"two").await.unwrap(), b"one");
}

async fn a_key_is_found_by_its_hash_with_the_groups_of_its_user(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let new = key(org.id, user.id, 7);
    let mut tx = store.write().await.unwrap();
    tx.insert_key(&new).await.unwrap();
    tx.commit().await.unwrap();

    let found = store.key_by_hash(&[7; 32]).await.unwrap().unwrap();
    assert_eq!(
        found,
        KeyRow { user_groups: vec!["research".to_owned()], person: Some(ada()), ..new }
    );
    assert_eq!(store.key_by_hash(&[8; 32]).await.unwrap(), None);
}

fn ada() -> Person {
    Person { subject: "ada".to_owned(), email: None, roles: vec!["admin".to_owned()] }
}

async fn a_second_revocation_keeps_the_time_of_the_first(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let new = key(org.id, user.id, 7);
    let mut tx = store.write().await.unwrap();
    tx.insert_key(&new).await.unwrap();
    tx.revoke_key(org.id, new.id, Timestamp(5)).await.unwrap();
    tx.revoke_key(org.id, new.id, Timestamp(6)).await.unwrap();
    assert_eq!(tx.key(org.id, new.id).await.unwrap().unwrap().revoked_at, Some(Timestamp(5)));
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

async fn inherited_values_follow_the_connection(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let mut shared = connection(org.id, "c", "https://one.example");
    let upstream = ProviderRow {
        connection_id: Some(shared.id),
        base_url: "https://own.example".into(),
        ..provider(org.id, "p")
    };
    let inherits = Inherits { auth_type: true, base_url: false, settings: true };
    let mut tx = store.write().await.unwrap();
    tx.insert_connection(&shared).await.unwrap();
    tx.insert_provider(&upstream, inherits).await.unwrap();
    shared.auth_type = "x_api_key".into();
    tx.update_connection(&shared).await.unwrap();

    let seen = tx.provider(org.id, upstream.id).await.unwrap().unwrap();
    assert_eq!(seen.auth_type, "x_api_key");
    assert_eq!(seen.base_url, "https://own.example");
    assert_eq!(seen.settings, shared.settings);
    assert_eq!(tx.provider_inherits(org.id, upstream.id).await.unwrap(), inherits);
    assert_eq!(tx.connection_users(org.id, shared.id).await.unwrap(), ["p"]);
}

async fn names_are_unique_in_an_organization_and_free_in_another(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let mut tx = store.write().await.unwrap();
    let none = Inherits::default();
    tx.insert_provider(&provider(acme.id, "OpenAI"), none).await.unwrap();
    let same = tx.insert_provider(&provider(acme.id, "openai"), none).await;
    assert!(matches!(same, Err(StoreError::Conflict)));
    drop(tx);
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&provider(acme.id, "OpenAI"), none).await.unwrap();
    tx.insert_provider(&provider(other.id, "openai"), none).await.unwrap();
}

async fn a_model_is_enabled_once_and_goes_with_its_provider(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let upstream = provider(org.id, "p");
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&upstream, Inherits::default()).await.unwrap();
    tx.insert_route(&route(org.id, upstream.id, "m", "m")).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.write().await.unwrap();
    let twice = tx.insert_route(&route(org.id, upstream.id, "m", "m")).await;
    assert!(matches!(twice, Err(StoreError::Conflict)));
    drop(tx);
    let mut tx = store.write().await.unwrap();
    tx.insert_route(&route(org.id, upstream.id, "fast", "m")).await.unwrap();
    tx.insert_route(&route(org.id, upstream.id, "fast", "m")).await.unwrap();
    assert_eq!(tx.custom_aliases(org.id, upstream.id, "m").await.unwrap(), ["fast", "fast"]);
    assert!(tx.delete_provider(org.id, upstream.id).await.unwrap());
    assert!(tx.routes(org.id).await.unwrap().is_empty());
}

async fn a_transaction_that_is_dropped_changes_nothing(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&provider(org.id, "p"), Inherits::default()).await.unwrap();
    drop(tx);
    assert!(store.runtime_rows(org.id).await.unwrap().providers.is_empty());
}

async fn a_record_that_is_offered_twice_is_stored_once(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let batch: Vec<Bytes> =
        (0..75).map(|n| usage(RecordId::random(), Some(org.id), n, "a", 200)).collect();
    store.store_usage(&batch).await.unwrap();
    store.store_usage(&batch[10..]).await.unwrap();
    let all = store.usage(org.id, &RecordFilter::default(), None, 500).await.unwrap();
    assert_eq!(all.records.len(), 75);
    assert_eq!(all.next, None);
}

async fn a_record_without_an_organization_is_kept_once_and_shown_to_none(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let batch = [usage(RecordId::random(), None, 1, "a", 401)];
    store.store_usage(&batch).await.unwrap();
    store.store_usage(&batch).await.unwrap();
    let count: i64 = store.readers.one(sql("SELECT count(*) FROM usage_records")).await.unwrap();
    assert_eq!(count, 1);
    let seen = store.usage(org.id, &RecordFilter::default(), None, 10).await.unwrap();
    assert!(seen.records.is_empty());
}

async fn a_batch_with_an_unreadable_record_is_refused_whole(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let mut batch: Vec<Bytes> =
        (0..70).map(|n| usage(RecordId::random(), Some(org.id), n, "a", 200)).collect();
    for unreadable in [&b"{not json"[..], b"{\"id\":\"\xff\"}", b"{}"] {
        batch[66] = Bytes::from_static(unreadable);
        let refusal = store.store_usage(&batch).await.unwrap_err().to_string();
        assert!(refusal.contains("unreadable"), "{refusal}");
        let all = store.usage(org.id, &RecordFilter::default(), None, 500).await.unwrap();
        assert!(all.records.is_empty());
    }
}

#[tokio::test]
async fn an_unreadable_record_is_set_aside_by_the_ledger_and_holds_up_no_other() {
    let (dir, store) = temp_store().await;
    let (org, _) = org_with_user(&store, "acme").await;
    let limits = SpoolLimits { max_bytes: 1 << 24, on_full: OnFull::Block };
    let ledger = Arc::new(Ledger::open(&dir.path().join("spool"), limits).unwrap());
    for n in 0..20 {
        ledger.append(&usage(RecordId::random(), Some(org.id), n, "a", 200)).unwrap();
        if n == 7 {
            ledger.append(b"{not json").unwrap();
        }
    }
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(Arc::clone(&ledger).deliver(Arc::new(store.clone()), stopped));
    assert!(ledger.wait_delivered(Duration::from_secs(20)).await);
    assert_eq!(ledger.losses().rejected, 1);
    let all = store.usage(org.id, &RecordFilter::default(), None, 500).await.unwrap();
    assert_eq!(all.records.len(), 20);
}

async fn pages_follow_each_other_without_gap_or_repeat(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    // Three records per moment: the id must break ties.
    let batch: Vec<Bytes> =
        (0..30).map(|n| usage(RecordId::random(), Some(org.id), n / 3, "a", 200)).collect();
    store.store_usage(&batch).await.unwrap();
    let whole = ids(&store.usage(org.id, &RecordFilter::default(), None, 100).await.unwrap());
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = store.usage(org.id, &RecordFilter::default(), after, 7).await.unwrap();
        paged.extend(ids(&page));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged.len(), 30);
    assert_eq!(paged, whole);
}

async fn a_record_is_found_by_its_request_and_by_whether_that_failed(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let record = |request_id: &str, status: u16, client: &str| {
        let record = json!({
            "id": RecordId::random(), "ts": Timestamp(1), "org_id": org.id, "status": status,
            "request_id": request_id, "client": client,
        });
        Bytes::from(record.to_string())
    };
    let batch = [
        record("one", 200, "curl"),
        record("one.more", 399, r#"{"request_id":"two"}"#),
        record("two", 400, "a\0b"),
        record("two", 502, "curl"),
    ];
    store.store_usage(&batch).await.unwrap();
    let count = async |request_id: Option<&str>, failed| {
        let request_id = request_id.map(str::to_owned);
        let filter = RecordFilter { request_id, failed, ..RecordFilter::default() };
        store.usage(org.id, &filter, None, 10).await.unwrap().records.len()
    };
    assert_eq!(count(Some("one"), None).await, 1);
    assert_eq!(count(Some("two"), None).await, 2, "what a client calls itself is no id");
    assert_eq!(count(Some("two"), Some(false)).await, 0);
    assert_eq!(count(Some("tw_"), None).await, 0);
    assert_eq!(count(Some("\""), None).await, 0);
    assert_eq!(count(Some("a\0b"), None).await, 0);
    assert_eq!(count(None, Some(true)).await, 2);
    assert_eq!(count(None, Some(false)).await, 2);
}

async fn pages_of_keys_hold_every_key_once_in_the_order_of_the_whole_list(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let (evil, stranger) = org_with_user(&store, "evil").await;
    let mut tx = store.write().await.unwrap();
    // Three of each moment: the id must break ties.
    for n in 0..20 {
        let at = Timestamp(i64::from(n / 3));
        let new = KeyRow { created_at: at, ..key(org.id, user.id, n) };
        tx.insert_key(&new).await.unwrap();
    }
    tx.insert_key(&key(evil.id, stranger.id, 99)).await.unwrap();
    let whole = tx.keys(org.id).await.unwrap();
    let all = KeyFilter::default();
    assert_eq!(tx.page_of_keys(org.id, &all, None, None).await.unwrap(), (whole.clone(), None));
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let (rows, next) = tx.page_of_keys(org.id, &all, after, Some(5)).await.unwrap();
        assert_eq!(rows.len(), 5);
        paged.extend(rows);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole);
    let (theirs, _) = tx.page_of_keys(evil.id, &all, None, Some(500)).await.unwrap();
    assert_eq!(theirs.len(), 1);
}

async fn keys_are_found_by_what_people_know_of_them(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let mut tx = store.write().await.unwrap();
    let plain = |n| KeyRow {
        created_at: Timestamp(i64::from(n)),
        user_id: None,
        user_email: None,
        ..key(org.id, user.id, n)
    };
    let name = |name: &str| name.to_owned();
    for new in [
        KeyRow { name: name("Nightly 100%"), ..plain(1) },
        KeyRow { name: name("nightly_100"), group_name: Some(name("Research")), ..plain(2) },
        KeyRow { name: name("laptop"), user_id: Some(user.id), ..plain(3) },
        KeyRow { name: name("old"), revoked_at: Some(Timestamp(9)), ..plain(4) },
        KeyRow { name: name("over"), expires_at: Some(Timestamp(9)), ..plain(5) },
        KeyRow { name: name("set"), expires_at: Some(Timestamp(i64::MAX)), ..plain(6) },
        KeyRow { name: name("mail"), user_email: Some(name("Bob@acme.test")), ..plain(7) },
    ] {
        tx.insert_key(&new).await.unwrap();
    }
    let mut found = async |filter: KeyFilter| {
        let (rows, _) = tx.page_of_keys(org.id, &filter, None, None).await.unwrap();
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    let text = |text: &str| KeyFilter { text: Some(text.to_owned()), ..KeyFilter::default() };
    assert_eq!(found(text("NIGHTLY")).await, ["nightly_100", "Nightly 100%"]);
    assert_eq!(found(text("0%")).await, ["Nightly 100%"]);
    assert_eq!(found(text("y_1")).await, ["nightly_100"]);
    assert_eq!(found(text("!")).await, [""; 0]);
    assert_eq!(found(text("reSEARCH")).await, ["nightly_100"]);
    assert_eq!(found(text("ada")).await, ["laptop"]);
    assert_eq!(found(text("bob@")).await, ["mail"]);
    let of = KeyFilter { user: Some(user.id), ..KeyFilter::default() };
    assert_eq!(found(of).await, ["laptop"]);
    let ended = KeyFilter { works: Some(false), ..KeyFilter::default() };
    assert_eq!(found(ended).await, ["over", "old"]);
    let works = KeyFilter { works: Some(true), ..text("O") };
    assert_eq!(found(works).await, ["mail", "laptop"]);
}

/// A user of that subject, in whatever groups.
async fn seen(store: &Store, org: OrgId, issuer: &str, subject: &str, groups: &[&str]) -> UserRow {
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    let email = format!("{subject}@Acme.test");
    let at = Timestamp::now();
    let roles = &["viewer".to_owned()];
    let seen = SeenUser { org, issuer, subject, email: Some(&email), roles, groups: &groups, at };
    store.ensure_user(&seen).await.unwrap().user
}

async fn pages_of_users_hold_everybody_once_in_the_order_of_the_whole_list(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let (evil, _) = org_with_user(&store, "evil").await;
    for subject in ["Zoe", "ann", "bob", "ä", "_x"] {
        for issuer in ["https://a.test", "https://b.test"] {
            seen(&store, org.id, issuer, subject, &[]).await;
        }
    }
    let mut tx = store.read().await.unwrap();
    let whole = tx.users(org.id).await.unwrap();
    assert_eq!(whole.len(), 11);
    let all = tx.page_of_users(org.id, None, None, None).await.unwrap();
    assert_eq!(all, (whole.clone(), false));
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let (rows, more) = tx.page_of_users(org.id, None, after.as_ref(), Some(3)).await.unwrap();
        after = rows.last().cloned().map(UserPosition::from);
        paged.extend(rows);
        if !more {
            break;
        }
    }
    assert_eq!(paged, whole);
    assert_eq!(tx.page_of_users(evil.id, None, None, Some(3)).await.unwrap().0.len(), 1);
}

async fn users_are_found_by_what_people_know_of_them(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let issuer = "https://a.test";
    seen(&store, org.id, issuer, "ann", &["Research", "a\0b"]).await;
    let bob = seen(&store, org.id, issuer, "bob", &["Sales"]).await;
    seen(&store, org.id, issuer, "c_d", &["\"quoted\""]).await;
    let mut tx = store.write().await.unwrap();
    tx.override_groups(org.id, bob.id, Some(&["Support".to_owned()])).await.unwrap();
    let mut found = async |text: &str| {
        let (rows, _) = tx.page_of_users(org.id, Some(text), None, None).await.unwrap();
        rows.into_iter().map(|row| row.subject).collect::<Vec<_>>()
    };
    assert_eq!(found("ANN").await, ["ann"]);
    assert_eq!(found("@acme").await, ["ann", "bob", "c_d"]);
    assert_eq!(found("research").await, ["ada", "ann"]);
    assert_eq!(found("support").await, ["bob"]);
    assert_eq!(found("sales").await, [""; 0], "groups that do not count");
    assert_eq!(found("VIEWER").await, ["ann", "bob", "c_d"]);
    assert_eq!(found("admin").await, ["ada"]);
    assert_eq!(found("_").await, ["c_d"]);
    assert_eq!(found("%").await, [""; 0]);
    assert_eq!(found("\"").await, ["c_d"], "what is between the words of a list is no word");
    assert_eq!(found("[").await, [""; 0]);
}

async fn filters_narrow_what_is_listed(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let batch = [
        usage(RecordId::random(), Some(org.id), 1, "fast", 200),
        usage(RecordId::random(), Some(org.id), 2, "fast", 502),
        usage(RecordId::random(), Some(org.id), 3, "slow", 200),
    ];
    store.store_usage(&batch).await.unwrap();
    let count = async |filter: UsageFilter| {
        store.usage(org.id, &filter.into(), None, 10).await.unwrap().records.len()
    };
    let none = UsageFilter::default();
    assert_eq!(count(UsageFilter { alias: Some("fast".into()), ..none.clone() }).await, 2);
    assert_eq!(count(UsageFilter { status: Some(502), ..none.clone() }).await, 1);
    assert_eq!(count(UsageFilter { from: Some(Timestamp(2)), ..none.clone() }).await, 2);
    assert_eq!(count(UsageFilter { to: Some(Timestamp(2)), ..none.clone() }).await, 1);
    assert_eq!(count(UsageFilter { group: Some("research".into()), ..none.clone() }).await, 3);
    assert_eq!(
        count(UsageFilter { group: Some("a \"quoted\" one".into()), ..none.clone() }).await,
        3
    );
    assert_eq!(count(UsageFilter { group: Some("other".into()), ..none.clone() }).await, 0);
    assert_eq!(count(UsageFilter { provider_name: Some("p".into()), ..none.clone() }).await, 3);
    assert_eq!(count(UsageFilter { model: Some("gpt".into()), ..none.clone() }).await, 3);
    assert_eq!(count(UsageFilter { user: Some(UserId::random()), ..none.clone() }).await, 0);
    assert_eq!(count(UsageFilter { api_key: Some(KeyId::random()), ..none }).await, 0);
}

async fn records_older_than_the_retention_go_and_the_others_stay(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    // More than one transaction's worth, and one without an organization.
    let mut batch: Vec<Bytes> =
        (0..1_500).map(|n| usage(RecordId::random(), Some(org.id), n, "a", 200)).collect();
    batch.push(usage(RecordId::random(), None, 1, "a", 401));
    store.store_usage(&batch).await.unwrap();
    assert_eq!(store.expire_usage(Timestamp(1_400)).await.unwrap().records, 1_401);
    let left = store.usage(org.id, &RecordFilter::default(), None, 500).await.unwrap();
    assert_eq!(left.records.len(), 100);
    assert_eq!(store.expire_usage(Timestamp(1_400)).await.unwrap().records, 0);
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

async fn a_string_with_a_nul_spoils_no_query(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let batch: Vec<Bytes> = ["a\0b", r"c\u0000d", "plain"]
        .into_iter()
        .map(|alias| usage(RecordId::random(), Some(org.id), 1, alias, 200))
        .collect();
    store.store_usage(&batch).await.unwrap();
    let filter = UsageFilter { alias: Some("plain".to_owned()), ..UsageFilter::default() };
    assert_eq!(store.usage(org.id, &filter.into(), None, 10).await.unwrap().records.len(), 1);
    let all = store.usage(org.id, &RecordFilter::default(), None, 10).await.unwrap();
    assert_eq!(all.records.len(), 3);
}

#[tokio::test]
async fn replicas_that_start_together_migrate_once() {
    let url = tokio::task::spawn_blocking(testing::postgres_url).await.unwrap();
    let (a, b, c) = tokio::join!(Store::open(&url), Store::open(&url), Store::open(&url));
    let org = a.unwrap().ensure_org("acme").await.unwrap();
    assert_eq!(b.unwrap().orgs().await.unwrap(), std::slice::from_ref(&org));
    assert_eq!(c.unwrap().orgs().await.unwrap(), [org]);
}

/// A version of the rule for `pattern`, in force from `from` on.
fn price(pattern: &str, from: i64) -> PriceVersion {
    PriceVersion {
        id: PriceId::random(),
        provider_id: None,
        model_provider: None,
        catalog_slug: None,
        model_pattern: pattern.to_owned(),
        rates: Rates {
            input: Price::from_units(i64::MAX),
            output: Price::default(),
            cache_read: Some(Price::from_units(1)),
            cache_write: None,
        },
        effective_from: Timestamp(from),
        sync_mode: SyncMode::Tracking,
        change_source: ChangeSource::AdminSchedule,
        change_reason: None,
        is_archived: false,
        created_by: None,
    }
}

async fn a_rule_has_one_version_at_an_instant(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (globex, _) = org_with_user(&store, "globex").await;
    let now = Timestamp(1);
    let first = price("gpt*", 7);
    let insert = async |org: &OrgRow, version: PriceVersion| {
        let mut tx = store.write().await.unwrap();
        let inserted = tx.insert_price(org.id, &version, now).await;
        if inserted.is_ok() {
            tx.commit().await.unwrap();
        }
        inserted.map_err(|error| error.to_string())
    };
    let slug = Some("openai".to_owned());
    assert!(insert(&acme, first.clone()).await.is_ok());
    assert!(insert(&acme, PriceVersion { model_provider: slug, ..price("gpt*", 7) }).await.is_ok());
    let provider_id = Some(ProviderId::random());
    assert!(insert(&acme, PriceVersion { provider_id, ..price("gpt*", 7) }).await.is_ok());
    assert!(insert(&acme, price("gpt*", 8)).await.is_ok());
    assert!(insert(&globex, price("gpt*", 7)).await.is_ok());
    let refused = insert(&acme, price("gpt*", 7)).await.unwrap_err();
    assert_eq!(refused, StoreError::Conflict.to_string());

    let mut tx = store.write().await.unwrap();
    let moved = PriceVersion { effective_from: Timestamp(8), ..first };
    assert!(matches!(tx.update_price(acme.id, &moved).await, Err(StoreError::Conflict)));
}

async fn a_price_is_read_back_as_it_was_written(store: Store) {
    let (acme, ada) = org_with_user(&store, "acme").await;
    let (globex, _) = org_with_user(&store, "globex").await;
    let provider = provider(acme.id, "main");
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&provider, Inherits::default()).await.unwrap();
    let version = PriceVersion {
        provider_id: Some(provider.id),
        model_provider: Some("openai".to_owned()),
        catalog_slug: Some("openai".to_owned()),
        change_reason: Some("why".to_owned()),
        created_by: Some(ada.id),
        ..price("gpt-4o", 7)
    };
    tx.insert_price(acme.id, &version, Timestamp(1)).await.unwrap();
    let found = tx.price(acme.id, version.id).await.unwrap().unwrap();
    assert_eq!((&found.version, found.org_id), (&version, acme.id));
    assert_eq!(found.provider_name.as_deref(), Some("main"));
    assert_eq!(tx.price(globex.id, version.id).await.unwrap(), None, "it is acme's");

    let changed = PriceVersion { is_archived: true, ..version.clone() };
    let changed = PriceVersion { effective_from: Timestamp(9), ..changed };
    tx.update_price(globex.id, &changed).await.unwrap();
    tx.delete_price(globex.id, version.id).await.unwrap();
    assert_eq!(tx.price(acme.id, version.id).await.unwrap().unwrap().version, version);
    tx.update_price(acme.id, &changed).await.unwrap();
    let found = tx.price(acme.id, version.id).await.unwrap().unwrap().version;
    assert_eq!((found.effective_from, found.is_archived), (Timestamp(9), false));
    tx.delete_price(acme.id, version.id).await.unwrap();
    assert_eq!(tx.price(acme.id, version.id).await.unwrap(), None);
}

async fn what_is_in_force_and_to_come_is_read_without_the_past(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (globex, _) = org_with_user(&store, "globex").await;
    let mut tx = store.write().await.unwrap();
    for from in [10, 20, 30, 40] {
        tx.insert_price(acme.id, &price("a", from), Timestamp(1)).await.unwrap();
    }
    tx.insert_price(acme.id, &price("b", 50), Timestamp(1)).await.unwrap();
    tx.insert_price(globex.id, &price("a", 25), Timestamp(1)).await.unwrap();
    let mut read = async |now| {
        let found = tx.prices_in_force(acme.id, Timestamp(now)).await.unwrap();
        let shown = |version: PriceVersion| (version.model_pattern, version.effective_from.0);
        found.into_iter().map(shown).collect::<Vec<_>>()
    };
    let of = |pattern: &str, times: &[i64]| {
        times.iter().map(|time| (pattern.to_owned(), *time)).collect::<Vec<_>>()
    };
    assert_eq!(read(25).await, [of("a", &[20, 30, 40]), of("b", &[50])].concat());
    assert_eq!(read(20).await, [of("a", &[20, 30, 40]), of("b", &[50])].concat());
    assert_eq!(read(5).await, [of("a", &[10, 20, 30, 40]), of("b", &[50])].concat());
    assert_eq!(read(60).await, [of("a", &[40]), of("b", &[50])].concat());
    let counts = tx.price_counts(acme.id).await.unwrap();
    let counts: std::collections::BTreeMap<_, _> =
        counts.into_iter().map(|(key, count)| (key.model_pattern, count)).collect();
    assert_eq!(counts, [("a".to_owned(), 4), ("b".to_owned(), 1)].into());
}

async fn a_provider_leaves_its_prices_behind(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let provider = provider(acme.id, "main");
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&provider, Inherits::default()).await.unwrap();
    let version = PriceVersion { provider_id: Some(provider.id), ..price("gpt", 7) };
    tx.insert_price(acme.id, &version, Timestamp(1)).await.unwrap();
    tx.delete_provider(acme.id, provider.id).await.unwrap();
    let found = tx.price(acme.id, version.id).await.unwrap().unwrap();
    assert_eq!((found.version, found.provider_name), (version, None), "records may name it");
}

async fn switches_have_defaults_until_they_are_set(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (globex, _) = org_with_user(&store, "globex").await;
    let mut tx = store.write().await.unwrap();
    for require_pricing_for_mappings in [true, false, true] {
        let row = GovernanceRow { require_pricing_for_mappings };
        tx.set_governance(acme.id, row).await.unwrap();
        assert_eq!(tx.governance(acme.id).await.unwrap(), row);
    }
    assert_eq!(tx.governance(globex.id).await.unwrap(), GovernanceRow::default());
}
