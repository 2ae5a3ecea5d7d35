//! What tests of records and prices share.

use super::{ChangeSource, PriceId, PriceVersion, Rates, SyncMode, Timestamp, UsageRecord};

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
