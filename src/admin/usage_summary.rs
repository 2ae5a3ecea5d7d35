//! `/admin/usage/summary` and `/user/usage/summary`: sums of usage by what the caller chooses.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    error::AdminError,
    extract::Params,
    state::AdminState,
    usage_csv,
    usage_filter::{Told, Which},
};
use crate::{
    auth::Caller,
    domain::{CURRENCY, Money, OrgId, Timestamp},
    store::{Dimension, Label, SummaryRow, UsageFilter},
};

/// Every dimension by its name in `group_by`. `model` is `upstream_model`, as in the filters.
const DIMENSIONS: [(&str, Dimension); 11] = [
    ("day", Dimension::Day),
    ("hour", Dimension::Hour),
    ("user", Dimension::User),
    ("group", Dimension::Group),
    ("api_key", Dimension::ApiKey),
    ("provider", Dimension::Provider),
    ("upstream_model", Dimension::UpstreamModel),
    ("model", Dimension::UpstreamModel),
    ("alias", Dimension::Alias),
    ("smart_model", Dimension::SmartModel),
    ("status", Dimension::Status),
];

/// How it is summed up, as text: each refusal then names its parameter.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    /// Of `day, hour, user, group, api_key, provider, upstream_model, alias, smart_model, status`, any,
    /// separated by commas; `model` means `upstream_model`. Without it there is one row. Days and hours are
    /// UTC. A request of a caller in several groups counts in each of them.
    #[param(example = "day,upstream_model")]
    group_by: Option<String>,
}

/// A dimension and the name by which the caller asked for it: that of its column.
pub(super) type Column = (&'static str, Dimension);

/// What the rows of a summary are about: each is there if `group_by` names it, and null where
/// requests had none
#[derive(ToSchema)]
#[schema(as = UsageSummaryLabels)]
#[expect(dead_code, reason = "describes what is written as a map")]
pub(super) struct Labels {
    /// UTC.
    #[schema(value_type = Option<String>, format = Date, required = false)]
    day: Option<String>,
    /// Its first moment.
    #[schema(required = false)]
    hour: Option<Timestamp>,
    #[schema(required = false)]
    user: Option<Uuid>,
    #[schema(required = false)]
    group: Option<String>,
    #[schema(required = false)]
    api_key: Option<Uuid>,
    /// The name that it had then.
    #[schema(required = false)]
    provider: Option<String>,
    /// With `provider`.
    #[schema(required = false)]
    provider_id: Option<Uuid>,
    #[schema(required = false)]
    upstream_model: Option<String>,
    /// The upstream model, where it was asked for by this name.
    #[schema(required = false)]
    model: Option<String>,
    #[schema(required = false)]
    alias: Option<String>,
    /// The smart model that chose the alias.
    #[schema(required = false)]
    smart_model: Option<String>,
    #[schema(required = false)]
    status: Option<u16>,
}

/// A row of a summary
#[derive(Serialize, ToSchema)]
#[schema(as = UsageSummaryRow)]
pub(super) struct Row {
    #[serde(flatten)]
    #[schema(value_type = Labels)]
    labels: Map<String, Value>,
    #[serde(flatten)]
    figures: Figures,
}

// The order is that of the columns in CSV.
/// The figures of a row
#[derive(Serialize, ToSchema)]
#[schema(as = UsageSummaryFigures)]
struct Figures {
    /// Denied and failed ones too.
    requests: u64,
    /// Requests answered with 400 or above.
    errors: u64,
    /// Input that was neither read from nor written to a cache.
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    /// The part of `output_tokens` that was reasoning.
    reasoning_tokens: u64,
    /// Input, output and both of the cache.
    total_tokens: u64,
    /// Sum of the costs that are known; null where none is.
    cost_total: Option<Money>,
    /// ISO 4217 code of the cost.
    currency: Option<&'static str>,
    /// Requests whose cost is not known, and is not in `cost_total`.
    unpriced_requests: u64,
    /// Whole time. Percentiles are within 1/32 of the exact ones; null where there are no values.
    latency_ms_p50: Option<u64>,
    latency_ms_p90: Option<u64>,
    latency_ms_p95: Option<u64>,
    latency_ms_p99: Option<u64>,
    /// Time to the first byte, of requests that got one.
    ttfb_ms_p50: Option<u64>,
    ttfb_ms_p90: Option<u64>,
    ttfb_ms_p95: Option<u64>,
    ttfb_ms_p99: Option<u64>,
}

/// A summary of usage, in the order of `group_by`
#[derive(Serialize, ToSchema)]
#[schema(as = UsageSummary)]
pub(super) struct Summary {
    data: Vec<Row>,
}

/// Sum usage up
///
/// By any dimensions, over any period. Whole days and hours are read from sums, so a summary of a
/// year costs no more than one of its days.
#[utoipa::path(
    get,
    path = "/admin/usage/summary",
    operation_id = "summarizeUsage",
    tag = "Usage",
    params(Which, How, Told),
    responses((status = 200, content((Summary = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn of_org(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(how): Params<How>,
    Params(told): Params<Told>,
) -> Result<Response, AdminError> {
    summary(&state, caller.org, which.filter()?, &how, &told).await
}

/// Sum the caller's own usage up
///
/// Whatever `user` says.
#[utoipa::path(
    get,
    path = "/user/usage/summary",
    operation_id = "summarizeUserUsage",
    tag = "Usage",
    params(Which, How, Told),
    responses((status = 200, content((Summary = "application/json"), (String = "text/csv"))))
)]
pub(super) async fn of_user(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(how): Params<How>,
    Params(told): Params<Told>,
) -> Result<Response, AdminError> {
    let filter = UsageFilter { user: Some(caller.user), ..which.filter()? };
    summary(&state, caller.org, filter, &how, &told).await
}

async fn summary(
    state: &AdminState,
    org: OrgId,
    filter: UsageFilter,
    how: &How,
    told: &Told,
) -> Result<Response, AdminError> {
    let columns = how.columns()?;
    let as_csv = told.is_csv()?;
    if filter.from.zip(filter.to).is_some_and(|(from, to)| from >= to) {
        return Err(AdminError::bad_request("to must be later than from"));
    }
    let by: Vec<Dimension> = columns.iter().map(|(_, dimension)| *dimension).collect();
    let rows = state.store.usage_summary(org, &filter, &by).await?;
    let rows: Vec<Row> = rows.iter().map(|row| Row::new(&columns, row)).collect();
    if !as_csv {
        return Ok(Json(Summary { data: rows }).into_response());
    }
    let csv = usage_csv::write(&columns, &rows).map_err(|error| {
        tracing::error!(%error, "a summary cannot be written");
        AdminError::internal()
    })?;
    Ok((usage_csv::headers("usage-summary.csv"), csv).into_response())
}

impl How {
    fn columns(&self) -> Result<Vec<Column>, AdminError> {
        let mut columns: Vec<Column> = Vec::new();
        let names = self.group_by.as_deref().filter(|text| !text.is_empty());
        for name in names.into_iter().flat_map(|text| text.split(',')).map(str::trim) {
            let known = DIMENSIONS.iter().find(|(known, _)| *known == name);
            let column = known.ok_or_else(|| {
                AdminError::bad_request(format!(
                    "group_by: `{name}` is none of day, hour, user, group, api_key, provider, \
                     upstream_model, alias, smart_model, status; separate several by commas"
                ))
            })?;
            if columns.iter().any(|(_, dimension)| *dimension == column.1) {
                let message = format!("group_by names {name} twice");
                return Err(AdminError::bad_request(message));
            }
            columns.push(*column);
        }
        Ok(columns)
    }
}

impl Row {
    fn new(columns: &[Column], row: &SummaryRow) -> Self {
        let mut labels = Map::new();
        for ((name, dimension), label) in columns.iter().zip(row.labels.iter().cloned()) {
            let mut put = |name: &str, value: Value| labels.insert(name.to_owned(), value);
            if *dimension == Dimension::Provider {
                put("provider_id", provider_id(&label));
            }
            put(name, value(label, *dimension));
        }
        Self { labels, figures: Figures::from(row) }
    }
}

fn provider_id(label: &Label) -> Value {
    match label {
        Label::Provider(_, Some(id)) => Value::from(id.to_string()),
        _ => Value::Null,
    }
}

fn value(label: Label, dimension: Dimension) -> Value {
    match label {
        Label::None => Value::Null,
        Label::Time(at) => {
            let text = at.to_string();
            let day = text.split('T').next().filter(|_| dimension == Dimension::Day);
            Value::from(day.unwrap_or(&text))
        }
        Label::Id(id) => Value::from(id.to_string()),
        Label::Provider(name, _) => Value::from(name),
        Label::Text(text) => Value::from(text),
        Label::Number(number) => Value::from(number),
    }
}

impl From<&SummaryRow> for Figures {
    fn from(row: &SummaryRow) -> Self {
        let tokens =
            [row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens];
        Self {
            requests: row.requests,
            errors: row.errors,
            input_tokens: row.input_tokens,
            output_tokens: row.output_tokens,
            cache_read_tokens: row.cache_read_tokens,
            cache_write_tokens: row.cache_write_tokens,
            reasoning_tokens: row.reasoning_tokens,
            total_tokens: tokens.into_iter().fold(0, u64::saturating_add),
            cost_total: row.cost_total,
            currency: row.cost_total.map(|_| CURRENCY),
            unpriced_requests: row.unpriced_requests,
            latency_ms_p50: row.latency_ms.p50,
            latency_ms_p90: row.latency_ms.p90,
            latency_ms_p95: row.latency_ms.p95,
            latency_ms_p99: row.latency_ms.p99,
            ttfb_ms_p50: row.ttfb_ms.p50,
            ttfb_ms_p90: row.ttfb_ms.p90,
            ttfb_ms_p95: row.ttfb_ms.p95,
            ttfb_ms_p99: row.ttfb_ms.p99,
        }
    }
}
