//! `/admin/alert-webhooks`: whom alerts are told to.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    paging::{Listed, Listing},
    refusals::Conflict,
    reply::{DELETED, Deleted},
    schemas::{AlertName, Url},
    scopes,
    sorting::{self, Entry, Order, Sorts, name},
    state::AdminState,
    upstream,
};
use crate::{
    alerts::WebhookSecret,
    auth::Caller,
    domain::{AlertEvent, OrgId, Timestamp, WebhookId},
    store::{StoreError, Tx, WebhookRow},
};

const WHAT: &str = "alert webhook";
const MAX_URL_CHARS: usize = 2_048;

/// A new webhook
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateAlertWebhookRequest)]
pub(super) struct Create {
    /// Unique within the organization.
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    /// Where messages are posted to. Its address is checked against `upstream.deny_addresses` when
    /// it is connected to.
    #[schema(value_type = Url, max_length = 2048)]
    url: String,
    #[schema(value_type = Vec<AlertName>, min_items = 1)]
    events: Vec<String>,
    #[schema(default = true)]
    enabled: Option<bool>,
}

/// Changes to a webhook; absent and null keep
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateAlertWebhookRequest)]
pub(super) struct Update {
    #[schema(min_length = 1, max_length = 256)]
    name: Option<String>,
    #[schema(value_type = Option<Url>, max_length = 2048)]
    url: Option<String>,
    #[schema(value_type = Option<Vec<AlertName>>, min_items = 1)]
    events: Option<Vec<String>>,
    enabled: Option<bool>,
}

/// An alert webhook, without its secret
#[derive(Serialize, ToSchema)]
#[schema(as = AlertWebhook)]
pub(super) struct WebhookView {
    id: WebhookId,
    org_id: OrgId,
    name: String,
    #[schema(value_type = Url)]
    url: String,
    #[schema(value_type = Vec<AlertName>)]
    events: Vec<AlertEvent>,
    enabled: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// A webhook as it is answered once, when it is made
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedAlertWebhook)]
pub(super) struct CreatedWebhook {
    #[serde(flatten)]
    webhook: WebhookView,
    /// The key of its signatures (Standard Webhooks), shown only here.
    #[schema(examples("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"))]
    secret: String,
}

impl Entry for WebhookView {
    const LIST: &'static str = "alert webhooks";
    const SORTS: Sorts<Self> = &[("name", |webhook| Some(name(&webhook.name)))];

    fn text(&self) -> String {
        let words =
            |event: &AlertEvent| [event.as_str().to_owned(), event.as_str().replace('_', " ")];
        let events = self.events.iter().flat_map(words);
        [self.name.clone(), self.url.clone()]
            .into_iter()
            .chain(events)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Names are the organization's own.
    fn identity(&self) -> String {
        self.name.clone()
    }
}

impl From<WebhookRow> for WebhookView {
    fn from(row: WebhookRow) -> Self {
        Self {
            id: row.id,
            org_id: row.org_id,
            name: row.name,
            url: row.url,
            events: row.events,
            enabled: row.enabled,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// List alert webhooks
///
/// Each word of `q` is searched in name, URL and events; `sort` is `name`.
#[utoipa::path(
    get,
    path = "/admin/alert-webhooks",
    operation_id = "listAlertWebhooks",
    tag = "Alert Webhooks",
    params(Listing, Order),
    responses((status = 200, body = [WebhookView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<WebhookView>, AdminError> {
    let rows = state.store.read().await?.webhooks(caller.org).await?;
    sorting::part(rows.into_iter().map(WebhookView::from).collect(), &listing, &order)
}

/// Create an alert webhook
///
/// Its secret is in this answer only.
#[utoipa::path(
    post,
    path = "/admin/alert-webhooks",
    operation_id = "createAlertWebhook",
    tag = "Alert Webhooks",
    request_body = Create,
    responses((status = 200, body = CreatedWebhook), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<Json<CreatedWebhook>, AdminError> {
    let (id, now) = (WebhookId::random(), Timestamp::now());
    let secret = WebhookSecret::random().ok_or_else(AdminError::internal)?;
    let row = WebhookRow {
        id,
        org_id: actor.org,
        name: upstream::text("name", body.name)?,
        url: url(body.url)?,
        events: events(&body.events)?,
        enabled: body.enabled.unwrap_or(true),
        sealed: secret.seal(&state.keyring, actor.org, id)?,
        created_at: now,
        updated_at: now,
    };
    let mut change = state.change(&actor).await?;
    let inserted = change.tx().insert_webhook(&row).await;
    inserted.map_err(|error| name_taken(error, &row.name))?;
    let webhook = WebhookView::from(row);
    change.commit(Audit::created(WHAT, id.0, &webhook)?).await?;
    Ok(Json(CreatedWebhook { webhook, secret: secret.shown() }))
}

/// Update an alert webhook
#[utoipa::path(
    put,
    path = "/admin/alert-webhooks/{id}",
    operation_id = "updateAlertWebhook",
    tag = "Alert Webhooks",
    request_body = Update,
    responses((status = 200, body = WebhookView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<WebhookView>, AdminError> {
    let mut change = state.change(&actor).await?;
    let stored = existing(change.tx(), actor.org, WebhookId(id)).await?;
    let row = body.applied(stored.clone(), Timestamp::now())?;
    let updated = change.tx().update_webhook(&row).await;
    updated.map_err(|error| name_taken(error, &row.name))?;
    let (before, view) = (WebhookView::from(stored), WebhookView::from(row));
    change.commit(Audit::updated(WHAT, id, &before, &view)?).await?;
    Ok(Json(view))
}

/// Delete an alert webhook
///
/// What was yet to be told to it is not told any more.
#[utoipa::path(
    delete,
    path = "/admin/alert-webhooks/{id}",
    operation_id = "deleteAlertWebhook",
    tag = "Alert Webhooks",
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let row = existing(change.tx(), actor.org, WebhookId(id)).await?;
    change.tx().delete_webhook(actor.org, row.id).await?;
    change.commit(Audit::deleted(WHAT, id, &WebhookView::from(row))?).await?;
    Ok(DELETED)
}

impl Update {
    fn applied(self, mut row: WebhookRow, now: Timestamp) -> Result<WebhookRow, AdminError> {
        if let Some(name) = self.name {
            row.name = upstream::text("name", name)?;
        }
        if let Some(given) = self.url {
            row.url = url(given)?;
        }
        if let Some(given) = self.events {
            row.events = events(&given)?;
        }
        row.enabled = self.enabled.unwrap_or(row.enabled);
        row.updated_at = now;
        Ok(row)
    }
}

fn url(given: String) -> Result<String, AdminError> {
    let refuse = |why: &str| Err(AdminError::bad_request(format!("url {why}")));
    if given.chars().count() > MAX_URL_CHARS {
        return refuse(&format!("must have at most {MAX_URL_CHARS} characters"));
    }
    let Ok(parsed) = url::Url::parse(&given) else {
        return refuse("must be an absolute address such as https://alerts.example.com/hook");
    };
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return refuse("must begin with https:// or http://");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return refuse("must not hold a user name or a password; messages are signed instead");
    }
    if parsed.fragment().is_some() || given.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refuse("must not hold blanks or a part behind #");
    }
    Ok(given)
}

fn events(given: &[String]) -> Result<Vec<AlertEvent>, AdminError> {
    let mut events = Vec::with_capacity(AlertEvent::ALL.len());
    for (place, text) in given.iter().enumerate() {
        let event = scopes::word(&format!("events[{place}]"), text, AlertEvent::ALL)?;
        if events.contains(&event) {
            let message = format!("events[{place}]: {event} is listed twice");
            return Err(AdminError::bad_request(message));
        }
        events.push(event);
    }
    if events.is_empty() {
        return Err(AdminError::bad_request("events must name at least one event"));
    }
    Ok(events)
}

async fn existing(tx: &mut Tx, org: OrgId, id: WebhookId) -> Result<WebhookRow, AdminError> {
    tx.webhook(org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))
}

fn name_taken(error: StoreError, name: &str) -> AdminError {
    match error {
        StoreError::Conflict => {
            AdminError::conflict(format!("an alert webhook named '{name}' already exists"))
        }
        other => other.into(),
    }
}
