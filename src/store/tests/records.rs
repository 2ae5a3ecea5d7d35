//! Usage records.

use super::*;

on_both! {
    a_record_that_is_offered_twice_is_stored_once,
    a_record_without_an_organization_is_kept_once_and_shown_to_none,
    a_batch_with_an_unreadable_record_is_refused_whole,
    a_string_with_a_nul_spoils_no_query,
    pages_follow_each_other_without_gap_or_repeat,
    filters_narrow_what_is_listed,
    a_record_is_found_by_its_request_and_by_whether_that_failed,
    records_older_than_the_retention_go_and_the_others_stay,
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
    assert_eq!(
        store.expire_usage(Timestamp(1_400), Timestamp(1_400)).await.unwrap().records,
        1_401
    );
    let left = store.usage(org.id, &RecordFilter::default(), None, 500).await.unwrap();
    assert_eq!(left.records.len(), 100);
    assert_eq!(store.expire_usage(Timestamp(1_400), Timestamp(1_400)).await.unwrap().records, 0);
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
