//! What tests of records and prices share.

use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Attempt, ChangeSource, Endpoint, KeyId, Money, OrgId, PriceId, PriceSource, PriceVersion,
    ProviderId, Rates, RecordId, SyncMode, Timestamp, UsageRecord, UsageSource, UserId,
};

/// The record of a request of which nothing is told but that it was answered.
pub(crate) fn usage_record() -> UsageRecord<'static> {
    serde_json::from_value(serde_json::json!({
        "id": "11111111-1111-4111-8111-111111111111",
        "ts": "2026-01-02T03:04:05.678Z",
        "group_names": [],
        "status": 200,
        "stream": false,
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
        "latency_ms": 1,
        "attempts": [],
        "retry_count": 0,
        "retry_sleep_ms": 0,
        "request_id": "req-1",
    }))
    .expect("a record")
}

/// A version for `pattern` of any provider, in force from `from` on.
pub(crate) fn price_version(pattern: &str, from: Timestamp, rates: Rates) -> PriceVersion {
    PriceVersion {
        id: PriceId::random(),
        provider_id: None,
        model_provider: None,
        catalog_slug: None,
        model_pattern: pattern.to_owned(),
        rates,
        effective_from: from,
        sync_mode: SyncMode::Pinned,
        change_source: ChangeSource::AdminCreate,
        change_reason: None,
        is_archived: false,
        created_by: None,
    }
}

fn some_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof!["[a-z0-9-]{0,40}", any::<String>(), "[\\x00-\\x30\"\\\\]{1,20}"])
}

fn attempt() -> impl Strategy<Value = Attempt> {
    (some_text(), some_text(), any::<Option<u16>>(), any::<u32>()).prop_map(
        |(provider, message, status, retries)| Attempt {
            provider: provider.unwrap_or_default().into(),
            upstream_model: "m".into(),
            status,
            error_type: "timeout".into(),
            message: message.unwrap_or_default(),
            retries,
        },
    )
}

prop_compose! {
    /// Any record, with whatever text may come.
    pub(crate) fn any_record()(
        ids in any::<[Option<u128>; 5]>(),
        texts in prop::collection::vec(some_text(), 10),
        numbers in any::<[u64; 8]>(),
        retries in any::<u32>(),
        micros in any::<i64>(),
        request_id in some_text(),
        zero in 0_usize..8,
        flags in any::<[Option<bool>; 3]>(),
        costs in prop::array::uniform3(prop::option::of(0..1_i64 << 50)),
        endpoint in prop::option::of(prop::sample::select(&Endpoint::ALL[..])),
        source in prop::option::of(prop::sample::select(PriceSource::ALL)),
        attempts in prop::collection::vec(attempt(), 0..3),
        groups in prop::collection::vec(some_text(), 0..3),
    ) -> UsageRecord<'static> {
        let id = |at: usize| ids[at].map(Uuid::from_u128);
        let text = |at: usize| texts[at].clone().map(Into::into);
        let number = |at: usize| if at == zero { 0 } else { numbers[at] };
        let cost = |at: usize| costs[at].map(Money);
        UsageRecord {
            id: RecordId(Uuid::from_u128(7)),
            // Years 1 to 9999, of which Text writes those since 1970.
            ts: Timestamp(micros % 62_000_000_000_000_000),
            org_id: id(0).map(OrgId),
            api_key_id: id(1).map(KeyId),
            user_id: id(2).map(UserId),
            group_names: groups.into_iter().flatten().collect(),
            endpoint,
            requested_model: text(0),
            alias: text(1),
            smart_model: text(2),
            provider_id: id(3).map(ProviderId),
            provider_name: text(3),
            upstream_model: text(4),
            used_model: text(5),
            status: 503,
            error_type: text(6),
            denied_by: text(7),
            throttled_by: text(8),
            stream: flags[0] == Some(true),
            input_tokens: number(1),
            output_tokens: number(2),
            cache_read_tokens: number(3),
            cache_write_tokens: number(4),
            reasoning_tokens: number(5),
            usage_source: flags[1].map(|reported| {
                if reported { UsageSource::Reported } else { UsageSource::Estimated }
            }),
            cost_input: cost(0),
            cost_output: cost(1),
            cost_total: cost(2),
            currency: Some("USD".into()),
            pricing_rule_id: id(4).map(PriceId),
            pricing_source: source,
            latency_ms: number(6),
            ttfb_ms: flags[2].map(|_| number(7)),
            attempts: attempts.into(),
            retry_count: if retries % 3 == 0 { 0 } else { retries },
            retry_sleep_ms: number(0),
            request_id: request_id.unwrap_or_default().into(),
            client: text(9),
        }
    }
}
