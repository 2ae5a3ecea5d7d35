//! Operations: what answers, who may call it, and what the API's document says of it.
//!
//! A handler carries its method, path, inputs and answers (`#[utoipa::path]`); it becomes an
//! operation by being registered with the permission that it needs. Both the router and the document
//! are made of the same list, so neither knows an operation that the other does not.

use axum::{Router, middleware::from_fn_with_state};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::UtoipaMethodRouter;

use super::{
    document,
    error::AdminError,
    not_found,
    permission::{Needs, guard},
    state::AdminState,
};

/// Below which every operation lies.
pub(super) const PREFIX: &str = "/api/llm-gateway";

/// Operations in the order in which they were registered, one entry per path.
#[derive(Default)]
pub(super) struct Operations(Vec<(Needs, UtoipaMethodRouter<AdminState>)>);

impl Operations {
    /// Registers the handlers of one path, for those who are what `needs` says.
    pub(super) fn routes(mut self, needs: Needs, handlers: UtoipaMethodRouter<AdminState>) -> Self {
        self.0.push((needs, handlers));
        self
    }

    /// What answers requests: each handler behind the guard of its permission.
    pub(super) fn router(self, state: AdminState) -> Router {
        let mut router = Router::new();
        for (needs, (_, paths, methods)) in self.0 {
            let guarded = methods.route_layer(from_fn_with_state((state.clone(), needs), guard));
            for path in paths.paths.keys() {
                router = router.route(&format!("{PREFIX}{path}"), guarded.clone());
            }
        }
        router
            .method_not_allowed_fallback(async || AdminError::method_not_allowed())
            .fallback(not_found)
            .with_state(state)
    }

    /// The API's description.
    pub(super) fn document(self) -> OpenApi {
        let mut document = document::empty();
        for (needs, (schemas, paths, _)) in self.0 {
            document::add(&mut document, needs, schemas, paths);
        }
        document
    }
}
