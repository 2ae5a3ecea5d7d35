//! Acknowledgements that are the same everywhere.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// `{"deleted":true}`
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedResponse)]
pub(super) struct Deleted {
    /// Always true.
    deleted: bool,
}

/// `{"revoked":true}`
#[derive(Serialize, ToSchema)]
#[schema(as = RevokedResponse)]
pub(super) struct Revoked {
    /// Always true.
    revoked: bool,
}

/// `{"ok":true}`
#[derive(Serialize, ToSchema)]
#[schema(as = OkResponse)]
pub(super) struct Done {
    /// Always true.
    ok: bool,
}

pub(super) const DELETED: Json<Deleted> = Json(Deleted { deleted: true });
pub(super) const REVOKED: Json<Revoked> = Json(Revoked { revoked: true });
pub(super) const DONE: Json<Done> = Json(Done { ok: true });
