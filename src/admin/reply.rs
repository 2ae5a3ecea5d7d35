//! Acknowledgements that are the same everywhere.

use axum::Json;
use serde::Serialize;

/// `{"deleted":true}`
#[derive(Serialize)]
pub(super) struct Deleted {
    deleted: bool,
}

/// `{"revoked":true}`
#[derive(Serialize)]
pub(super) struct Revoked {
    revoked: bool,
}

/// `{"ok":true}`
#[derive(Serialize)]
pub(super) struct Done {
    ok: bool,
}

pub(super) const DELETED: Json<Deleted> = Json(Deleted { deleted: true });
pub(super) const REVOKED: Json<Revoked> = Json(Revoked { revoked: true });
pub(super) const DONE: Json<Done> = Json(Done { ok: true });
