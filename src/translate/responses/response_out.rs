//! The `response` object as clients get it, whole and in events.
//!
//! What the SDKs' types need is always there.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response.py>

use std::borrow::Cow;

use serde::Serialize;

use super::{
    super::{Answering, form::StopReason},
    echo::Echo,
    output_items::ItemOut,
};
use crate::domain::TokenUsage;

/// The object.
#[derive(Serialize)]
pub struct ResponseOut<'r> {
    id: &'r str,
    object: &'static str,
    created_at: i64,
    status: &'static str,
    error: Option<ErrorOut<'r>>,
    incomplete_details: Option<Incomplete>,
    model: &'r str,
    output: Vec<ItemOut<'r>>,
    /// What the client asked for, repeated.
    #[serde(flatten)]
    asked: &'r Echo,
    background: bool,
    previous_response_id: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'r str>,
    /// Whatever was asked: nothing is kept here, so nothing can be fetched later.
    store: bool,
    usage: Option<UsageOut>,
}

/// Why the response failed.
#[derive(Clone, Copy, Serialize)]
pub struct ErrorOut<'r> {
    /// One of the API's codes.
    pub code: &'static str,
    /// What went wrong.
    pub message: &'r str,
}

#[derive(Serialize)]
struct Incomplete {
    reason: &'static str,
}

/// `usage`.
#[derive(Serialize)]
struct UsageOut {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl From<&TokenUsage> for UsageOut {
    /// Here the input has the cached tokens in it.
    fn from(usage: &TokenUsage) -> Self {
        let cached = usage.cache_read.saturating_add(usage.cache_write);
        let input_tokens = usage.input.saturating_add(cached);
        Self {
            input_tokens,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write,
            },
            output_tokens: usage.output,
            output_tokens_details: OutputDetails { reasoning_tokens: usage.reasoning },
            total_tokens: input_tokens.saturating_add(usage.output),
        }
    }
}

/// What a response says beside its output.
#[derive(Clone, Copy)]
pub struct Head<'r> {
    /// `resp_…`.
    pub id: &'r str,
    /// Unix seconds.
    pub created: i64,
    /// The model.
    pub model: &'r str,
    /// `service_tier`.
    pub service_tier: Option<&'r str>,
    /// The request's parameters.
    pub asked: &'r Echo,
}

/// Where a response is in its life.
#[derive(Clone, Copy)]
pub enum Status<'r> {
    /// It goes on.
    InProgress,
    /// It ended, for this reason.
    Ended(Option<StopReason>),
    /// It failed.
    Failed(ErrorOut<'r>),
}

impl<'r> ResponseOut<'r> {
    /// The object.
    pub fn new(
        head: Head<'r>,
        status: Status<'r>,
        output: Vec<ItemOut<'r>>,
        usage: Option<&TokenUsage>,
    ) -> Self {
        let (word, error, reason) = match status {
            Status::InProgress => ("in_progress", None, None),
            Status::Failed(error) => ("failed", Some(error), None),
            Status::Ended(stop) => match incomplete(stop) {
                None => ("completed", None, None),
                Some(reason) => ("incomplete", None, Some(reason)),
            },
        };
        Self {
            id: head.id,
            object: "response",
            created_at: head.created,
            status: word,
            error,
            incomplete_details: reason.map(|reason| Incomplete { reason }),
            model: head.model,
            output,
            asked: head.asked,
            background: false,
            previous_response_id: (),
            service_tier: head.service_tier,
            store: false,
            usage: usage.map(UsageOut::from),
        }
    }
}

/// `incomplete_details.reason`; none where the response is complete.
pub const fn incomplete(stop: Option<StopReason>) -> Option<&'static str> {
    match stop {
        Some(StopReason::Length | StopReason::ContextWindow) => Some("max_output_tokens"),
        Some(StopReason::ContentFilter | StopReason::Refusal) => Some("content_filter"),
        None
        | Some(
            StopReason::End | StopReason::StopSequence | StopReason::ToolCalls | StopReason::Pause,
        ) => None,
    }
}

/// The id of the response: the vendor's where it is one of this API, else made.
pub fn response_id<'r>(vendors: Option<&'r str>, context: &Answering) -> Cow<'r, str> {
    match vendors.filter(|id| id.starts_with("resp_")) {
        Some(id) => id.into(),
        None => format!("resp_{}", context.seed).into(),
    }
}

/// The model that a response names.
pub fn model<'r>(vendors: Option<&'r str>, context: &'r Answering) -> &'r str {
    vendors.filter(|model| !context.force_model && !model.is_empty()).unwrap_or(&context.model)
}

/// The parameters of the request that is answered.
pub fn asked(context: &Answering) -> &Echo {
    context.echo.as_deref().unwrap_or_else(|| Echo::none())
}
