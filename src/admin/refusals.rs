//! The refusals of the API as its description tells them: which there are, and which kind of
//! operation answers them.

use utoipa::{
    IntoResponses, ToSchema as _,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

use std::collections::BTreeMap;

use super::error::Flat;

/// One kind of refusal.
pub(super) struct Refusal {
    pub(super) name: &'static str,
    pub(super) status: &'static str,
    means: &'static str,
}

const fn refusal(name: &'static str, status: &'static str, means: &'static str) -> Refusal {
    Refusal { name, status, means }
}

/// Every kind.
pub(super) const REFUSALS: [Refusal; 9] = [
    refusal("BadRequest", "400", "The request is wrong as it stands; the message names the field."),
    refusal("Unauthorized", "401", "The token is absent or not valid, or a bd- key was sent."),
    refusal("Forbidden", "403", "The role is too low for this, or for that organization."),
    refusal("NotFound", "404", "There is none, or it is another organization's."),
    refusal("RequestTimeout", "408", "The body did not arrive in time."),
    refusal("Conflict", "409", "Clashes with what is stored."),
    refusal("PayloadTooLarge", "413", "The body is too large."),
    refusal("UnsupportedMediaType", "415", "The body is not JSON by its Content-Type."),
    refusal("ServerError", "5XX", "The gateway failed (500), or cannot do it now (503)."),
];

/// What any operation may answer.
pub(super) const BY_ANYONE: &[&str] = &["ServerError"];
/// What finding out who calls, and in which organization, may come to.
pub(super) const WITH_CALLER: &[&str] = &["BadRequest", "Unauthorized", "Forbidden", "NotFound"];
/// What an id in the path may come to.
pub(super) const WITH_ID: &[&str] = &["BadRequest", "NotFound"];
/// What a query string may come to.
pub(super) const WITH_QUERY: &[&str] = &["BadRequest"];
/// What a body may come to.
pub(super) const WITH_BODY: &[&str] =
    &["BadRequest", "RequestTimeout", "PayloadTooLarge", "UnsupportedMediaType"];

impl Refusal {
    /// Its description.
    pub(super) fn response(&self) -> Response {
        let schema = Ref::from_schema_name(Flat::name());
        let content = ContentBuilder::new().schema(Some(schema)).build();
        ResponseBuilder::new().description(self.means).content("application/json", content).build()
    }
}

/// 409, for operations that can clash with what is stored: `responses((status = 200, …), Conflict)`.
pub(super) struct Conflict;

impl IntoResponses for Conflict {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [("409".to_owned(), RefOr::Ref(Ref::from_response_name("Conflict")))].into()
    }
}
