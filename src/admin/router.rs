//! The table of operations: path, who may call it, what answers.

use std::future::{Ready, ready};

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, delete, get, put},
};

use super::{
    api_keys, credentials,
    error::AdminError,
    permission::{
        Needs::{self, Admin, AnyUser},
        guard,
    },
    providers, routes,
    state::AdminState,
    usage, user,
};

const PREFIX: &str = "/api/llm-gateway";

/// Answers `/api/llm-gateway/admin/…` and `/api/llm-gateway/user/…`; every other path is a flat
/// 404.
pub fn router(state: AdminState) -> Router {
    Table { router: Router::new(), state }
        .route("/admin/connections", Admin, get(credentials::list).post(credentials::create))
        .route(
            "/admin/connections/{id}",
            Admin,
            get(credentials::get).put(credentials::update).delete(credentials::delete),
        )
        .route("/admin/providers", Admin, get(providers::list).post(providers::create))
        .route(
            "/admin/providers/{id}",
            Admin,
            get(providers::get).put(providers::update).delete(providers::delete),
        )
        .route("/admin/providers/{id}/model-mappings", Admin, get(providers::list_routes))
        .route("/admin/model-mappings", Admin, get(routes::list).post(routes::create))
        .route("/admin/model-mappings/reorder", Admin, put(routes::reorder))
        .route("/admin/model-mappings/{id}", Admin, put(routes::update).delete(routes::delete))
        .route("/admin/api-keys", Admin, get(api_keys::list).post(api_keys::create))
        .route("/admin/api-keys/{id}", Admin, get(api_keys::get).delete(api_keys::revoke))
        .route("/admin/usage", Admin, get(usage::of_org))
        .route("/user/api-keys", AnyUser, get(user::list_keys).post(user::create_key))
        .route("/user/api-keys/{id}", AnyUser, delete(user::revoke_key))
        .route("/user/models", AnyUser, get(user::list_models))
        .route("/user/usage", AnyUser, get(usage::of_user))
        .finish()
}

/// Answers every path that is none: a flat 404.
pub fn not_found() -> Ready<AdminError> {
    ready(AdminError::not_found("path"))
}

/// Routes in the making. Its one way to add an operation takes a permission.
pub(super) struct Table {
    pub(super) router: Router<AdminState>,
    pub(super) state: AdminState,
}

impl Table {
    pub(super) fn route(self, path: &str, needs: Needs, methods: MethodRouter<AdminState>) -> Self {
        let guarded = methods.route_layer(from_fn_with_state((self.state.clone(), needs), guard));
        let router = self.router.route(&format!("{PREFIX}{path}"), guarded);
        Self { router, ..self }
    }

    pub(super) fn finish(self) -> Router {
        self.router
            .method_not_allowed_fallback(async || AdminError::method_not_allowed())
            .fallback(not_found)
            .with_state(self.state)
    }
}
