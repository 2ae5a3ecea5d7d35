//! `/admin/smart-models/preview`: what the rules of a draft decide about a text, as far as they can
//! without its determiner.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::AdminError,
    extract::Body,
    schemas::Breakpoint,
    smart_inputs::{Create, Slot, refuse_dead_ends},
    state::AdminState,
};
use crate::{auth::Caller, domain::Timestamp, policy::floor_slot};

/// Characters of ordinary text in a token, on average.
const CHARS_PER_TOKEN: usize = 4;

/// A draft of a smart model, and a text to try it on
#[derive(Deserialize, ToSchema)]
#[schema(as = PreviewSmartModelRequest)]
pub(super) struct Preview {
    #[schema(min_length = 1, max_length = 256)]
    model_alias: String,
    #[schema(max_length = 2000)]
    description: Option<String>,
    #[schema(default = true)]
    enabled: Option<bool>,
    #[schema(min_length = 1, max_length = 256)]
    determiner_model_alias: String,
    #[schema(min_items = 1, max_items = 32)]
    slots: Vec<Slot>,
    #[schema(value_type = Option<Vec<Breakpoint>>)]
    context_breakpoints: Option<Vec<i64>>,
    #[schema(minimum = 1, maximum = 1_000_000)]
    determiner_input_max_chars: Option<i64>,
    #[schema(minimum = 0, maximum = 31)]
    default_slot_on_failure: Option<i64>,
    /// Sample text of a request.
    text: String,
    /// Makes no difference to the decision.
    #[schema(default = "/v1/chat/completions")]
    #[serde(rename = "endpoint")]
    _endpoint: Option<String>,
    /// Makes no difference to the decision.
    #[schema(default = false)]
    #[serde(rename = "requires_tools")]
    _requires_tools: Option<bool>,
    /// Makes no difference to the decision.
    #[schema(default = false)]
    #[serde(rename = "requires_vision")]
    _requires_vision: Option<bool>,
    /// Tokens of the request, in place of an estimate from the text.
    #[schema(value_type = Option<i64>, minimum = 0)]
    token_count: Option<i64>,
}

impl Preview {
    fn draft(self) -> Create {
        Create {
            model_alias: self.model_alias,
            description: self.description,
            enabled: self.enabled,
            determiner_model_alias: self.determiner_model_alias,
            slots: self.slots,
            context_breakpoints: self.context_breakpoints,
            determiner_input_max_chars: self.determiner_input_max_chars,
            default_slot_on_failure: self.default_slot_on_failure,
        }
    }
}

/// Where the request would go
#[derive(Serialize, ToSchema)]
#[schema(as = PreviewSmartModelResult)]
pub(super) struct Outcome {
    target_model_alias: String,
    decision: Decision,
}

/// How that was decided
#[derive(Serialize, ToSchema)]
#[schema(as = SmartModelDecision)]
pub(super) struct Decision {
    /// The slot, counted from 0: the higher of the two below.
    slot: usize,
    /// The least slot, by `context_breakpoints`.
    floor_slot: usize,
    /// The slot where the determiner gives none; a preview calls no model, so it takes this one.
    default_slot_on_failure: u32,
    /// Always false.
    determiner_asked: bool,
    /// Characters of the text that the determiner would be shown.
    determiner_input_chars: usize,
    token_count: i64,
    /// Whether `token_count` was estimated from the text.
    token_count_estimated: bool,
    /// The same in words.
    reason: String,
}

/// Try a draft on a sample text
///
/// Checks the draft as creating it would, and calls no model: the decision is the one that is made
/// when the determiner fails, and says so.
#[utoipa::path(
    post,
    path = "/admin/smart-models/preview",
    operation_id = "previewSmartModel",
    tag = "Smart Models",
    request_body = Preview,
    responses((status = 200, body = Outcome))
)]
pub(super) async fn preview(
    State(state): State<AdminState>,
    caller: Caller,
    Body(body): Body<Preview>,
) -> Result<Json<Outcome>, AdminError> {
    if body.token_count.is_some_and(|count| count < 0) {
        return Err(AdminError::bad_request("token_count must not be negative"));
    }
    let (given, chars) = (body.token_count, body.text.chars().count());
    let draft = body.draft().row(caller.org, Timestamp::now())?;
    let mut tx = state.store.read().await?;
    refuse_dead_ends(&mut tx, &draft).await?;
    let estimate = || i64::try_from(chars.div_ceil(CHARS_PER_TOKEN)).unwrap_or(i64::MAX);
    let token_count = given.unwrap_or_else(estimate);
    let floor = floor_slot(&draft.context_breakpoints, token_count);
    let fallback = usize::try_from(draft.default_slot_on_failure).unwrap_or_default();
    let slot = floor.max(fallback);
    let target = draft.slots.get(slot).ok_or_else(AdminError::internal)?;
    let shown = usize::try_from(draft.determiner_input_max_chars).unwrap_or(usize::MAX);
    let why = if floor > fallback { "context_breakpoints ask for it" } else { "it is the default" };
    Ok(Json(Outcome {
        target_model_alias: target.model_alias.clone(),
        decision: Decision {
            slot,
            floor_slot: floor,
            default_slot_on_failure: draft.default_slot_on_failure,
            determiner_asked: false,
            determiner_input_chars: chars.min(shown),
            token_count,
            token_count_estimated: given.is_none(),
            reason: format!("slot {slot}: {why}; the determiner was not asked"),
        },
    }))
}
