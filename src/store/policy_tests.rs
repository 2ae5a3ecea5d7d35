//! Policies in the store: one set of tests for both engines.

use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;

use super::{
    testing::{org_with_user, postgres_store, temp_store},
    *,
};
use crate::{
    domain::{
        AccessKind, AccessPolicyId, AccessTarget, AlertEvent, BudgetId, BudgetTarget, Endpoint,
        ExhaustAction, KeyId, Money, OrgId, Period, ProviderId, RateLimitId, RecordId, Scope,
        ScopeType, SmartModelId, Spent, Timestamp, TrafficType, UserId, WebhookId,
    },
    ledger::UsageSink as _,
};

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
    policies_come_back_as_they_went_change_and_go,
    a_scope_is_taken_once_and_none_is_a_scope_of_its_own,
    a_budget_is_told_from_another_by_its_target_and_period,
    another_organization_neither_sees_nor_changes_a_policy,
    an_alias_of_a_smart_model_is_taken_whatever_its_case,
    use_is_summed_by_what_policies_tell_apart,
    what_requests_used_lately_is_told_one_by_one_the_oldest_first,
    records_of_versions_that_knew_no_smart_models_are_summed_as_they_are,
}

fn scope(value: Option<&str>) -> Scope {
    Scope { kind: ScopeType::Group, id: None, value: value.map(str::to_owned) }
}

fn limit(org: OrgId, scope: Scope) -> RateLimitRow {
    RateLimitRow {
        id: RateLimitId::random(),
        org_id: org,
        name: "limit".to_owned(),
        scope,
        requests_per_minute: Some(5),
        tokens_per_minute: None,
        traffic: TrafficType::All,
        enabled: true,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

fn budget(org: OrgId) -> BudgetRow {
    BudgetRow {
        id: BudgetId::random(),
        org_id: org,
        name: "budget".to_owned(),
        scope: Scope { kind: ScopeType::User, id: Some(Uuid::new_v4()), value: None },
        target: BudgetTarget::default(),
        period: Period::Monthly,
        token_limit: i64::MAX,
        cost_limit: Some(Money(1)),
        currency: "USD".to_owned(),
        alert_thresholds: vec![90, 0, 100],
        action: ExhaustAction::Throttle,
        traffic: TrafficType::Llm,
        enabled: true,
        strict: true,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

fn access(org: OrgId) -> AccessRow {
    AccessRow {
        id: AccessPolicyId::random(),
        org_id: org,
        name: "access".to_owned(),
        scope: scope(Some("ops")),
        kind: AccessKind::Denylist,
        targets: vec![
            AccessTarget::Provider { provider_id: ProviderId::random() },
            AccessTarget::Model { model: "gpt-*".to_owned() },
        ],
        traffic: TrafficType::Mcp,
        enabled: true,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

fn smart(org: OrgId, alias: &str) -> SmartModelRow {
    SmartModelRow {
        id: SmartModelId::random(),
        org_id: org,
        model_alias: alias.to_owned(),
        description: Some("d".to_owned()),
        enabled: true,
        determiner_model_alias: "judge".to_owned(),
        slots: vec![
            SmartSlot { model_alias: "a".to_owned(), label: None },
            SmartSlot { model_alias: "b".to_owned(), label: Some("l".to_owned()) },
        ],
        context_breakpoints: vec![5_000_000_000],
        determiner_input_max_chars: 7,
        default_slot_on_failure: 1,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

fn webhook(org: OrgId) -> WebhookRow {
    WebhookRow {
        id: WebhookId::random(),
        org_id: org,
        name: "hook".to_owned(),
        url: "https://a.test".to_owned(),
        events: vec![AlertEvent::RouteEjected, AlertEvent::BudgetThreshold],
        enabled: true,
        sealed: vec![1, 2],
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

fn model(org: OrgId) -> ModelOverrideRow {
    ModelOverrideRow {
        org_id: org,
        model_pattern: "m*".to_owned(),
        model_provider: Some("custom".to_owned()),
        capabilities: Some(vec!["tools".to_owned()]),
        reasoning_mode: None,
        efforts: Some(vec!["low".to_owned(), "high".to_owned()]),
        context_tokens: Some(4096),
        max_output_tokens: None,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

async fn policies_come_back_as_they_went_change_and_go(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let org = org.id;
    let mut tx = store.write().await.unwrap();

    let mut row = limit(org, scope(None));
    tx.insert_rate_limit(&row).await.unwrap();
    assert_eq!(tx.rate_limits(org).await.unwrap(), [row.clone()]);
    row = RateLimitRow {
        name: "other".to_owned(),
        scope: Scope { kind: ScopeType::ModelAlias, id: Some(Uuid::new_v4()), value: None },
        requests_per_minute: None,
        tokens_per_minute: Some(i32::MAX.unsigned_abs()),
        traffic: TrafficType::Llm,
        enabled: false,
        updated_at: Timestamp(2),
        ..row
    };
    tx.update_rate_limit(&row).await.unwrap();
    assert_eq!(tx.rate_limit(org, row.id).await.unwrap(), Some(row.clone()));
    assert!(tx.delete_rate_limit(org, row.id).await.unwrap());
    assert!(!tx.delete_rate_limit(org, row.id).await.unwrap());

    let mut row = budget(org);
    tx.insert_budget(&row).await.unwrap();
    assert_eq!(tx.budgets(org).await.unwrap(), [row.clone()]);
    row = BudgetRow {
        name: "other".to_owned(),
        period: Period::Yearly,
        token_limit: 0,
        cost_limit: None,
        alert_thresholds: Vec::new(),
        action: ExhaustAction::Alert,
        traffic: TrafficType::All,
        enabled: false,
        strict: false,
        updated_at: Timestamp(2),
        ..row
    };
    tx.update_budget(&row).await.unwrap();
    assert_eq!(tx.budget(org, row.id).await.unwrap(), Some(row.clone()));
    assert!(tx.delete_budget(org, row.id).await.unwrap());

    let mut row = access(org);
    tx.insert_access_policy(&row).await.unwrap();
    assert_eq!(tx.access_policies(org).await.unwrap(), [row.clone()]);
    row = AccessRow {
        scope: scope(None),
        kind: AccessKind::Allowlist,
        targets: vec![AccessTarget::ModelAlias { alias: "x".to_owned() }],
        enabled: false,
        ..row
    };
    tx.update_access_policy(&row).await.unwrap();
    assert_eq!(tx.access_policy(org, row.id).await.unwrap(), Some(row.clone()));
    assert!(tx.delete_access_policy(org, row.id).await.unwrap());

    let mut row = smart(org, "Auto");
    tx.insert_smart_model(&row).await.unwrap();
    assert_eq!(tx.smart_models(org).await.unwrap(), [row.clone()]);
    row = SmartModelRow { description: None, slots: Vec::new(), enabled: false, ..row };
    tx.update_smart_model(&row).await.unwrap();
    assert_eq!(tx.smart_model(org, row.id).await.unwrap(), Some(row.clone()));
    assert!(tx.delete_smart_model(org, row.id).await.unwrap());

    let mut row = webhook(org);
    tx.insert_webhook(&row).await.unwrap();
    assert_eq!(tx.webhooks(org).await.unwrap(), [row.clone()]);
    row = WebhookRow { url: "http://b.test".to_owned(), enabled: false, ..row };
    tx.update_webhook(&row).await.unwrap();
    assert_eq!(tx.webhook(org, row.id).await.unwrap(), Some(row.clone()));
    assert!(tx.delete_webhook(org, row.id).await.unwrap());

    let mut row = model(org);
    tx.put_model_override(&row).await.unwrap();
    row = ModelOverrideRow { capabilities: None, reasoning_mode: Some("effort".to_owned()), ..row };
    tx.put_model_override(&row).await.unwrap();
    assert_eq!(tx.model_overrides(org).await.unwrap(), [row.clone()]);
    assert_eq!(tx.model_override(org, "m*").await.unwrap(), Some(row));
    assert!(tx.delete_model_override(org, "m*").await.unwrap());
    tx.commit().await.unwrap();
}

/// Whether the database refuses the limit as a second of its kind. In a transaction of its own.
async fn clashes(store: &Store, row: &RateLimitRow) -> bool {
    let mut tx = store.write().await.unwrap();
    match tx.insert_rate_limit(row).await {
        Ok(()) => {
            tx.commit().await.unwrap();
            false
        }
        Err(StoreError::Conflict) => true,
        Err(other) => panic!("{other}"),
    }
}

async fn a_scope_is_taken_once_and_none_is_a_scope_of_its_own(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let row = |scope| limit(org.id, scope);
    assert!(!clashes(&store, &row(scope(None))).await);
    assert!(clashes(&store, &row(scope(None))).await, "nulls are the same");
    assert!(!clashes(&store, &row(scope(Some("a")))).await);
    assert!(clashes(&store, &row(scope(Some("a")))).await);
    let by_id = Scope { id: Some(Uuid::new_v4()), ..scope(None) };
    assert!(!clashes(&store, &row(by_id.clone())).await);
    assert!(clashes(&store, &row(by_id)).await);
    let other_lane = RateLimitRow { traffic: TrafficType::Llm, ..row(scope(None)) };
    assert!(!clashes(&store, &other_lane).await);
}

async fn a_budget_is_told_from_another_by_its_target_and_period(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let first = budget(org.id);
    let provider = Some(ProviderId::random());
    let text = || Some("m".to_owned());
    let targets = [
        BudgetTarget::default(),
        BudgetTarget { provider, ..BudgetTarget::default() },
        BudgetTarget { provider, upstream_model: text(), model_alias: None },
        BudgetTarget { model_alias: text(), ..BudgetTarget::default() },
    ];
    for period in [Period::Daily, Period::Weekly] {
        for target in &targets {
            let row = || BudgetRow {
                id: BudgetId::random(),
                period,
                target: target.clone(),
                ..first.clone()
            };
            let mut tx = store.write().await.unwrap();
            tx.insert_budget(&row()).await.unwrap();
            tx.commit().await.unwrap();
            let mut tx = store.write().await.unwrap();
            let again = tx.insert_budget(&row()).await;
            assert!(matches!(again, Err(StoreError::Conflict)), "{target:?}");
        }
    }
}

async fn another_organization_neither_sees_nor_changes_a_policy(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (evil, _) = org_with_user(&store, "evil").await;
    let mut tx = store.write().await.unwrap();
    let (limit, budget) = (limit(acme.id, scope(None)), budget(acme.id));
    let (access, smart, webhook) = (access(acme.id), smart(acme.id, "auto"), webhook(acme.id));
    tx.insert_rate_limit(&limit).await.unwrap();
    tx.insert_budget(&budget).await.unwrap();
    tx.insert_access_policy(&access).await.unwrap();
    tx.insert_smart_model(&smart).await.unwrap();
    tx.insert_webhook(&webhook).await.unwrap();
    tx.put_model_override(&model(acme.id)).await.unwrap();

    let other = evil.id;
    assert_eq!(tx.rate_limits(other).await.unwrap(), []);
    assert_eq!(tx.rate_limit(other, limit.id).await.unwrap(), None);
    assert!(!tx.delete_rate_limit(other, limit.id).await.unwrap());
    assert_eq!(tx.budget(other, budget.id).await.unwrap(), None);
    assert!(!tx.delete_budget(other, budget.id).await.unwrap());
    assert_eq!(tx.access_policy(other, access.id).await.unwrap(), None);
    assert!(!tx.delete_access_policy(other, access.id).await.unwrap());
    assert_eq!(tx.smart_model_named(other, "auto").await.unwrap(), None);
    assert!(!tx.delete_smart_model(other, smart.id).await.unwrap());
    assert_eq!(tx.webhook(other, webhook.id).await.unwrap(), None);
    assert!(!tx.delete_webhook(other, webhook.id).await.unwrap());
    assert!(!tx.delete_model_override(other, "m*").await.unwrap());
    let stolen = RateLimitRow { org_id: other, name: "stolen".to_owned(), ..limit.clone() };
    tx.update_rate_limit(&stolen).await.unwrap();
    assert_eq!(tx.rate_limit(acme.id, limit.id).await.unwrap(), Some(limit));
}

async fn an_alias_of_a_smart_model_is_taken_whatever_its_case(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let row = smart(org.id, "Großes Modell");
    let mut tx = store.write().await.unwrap();
    tx.insert_smart_model(&row).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.smart_model_named(org.id, "GROßES modell").await.unwrap(), Some(row));
    let again = tx.insert_smart_model(&smart(org.id, "großes modell")).await;
    assert!(matches!(again, Err(StoreError::Conflict)));
}

struct Use {
    key: KeyId,
    user: UserId,
    provider: ProviderId,
}

impl Use {
    /// The `slow` one is of a smart model and leaves out what says nothing.
    fn record(&self, org: OrgId, ts: i64, alias: &str, cost: Option<f64>, denied: bool) -> Bytes {
        let mut record = json!({
            "id": RecordId::random(), "ts": Timestamp(ts), "org_id": org, "api_key_id": self.key,
            "user_id": self.user, "group_names": ["a \"quoted\" one", "b"],
            "provider_id": self.provider, "provider_name": "p", "upstream_model": "gpt",
            "alias": alias, "smart_model": (alias == "slow").then_some("auto"), "input_tokens": 1,
            "output_tokens": 20, "cache_read_tokens": 300, "cache_write_tokens": 4000,
            "reasoning_tokens": 7, "cost_total": cost, "status": 200, "latency_ms": 1,
            "ttfb_ms": null, "denied_by": denied.then_some("rate_limit"),
        });
        if alias == "slow" {
            let counts = ["cache_read_tokens", "cache_write_tokens", "reasoning_tokens"];
            record
                .as_object_mut()
                .unwrap()
                .retain(|name, value| !value.is_null() && !counts.contains(&name.as_str()));
        }
        Bytes::from(record.to_string())
    }
}

async fn use_is_summed_by_what_policies_tell_apart(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let one = Use { key: KeyId::random(), user: UserId::random(), provider: ProviderId::random() };
    let batch = [
        one.record(org.id, 10, "fast", Some(0.000_000_001), false),
        one.record(org.id, 11, "fast", Some(1.1), false),
        one.record(org.id, 12, "fast", None, false),
        one.record(org.id, 13, "slow", None, false),
        one.record(org.id, 14, "fast", Some(9.0), true),
        one.record(org.id, 9, "fast", Some(9.0), false),
        one.record(other.id, 12, "fast", Some(9.0), false),
    ];
    store.store_usage(&batch).await.unwrap();
    let mut spent = store.spent(org.id, Timestamp(10)).await.unwrap();
    spent.sort_by_key(|spent| spent.alias.clone());
    let expected = |alias: &str, requests, cost| Spent {
        api_key: Some(one.key),
        user: Some(one.user),
        groups: vec!["a \"quoted\" one".to_owned(), "b".to_owned()],
        alias: Some(alias.to_owned()),
        smart_model: (alias == "slow").then(|| "auto".to_owned()),
        provider: Some(one.provider),
        provider_name: Some("p".to_owned()),
        upstream_model: Some("gpt".to_owned()),
        requests,
        tokens: requests * if alias == "slow" { 21 } else { 4321 },
        cost: Money(cost),
    };
    assert_eq!(spent, [expected("fast", 3, 1_100_000_001), expected("slow", 1, 0)]);
    assert_eq!(store.spent(org.id, Timestamp(15)).await.unwrap(), []);

    let days = async |start| {
        let mut tx = store.read().await.unwrap();
        tx.spent_in_days(org.id, start, Timestamp(i64::MAX)).await.unwrap()
    };
    // By days, it is the same but for refused requests, and whole days only.
    let mut spent = days(Timestamp(0)).await;
    spent.sort_by_key(|spent| spent.alias.clone());
    let tokens: Vec<u64> = spent.iter().map(|spent| spent.tokens).collect();
    assert_eq!(tokens, [5 * 4321, 21]);
    let refused = Spent { requests: 5, tokens: 5 * 4321, ..expected("fast", 0, 19_100_000_001) };
    assert_eq!(spent, [refused, expected("slow", 1, 0)]);
    let day = 24 * 60 * 60 * 1_000_000;
    assert_eq!(days(Timestamp(day)).await, []);
}

async fn what_requests_used_lately_is_told_one_by_one_the_oldest_first(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let record = |org: OrgId, ts: i64, more: serde_json::Value| {
        let mut record = json!({
            "id": RecordId::random(), "ts": Timestamp(ts), "org_id": org, "alias": "fast",
            "endpoint": "embeddings", "usage_source": "reported", "input_tokens": 1,
            "output_tokens": 20, "cache_read_tokens": 300, "cache_write_tokens": 4000,
            "cost_total": 0.5, "status": 200,
        });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if more["alias"] == "slow" {
            // Left out, as what says nothing is.
            for name in ["cache_read_tokens", "cache_write_tokens", "cost_total"] {
                record.as_object_mut().unwrap().remove(name);
            }
        }
        Bytes::from(record.to_string())
    };
    let batch = [
        record(org.id, 12, json!({"alias": "slow"})),
        record(org.id, 11, json!({})),
        record(org.id, 13, json!({"usage_source": null})),
        record(org.id, 14, json!({"alias": null})),
        record(other.id, 15, json!({})),
    ];
    store.store_usage(&batch).await.unwrap();
    let used = |alias: &str, tokens, cost| SpentOnce {
        alias: alias.to_owned(),
        endpoint: Some(Endpoint::Embeddings),
        tokens,
        cost: Money(cost),
    };
    let lately = store.spent_lately(org.id).await.unwrap();
    assert_eq!(lately, [used("fast", 4321, 500_000_000), used("slow", 21, 0)]);
}

async fn records_of_versions_that_knew_no_smart_models_are_summed_as_they_are(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let record = |more: serde_json::Value| {
        let mut record = json!({
            "id": RecordId::random(), "ts": Timestamp(10), "org_id": org.id, "alias": "small",
            "input_tokens": 5, "status": 200,
        });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Bytes::from(record.to_string())
    };
    let batch = [record(json!({})), record(json!({"smart_model": "auto"})), record(json!({}))];
    store.store_usage(&batch).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let spent = tx.spent_in_days(org.id, Timestamp(0), Timestamp(i64::MAX)).await.unwrap();
    let mut sums: Vec<_> =
        spent.into_iter().map(|spent| (spent.smart_model, spent.requests, spent.tokens)).collect();
    sums.sort_unstable();
    assert_eq!(sums, [(None, 2, 10), (Some("auto".to_owned()), 1, 5)]);
}
