//! `/healthz` and `/readyz` (contract 3).

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    govern::{Governor, LimiterState},
    ledger::Ledger,
    proxy::Drain,
    snapshot::Publisher,
    store::Store,
};

/// What readiness looks at.
#[derive(Clone)]
pub struct Vitals {
    pub store: Store,
    pub publisher: Arc<Publisher>,
    pub ledger: Arc<Ledger>,
    /// Knows whether Redis counts, where it is configured.
    pub governor: Arc<Governor>,
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
    let redis = counts_in_redis(vitals.governor.state());
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

/// Whether Redis is there and takes what it is told; none where it is not configured.
const fn counts_in_redis(state: LimiterState) -> Option<bool> {
    match state {
        LimiterState::InProcess => None,
        LimiterState::Shared => Some(true),
        LimiterState::Degraded => Some(false),
    }
}
