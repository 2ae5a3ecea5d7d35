//! `/admin/model-catalog`: what models can do, by what the program knows and what the organization
//! says.

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::request::Parts,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::Body,
    patch::Patch,
    reply::{DELETED, Deleted},
    schemas::{Capability, ModelProvider, ReasoningEffort, ReasoningMode},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{Effort, OrgId, Timestamp},
    pricing::check_pattern,
    provider::{CAPABILITIES, REASONING_MODES, models},
    store::ModelOverrideRow,
};

const WHAT: &str = "model catalog entry";

/// What the organization says of the models of a pattern; absent keeps, null leaves it to what the
/// program knows
#[derive(Deserialize, ToSchema)]
#[schema(as = PutModelCatalogRequest)]
pub(super) struct Put {
    /// Only models of this vendor; null for any vendor's.
    #[serde(default)]
    #[schema(value_type = Option<ModelProvider>)]
    model_provider: Patch<String>,
    /// All that the models can do.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Capability>>)]
    capabilities: Patch<Vec<String>>,
    /// How thinking is asked for.
    #[serde(default)]
    #[schema(value_type = Option<ReasoningMode>)]
    reasoning_mode: Patch<String>,
    /// How hard the models can be told to think, `none` among them where they can be told not to. Another
    /// effort is brought to the nearest of these.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ReasoningEffort>>)]
    efforts: Patch<Vec<String>>,
    /// Tokens of input and output together.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 2_147_483_647i64)]
    context_tokens: Patch<i64>,
    /// Tokens of output.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 2_147_483_647i64)]
    max_output_tokens: Patch<i64>,
}

/// What is known of the models of a pattern; null is not known, and then taken to be possible
#[derive(Serialize, ToSchema)]
#[schema(as = ModelCatalogEntry)]
pub(super) struct EntryView {
    /// A model's name, a prefix ending in `*`, or `*`.
    model_pattern: String,
    /// Null for any vendor.
    #[schema(value_type = Option<ModelProvider>)]
    model_provider: Option<String>,
    #[schema(value_type = Option<Vec<Capability>>)]
    capabilities: Option<Vec<String>>,
    #[schema(value_type = Option<ReasoningMode>)]
    reasoning_mode: Option<String>,
    #[schema(value_type = Option<Vec<ReasoningEffort>>)]
    efforts: Option<Vec<String>>,
    #[schema(value_type = Option<i32>)]
    context_tokens: Option<u32>,
    #[schema(value_type = Option<i32>)]
    max_output_tokens: Option<u32>,
    /// `organization` for what it said itself, which comes first; `shipped` for the rest.
    origin: &'static str,
    /// When shipped facts were last compared with the vendor's.
    as_of: Option<&'static str>,
}

impl From<ModelOverrideRow> for EntryView {
    fn from(row: ModelOverrideRow) -> Self {
        Self {
            model_pattern: row.model_pattern,
            model_provider: row.model_provider,
            capabilities: row.capabilities,
            reasoning_mode: row.reasoning_mode,
            efforts: row.efforts,
            context_tokens: row.context_tokens,
            max_output_tokens: row.max_output_tokens,
            origin: "organization",
            as_of: None,
        }
    }
}

/// The pattern of the path: a model's name may hold anything but control characters.
pub(super) struct Pattern(String);

impl<S: Send + Sync> FromRequestParts<S> for Pattern {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(pattern) = path.map_err(|error| AdminError::bad_request(error.body_text()))?;
        match check_pattern(&pattern) {
            Ok(()) => Ok(Self(pattern)),
            Err(fault) => Err(AdminError::bad_request(format!("model_pattern {fault}"))),
        }
    }
}

/// List what is known of models
///
/// What the organization said itself comes first, and wins over shipped facts.
#[utoipa::path(
    get,
    path = "/admin/model-catalog",
    operation_id = "listModelCatalog",
    tag = "Catalogs",
    responses((status = 200, body = [EntryView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<EntryView>>, AdminError> {
    let own = state.store.read().await?.model_overrides(caller.org).await?;
    Ok(Json(own.into_iter().map(EntryView::from).chain(shipped()).collect()))
}

/// Say what the models of a pattern can do
#[utoipa::path(
    put,
    path = "/admin/model-catalog/{model_pattern}",
    operation_id = "putModelCatalogEntry",
    tag = "Catalogs",
    params(("model_pattern" = String, Path,
        description = "A model's name, a prefix ending in *, or *; URL-encoded.")),
    request_body = Put,
    responses((status = 200, body = EntryView))
)]
pub(super) async fn put(
    State(state): State<AdminState>,
    actor: Actor,
    Pattern(pattern): Pattern,
    Body(body): Body<Put>,
) -> Result<Json<EntryView>, AdminError> {
    let mut change = state.change(&actor).await?;
    let stored = change.tx().model_override(actor.org, &pattern).await?;
    let now = Timestamp::now();
    let row = stored.clone().unwrap_or_else(|| blank(actor.org, pattern, now));
    let row = body.applied(row, now)?;
    change.tx().put_model_override(&row).await?;
    let view = EntryView::from(row);
    let verb = if stored.is_some() { "update" } else { "create" };
    let mut audit = Audit::new(WHAT, verb, None);
    if let Some(stored) = stored {
        audit = audit.before(&EntryView::from(stored))?;
    }
    change.commit(audit.after(&view)?).await?;
    Ok(Json(view))
}

/// Take back what was said of the models of a pattern
///
/// Shipped facts cannot be deleted.
#[utoipa::path(
    delete,
    path = "/admin/model-catalog/{model_pattern}",
    operation_id = "deleteModelCatalogEntry",
    tag = "Catalogs",
    params(("model_pattern" = String, Path, description = "As it was put; URL-encoded.")),
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    Pattern(pattern): Pattern,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let stored = change.tx().model_override(actor.org, &pattern).await?;
    let stored = stored.ok_or_else(|| AdminError::not_found(WHAT))?;
    change.tx().delete_model_override(actor.org, &pattern).await?;
    let audit = Audit::new(WHAT, "delete", None).before(&EntryView::from(stored))?;
    change.commit(audit).await?;
    Ok(DELETED)
}

fn shipped() -> impl Iterator<Item = EntryView> {
    models().vendors().flat_map(|vendor| {
        vendor.models.iter().flat_map(move |model| {
            model.patterns.iter().map(move |pattern| EntryView {
                model_pattern: pattern.clone(),
                model_provider: Some(vendor.model_provider.clone()),
                capabilities: model.capabilities.clone(),
                reasoning_mode: model.reasoning_mode.clone(),
                efforts: model.efforts.clone(),
                context_tokens: model.context_tokens,
                max_output_tokens: model.max_output_tokens,
                origin: "shipped",
                as_of: Some(&vendor.as_of),
            })
        })
    })
}

fn blank(org: OrgId, model_pattern: String, now: Timestamp) -> ModelOverrideRow {
    ModelOverrideRow {
        org_id: org,
        model_pattern,
        model_provider: None,
        capabilities: None,
        reasoning_mode: None,
        efforts: None,
        context_tokens: None,
        max_output_tokens: None,
        created_at: now,
        updated_at: now,
    }
}

impl Put {
    fn applied(
        self,
        mut row: ModelOverrideRow,
        now: Timestamp,
    ) -> Result<ModelOverrideRow, AdminError> {
        let vendors = upstream::vendors();
        let vendor = |text| known("model_provider", text, &vendors);
        self.model_provider.try_map(vendor)?.apply(&mut row.model_provider);
        let capabilities = |given| words("capabilities", given, &CAPABILITIES);
        self.capabilities.try_map(capabilities)?.apply(&mut row.capabilities);
        let mode = |text| known("reasoning_mode", text, &REASONING_MODES);
        self.reasoning_mode.try_map(mode)?.apply(&mut row.reasoning_mode);
        let efforts = |given| words("efforts", given, &Effort::ALL.map(Effort::as_str));
        self.efforts.try_map(efforts)?.apply(&mut row.efforts);
        let context = |value| tokens("context_tokens", value);
        self.context_tokens.try_map(context)?.apply(&mut row.context_tokens);
        let output = |value| tokens("max_output_tokens", value);
        self.max_output_tokens.try_map(output)?.apply(&mut row.max_output_tokens);
        let output_is_more = row.context_tokens.zip(row.max_output_tokens);
        if output_is_more.is_some_and(|(context, output)| output > context) {
            let message = "max_output_tokens must not be more than context_tokens";
            return Err(AdminError::bad_request(message));
        }
        row.updated_at = now;
        Ok(row)
    }
}

fn tokens(field: &str, value: i64) -> Result<u32, AdminError> {
    upstream::in_range(field, value, 1, i32::MAX.unsigned_abs())
}

/// In the order given, each once.
fn words(field: &str, given: Vec<String>, all: &[&str]) -> Result<Vec<String>, AdminError> {
    let mut read: Vec<String> = Vec::with_capacity(given.len().min(all.len()));
    for (place, text) in given.into_iter().enumerate() {
        let word = known(&format!("{field}[{place}]"), text, all)?;
        if !read.contains(&word) {
            read.push(word);
        }
    }
    Ok(read)
}

fn known(field: &str, text: String, known: &[&str]) -> Result<String, AdminError> {
    if known.contains(&text.as_str()) {
        return Ok(text);
    }
    let known = known.join(", ");
    Err(AdminError::bad_request(format!("{field} must be one of: {known}")))
}
