//! `/healthz` and `/readyz` (contract 3).

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{govern::redis::Link, ledger::Ledger, proxy::Drain, snapshot::Publisher, store::Store};

/// What readiness looks at.
#[derive(Clone)]
pub struct Vitals {
    pub store: Store,
    pub publisher: Arc<Publisher>,
    pub ledger: Arc<Ledger>,
    /// To Redis, where it is configured.
    pub link: Option<Arc<Link>>,
    pub drain: Drain,
}

/// The probes' routes.
pub fn router(vitals: Vitals) -> Router {
    Router::new()
        .route("/healthz", get(|| async { Json(json!({"status": "ok"})) }))
        .route("/readyz", get(ready))
        .with_state(vitals)
}

async fn ready(State(vitals): State<Vitals>) -> (StatusCode, Json<Value>) {
    let store = !vitals.store.is_away();
    let snapshot = vitals.publisher.load().generation > 0;
    let ledger = vitals.ledger.accepts();
    let redis = vitals.link.as_ref().map(|link| link.is_up());
    let status = if vitals.drain.draining() {
        "draining"
    } else if !snapshot {
        "starting"
    } else if store && ledger && redis != Some(false) {
        "ready"
    } else {
        "degraded"
    };
    let code = match status {
        "ready" | "degraded" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let word = |fine: bool| if fine { "ok" } else { "failing" };
    let checks = json!({
        "store": word(store),
        "redis": redis.map_or("not configured", word),
        "snapshot": word(snapshot),
        "ledger": word(ledger),
    });
    (code, Json(json!({"status": status, "checks": checks})))
}
