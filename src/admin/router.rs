//! The table of operations: who may call what. Method, path and description stand at each handler.

use std::future::{Ready, ready};

use axum::Router;
use utoipa_axum::routes;

use super::{
    api_keys, clouds, credentials, document,
    error::AdminError,
    operations::Operations,
    permission::Needs::{Admin, AnyUser, Nothing},
    providers, routes,
    state::AdminState,
    usage, user,
};

/// Every operation.
pub(super) fn operations() -> Operations {
    Operations::default()
        .routes(Admin, routes!(credentials::list, credentials::create))
        .routes(Admin, routes!(clouds::role_config))
        .routes(Admin, routes!(clouds::validate_role))
        .routes(Admin, routes!(clouds::validate_vertex))
        .routes(Admin, routes!(clouds::trust_info))
        .routes(Admin, routes!(credentials::get, credentials::update, credentials::delete))
        .routes(Admin, routes!(providers::list, providers::create))
        .routes(Admin, routes!(providers::get, providers::update, providers::delete))
        .routes(Admin, routes!(providers::check))
        .routes(Admin, routes!(providers::list_routes))
        .routes(Admin, routes!(routes::list, routes::create))
        .routes(Admin, routes!(routes::reorder))
        .routes(Admin, routes!(routes::update, routes::delete))
        .routes(Admin, routes!(api_keys::list, api_keys::create))
        .routes(Admin, routes!(api_keys::get, api_keys::revoke))
        .routes(Admin, routes!(usage::of_org))
        .routes(AnyUser, routes!(user::list_keys, user::create_key))
        .routes(AnyUser, routes!(user::revoke_key))
        .routes(AnyUser, routes!(user::list_models))
        .routes(AnyUser, routes!(usage::of_user))
        .routes(Nothing, routes!(document::get))
}

/// Answers `/api/llm-gateway/admin/…` and `/api/llm-gateway/user/…`; every other path is a flat
/// 404.
pub fn router(state: AdminState) -> Router {
    operations().router(state)
}

/// Answers every path that is none: a flat 404.
pub fn not_found() -> Ready<AdminError> {
    ready(AdminError::not_found("path"))
}
