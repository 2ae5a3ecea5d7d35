//! `/admin/smart-models/preview`: what a draft decides about a text.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    change::Actor,
    error::AdminError,
    extract::Body,
    schemas::Breakpoint,
    smart_inputs::{Create, Slot, refuse_dead_ends},
    state::AdminState,
};
use crate::{
    auth::Principal,
    domain::{Person, TEXT_BYTES_PER_TOKEN, Timestamp},
    policy::{self, SlotReason},
    snapshot::SmartModel,
    store::SmartModelRow,
};

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
    /// The slot, counted from 0: the determiner's, or the default where it gave none; `floor_slot` where
    /// that is higher.
    slot: usize,
    /// The least slot, by `context_breakpoints`.
    floor_slot: usize,
    /// The slot where the determiner gives none.
    default_slot_on_failure: u32,
    /// Whether the determiner was asked: not where there is one slot only, the highest is the least, or
    /// the text is empty.
    determiner_asked: bool,
    /// The slot that it named; null where it was not asked, failed, took too long, or said something else.
    determiner_slot: Option<usize>,
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
/// Checks the draft as creating it would, and asks its determiner, as a request of that text would: the call is
/// recorded, and charged to the organization and to whoever asks. Nothing is sent to a slot.
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
    actor: Actor,
    Body(body): Body<Preview>,
) -> Result<Json<Outcome>, AdminError> {
    if body.token_count.is_some_and(|count| count < 0) {
        return Err(AdminError::bad_request("token_count must not be negative"));
    }
    let sample = Sample::of(&body);
    let draft = body.draft().row(actor.org, Timestamp::now())?;
    let mut tx = state.store.read().await?;
    refuse_dead_ends(&mut tx, &draft).await?;
    drop(tx);
    decided(&state, &actor, &draft, &sample).await.map(Json)
}

/// The request that is tried.
struct Sample {
    text: String,
    tokens: i64,
    estimated: bool,
}

impl Sample {
    fn of(body: &Preview) -> Self {
        let guess = || (body.text.len() as u64).div_ceil(TEXT_BYTES_PER_TOKEN);
        let guess = || i64::try_from(guess()).unwrap_or(i64::MAX);
        Self {
            text: body.text.clone(),
            tokens: body.token_count.unwrap_or_else(guess),
            estimated: body.token_count.is_none(),
        }
    }
}

async fn decided(
    state: &AdminState,
    actor: &Actor,
    draft: &SmartModelRow,
    sample: &Sample,
) -> Result<Outcome, AdminError> {
    let most = usize::try_from(draft.determiner_input_max_chars).unwrap_or(usize::MAX);
    let shown = policy::last_texts(std::iter::once(sample.text.as_str()), most);
    let floor = policy::floor_slot(&draft.context_breakpoints, sample.tokens);
    let forced = policy::forced_slot(draft.slots.len(), floor);
    let asked = forced.is_none() && !shown.is_empty();
    let named = if asked {
        let model = SmartModel::from(draft);
        state.outside.determiner.slot(principal(actor), &model, &shown, actor.request()).await
    } else {
        None
    };
    let default = usize::try_from(draft.default_slot_on_failure).unwrap_or_default();
    let selected = forced.unwrap_or_else(|| policy::select_slot(named, default, floor));
    let target = draft.slots.get(selected.slot).ok_or_else(AdminError::internal)?;
    Ok(Outcome {
        target_model_alias: target.model_alias.clone(),
        decision: Decision {
            slot: selected.slot,
            floor_slot: floor,
            default_slot_on_failure: draft.default_slot_on_failure,
            determiner_asked: asked,
            determiner_slot: named,
            determiner_input_chars: shown.chars().count(),
            token_count: sample.tokens,
            token_count_estimated: sample.estimated,
            reason: format!("slot {}: {}", selected.slot, words(selected.reason, asked)),
        },
    })
}

const fn words(reason: SlotReason, asked: bool) -> &'static str {
    match (reason, asked) {
        (SlotReason::Determiner, _) => "the determiner chose it",
        (SlotReason::ContextBreakpoints, _) => "context_breakpoints allow no lower one",
        (SlotReason::OnlySlot, _) => "there is no other",
        (SlotReason::Default, true) => "it is the default; the determiner gave no slot",
        (SlotReason::Default, false) => "it is the default; there was nothing to ask about",
    }
}

/// Who asks, as the data plane knows callers.
fn principal(actor: &Actor) -> Arc<Principal> {
    let person =
        Person { subject: actor.subject.clone(), email: actor.email.clone(), roles: Vec::new() };
    Arc::new(Principal {
        org: actor.org,
        key: None,
        key_name: "".into(),
        user: Some(actor.user),
        person: Some(person),
        groups: actor.groups.clone().into(),
        expires_at: None,
    })
}
