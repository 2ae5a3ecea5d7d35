//! The table of operations: who may call what. Method, path and description stand at each handler.

use std::future::{Ready, ready};

use axum::Router;
use utoipa_axum::routes;

use super::{
    api_keys, audit, budgets, clouds, credentials, document,
    error::AdminError,
    governance, model_access, model_catalog,
    operations::Operations,
    permission::Needs::{Admin, AnyUser, Nothing},
    policy_status, pricing, provider_catalog, providers, rate_limits, route_health, routes,
    service_accounts, session, smart_models, smart_preview,
    state::AdminState,
    token, usage, usage_summary, user, users, webhooks,
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
        .routes(Admin, routes!(rate_limits::list, rate_limits::create))
        .routes(Admin, routes!(policy_status::of_rate_limits))
        .routes(Admin, routes!(rate_limits::update, rate_limits::delete))
        .routes(Admin, routes!(budgets::list, budgets::create))
        .routes(Admin, routes!(policy_status::of_budgets))
        .routes(Admin, routes!(budgets::update, budgets::delete))
        .routes(Admin, routes!(model_access::list, model_access::create))
        .routes(Admin, routes!(model_access::update, model_access::delete))
        .routes(Admin, routes!(smart_models::list, smart_models::create))
        .routes(Admin, routes!(smart_preview::preview))
        .routes(Admin, routes!(smart_models::update, smart_models::delete))
        .routes(Admin, routes!(route_health::list))
        .routes(Admin, routes!(route_health::reset))
        .routes(Admin, routes!(webhooks::list, webhooks::create))
        .routes(Admin, routes!(webhooks::update, webhooks::delete))
        .routes(Admin, routes!(provider_catalog::list))
        .routes(Admin, routes!(model_catalog::list))
        .routes(Admin, routes!(model_catalog::put, model_catalog::delete))
        .routes(Admin, routes!(usage::of_org))
        .routes(Admin, routes!(pricing::list, pricing::create))
        .routes(Admin, routes!(pricing::defaults))
        .routes(Admin, routes!(pricing::archived))
        .routes(Admin, routes!(pricing::history))
        .routes(Admin, routes!(pricing::version))
        .routes(Admin, routes!(pricing::import_defaults))
        .routes(Admin, routes!(pricing::sync_defaults))
        .routes(Admin, routes!(pricing::update, pricing::archive))
        .routes(Admin, routes!(pricing::restore))
        .routes(Admin, routes!(governance::get, governance::update))
        .routes(Admin, routes!(audit::list))
        .routes(Admin, routes!(users::list))
        .routes(Admin, routes!(users::update))
        .routes(Admin, routes!(service_accounts::list, service_accounts::create))
        .routes(Admin, routes!(service_accounts::delete))
        .routes(Admin, routes!(usage_summary::of_org))
        .routes(AnyUser, routes!(user::list_keys, user::create_key))
        .routes(AnyUser, routes!(user::revoke_key))
        .routes(AnyUser, routes!(user::list_models))
        .routes(AnyUser, routes!(usage::of_user))
        .routes(Nothing, routes!(token::create))
        .routes(Nothing, routes!(session::get))
        .routes(Nothing, routes!(session::end))
        .routes(Nothing, routes!(session::issuers))
        .routes(AnyUser, routes!(usage_summary::of_user))
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
