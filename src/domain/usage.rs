//! What a request used: the ledger's record (one per request, denied and failed ones too).

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Endpoint, KeyId, Money, OrgId, PriceId, PriceSource, ProviderId, RecordId, Timestamp, UserId,
};

/// What a usage record has as its client where the gateway itself asked a smart model's determiner. No
/// client is recorded under that name.
pub const DETERMINER_CLIENT: &str = "turnpike-determiner";

/// Tokens of one request, each counted once: `input` excludes cached and cache-written tokens
/// for every vendor, `output` includes `reasoning`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUsage {
    /// Input tokens that were neither read from nor written to a prompt cache.
    pub input: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// Input tokens read from a prompt cache.
    pub cache_read: u64,
    /// Input tokens written to a prompt cache.
    pub cache_write: u64,
    /// The part of `cache_write` that is kept for an hour, where the vendor says so.
    #[serde(default, skip)]
    pub cache_write_hour: u64,
    /// The part of `output` that was reasoning, where the vendor says so.
    pub reasoning: u64,
}

/// Where the token figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The vendor reported them.
    Reported,
    /// The gateway estimated them.
    Estimated,
}

impl UsageSource {
    /// Name in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Estimated => "estimated",
        }
    }
}

/// How an attempt on one route ended, as a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The answer reached the client.
    Ok,
    /// The vendor's 4xx, passed to the client as its own.
    ClientError,
    /// 429 after its retries.
    RateLimited,
    /// 401 or 403 against the gateway's own credential.
    AuthFailed,
    /// 5xx, 529, or an error as a stream's first event.
    UpstreamError,
    /// Refused, reset, or cut off.
    NetworkError,
    /// TLS handshake failed.
    TlsError,
    /// First-byte, idle or total timeout.
    Timeout,
    /// The client left first.
    ClientGone,
}

impl AttemptOutcome {
    /// Name in metrics and in `error.attempts[].error_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::RateLimited => "rate_limited",
            Self::AuthFailed => "auth_failed",
            Self::UpstreamError => "upstream_error",
            Self::NetworkError => "network_error",
            Self::TlsError => "tls_error",
            Self::Timeout => "timeout",
            Self::ClientGone => "client_gone",
        }
    }
}

/// One route that was tried, as the record and the 502's `error.attempts[]` show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// Provider name.
    #[schema(value_type = String)]
    pub provider: Arc<str>,
    /// Model id sent upstream.
    #[schema(value_type = String)]
    pub upstream_model: Arc<str>,
    /// Status the vendor answered; null where none came.
    pub status: Option<u16>,
    /// How it ended; `ok` for the one that answered.
    pub error_type: Cow<'static, str>,
    /// What went wrong, in words that never contain a credential; empty for success.
    pub message: String,
    /// 429 retries made in place on this route.
    pub retries: u32,
}

/// Contract section 6. Never prompts or answers. Borrows where it can: it is written once for every
/// request, from what the request has at hand.
// Its text is written by `UsageRecord::write`, without what says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub struct UsageRecord<'a> {
    /// Idempotency key of the whole pipeline: a record is stored once.
    pub id: RecordId,
    /// When the request arrived.
    pub ts: Timestamp,
    /// The key's organization; null where the key was not known.
    pub org_id: Option<OrgId>,
    /// The key; null where it was not known.
    pub api_key_id: Option<KeyId>,
    /// The key's user, if it has one.
    pub user_id: Option<UserId>,
    /// The caller's groups.
    #[serde(default)]
    #[schema(required)]
    pub group_names: Cow<'a, [String]>,
    /// The operation; null for a path that is none.
    pub endpoint: Option<Endpoint>,
    /// The client's `model`, cut at 256 characters.
    pub requested_model: Option<Cow<'a, str>>,
    /// What it resolved to.
    pub alias: Option<Cow<'a, str>>,
    /// The smart model that chose the alias, or on whose behalf its determiner was asked; null otherwise.
    pub smart_model: Option<Cow<'a, str>>,
    /// The route that answered, or the last that was tried.
    pub provider_id: Option<ProviderId>,
    /// Its provider's name.
    pub provider_name: Option<Cow<'a, str>>,
    /// The model id sent upstream.
    pub upstream_model: Option<Cow<'a, str>>,
    /// The dated id that the vendor named in its answer.
    pub used_model: Option<Cow<'a, str>>,
    /// Status sent to the client; 499 when it left first.
    pub status: u16,
    /// Machine-readable class of the failure; null for success.
    pub error_type: Option<Cow<'a, str>>,
    /// The check that denied the request; null otherwise.
    pub denied_by: Option<Cow<'a, str>>,
    /// The exhausted budget that served the request on (`action_on_exhaust` is `throttle`); null otherwise.
    pub throttled_by: Option<Cow<'a, str>>,
    /// Whether the client asked for a stream.
    #[serde(default)]
    #[schema(required)]
    pub stream: bool,
    /// See [`TokenUsage::input`].
    pub input_tokens: u64,
    /// See [`TokenUsage::output`].
    pub output_tokens: u64,
    /// See [`TokenUsage::cache_read`].
    #[serde(default)]
    #[schema(required)]
    pub cache_read_tokens: u64,
    /// See [`TokenUsage::cache_write`].
    #[serde(default)]
    #[schema(required)]
    pub cache_write_tokens: u64,
    /// See [`TokenUsage::reasoning`].
    #[serde(default)]
    #[schema(required)]
    pub reasoning_tokens: u64,
    /// Where the tokens come from; null where there are none.
    pub usage_source: Option<UsageSource>,
    /// Cost of the input, cached tokens included; null where the price or the tokens are not known,
    /// never 0 for unknown.
    pub cost_input: Option<Money>,
    /// Cost of the output.
    pub cost_output: Option<Money>,
    /// Both.
    pub cost_total: Option<Money>,
    /// ISO 4217 code of the costs.
    pub currency: Option<Cow<'a, str>>,
    /// The price version that priced it.
    pub pricing_rule_id: Option<PriceId>,
    /// The tier that priced it, `none` where no price is known; null where no tokens are.
    pub pricing_source: Option<PriceSource>,
    /// Whole time, milliseconds.
    pub latency_ms: u64,
    /// Time to the first byte of the answer, milliseconds; null where none was sent.
    pub ttfb_ms: Option<u64>,
    /// Every route tried, in order.
    #[serde(default)]
    #[schema(required)]
    pub attempts: Cow<'a, [Attempt]>,
    /// 429 retries in place, all routes together.
    #[serde(default)]
    #[schema(required)]
    pub retry_count: u32,
    /// Time slept before them, milliseconds.
    #[serde(default)]
    #[schema(required)]
    pub retry_sleep_ms: u64,
    /// The `x-request-id` of the request.
    pub request_id: Cow<'a, str>,
    /// The client's `User-Agent`, cut at 256 characters.
    pub client: Option<Cow<'a, str>>,
}
