//! The API's description (`OpenAPI` 3.1), made of the operations themselves.
//!
//! A handler documents what only it knows: its input, its success and a possible conflict. What
//! follows from the shape of an operation and from its permission is added here, the same for all:
//! refusals, ids in the path, the role, the security scheme and the headers.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    PartialSchema as _, ToSchema as _,
    openapi::{
        Components, Info, KnownFormat, ObjectBuilder, OpenApi, OpenApiBuilder, Paths, Ref, RefOr,
        Required, SchemaFormat, Server, Type,
        extensions::Extensions,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        schema::Schema,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    error::Flat,
    operations::PREFIX,
    permission::Needs,
    refusals::{BY_ANYONE, REFUSALS, WITH_BODY, WITH_CALLER, WITH_ID, WITH_QUERY},
    router::operations,
    sorting,
};
use crate::auth::ORG_HEADER;

const JWT: &str = "jwt";
/// Name of the parameter that is described once for all operations.
const ORG_PARAMETER: &str = "Organization";

static TEXT: LazyLock<String> = LazyLock::new(|| {
    operations().document().to_pretty_json().unwrap_or_else(|error| {
        // Strings and numbers all through: it cannot fail in a program whose tests have read it.
        tracing::error!(%error, "the API's description cannot be written");
        String::new()
    })
});

/// The description of the API as built, as JSON.
pub fn openapi() -> &'static str {
    &TEXT
}

/// The API's description
///
/// The `OpenAPI` 3.1 document, generated from what the gateway runs.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenApi",
    tag = "API",
    responses((status = 200, body = utoipa::openapi::Object))
)]
pub(super) async fn get() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi()).into_response()
}

/// The description of an API without operations.
pub(super) fn empty() -> OpenApi {
    let mut components = Components::new();
    components.schemas.insert(Flat::name().into_owned(), Flat::schema());
    for refusal in &REFUSALS {
        components.responses.insert(refusal.name.to_owned(), refusal.response().into());
    }
    components.parameters.insert(ORG_PARAMETER.to_owned(), RefOr::T(organization()));
    let mut jwt = Http::new(HttpAuthScheme::Bearer);
    jwt.bearer_format = Some("JWT".to_owned());
    jwt.description = Some(
        "A token of one of the organization's identity providers, or of the gateway's own issuer. \
         The organization comes from its claims. bd- keys are refused here. In the console's own \
         pages the session's cookie takes its place, with the header x-turnpike-csrf on whatever \
         may change something."
            .to_owned(),
    );
    components.add_security_scheme(JWT, SecurityScheme::Http(jwt));
    let info = Info::builder()
        .title("Turnpike admin and user API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Bodies are JSON; unknown fields are ignored. Times are RFC 3339 in UTC, ids UUIDs. A \
             PUT changes what it names: an absent field keeps its value.",
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(PREFIX)]))
        .components(Some(components))
        .build()
}

/// Adds the operations of one path.
pub(super) fn add(
    document: &mut OpenApi,
    needs: Needs,
    schemas: Vec<(String, RefOr<Schema>)>,
    paths: Paths,
) {
    document.components.get_or_insert_default().schemas.extend(schemas);
    for (path, mut item) in paths.paths {
        for operation in methods(&mut item) {
            complete(&path, needs, operation);
        }
        match document.paths.paths.get_mut(&path) {
            Some(known) => known.merge_operations(item),
            None => drop(document.paths.paths.insert(path, item)),
        }
    }
}

fn methods(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
}

/// Adds to an operation what follows from its shape and from who may call it.
fn complete(path: &str, needs: Needs, operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    let ids = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in ids {
        if !parameters.iter().any(|known| matches!(known, RefOr::T(known) if known.name == name)) {
            parameters.insert(0, RefOr::T(id(name)));
        }
    }
    let is_in = |kind: &ParameterIn| {
        parameters
            .iter()
            .any(|known| matches!(known, RefOr::T(known) if known.parameter_in == *kind))
    };
    let applicable = [
        (true, BY_ANYONE),
        (needs != Needs::Nothing, WITH_CALLER),
        (is_in(&ParameterIn::Path), WITH_ID),
        (is_in(&ParameterIn::Query), WITH_QUERY),
        (operation.request_body.is_some(), WITH_BODY),
    ];
    let is_sorted = parameters
        .iter()
        .any(|known| matches!(known, RefOr::T(known) if known.name == sorting::PARAMETER));
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        let RefOr::T(success) = response else { continue };
        if success.description.is_empty() {
            "Success.".clone_into(&mut success.description);
        }
        if is_sorted {
            success.headers.extend(sorting::headers());
        }
    }
    for name in applicable.into_iter().filter(|(applies, _)| *applies).flat_map(|(_, set)| set) {
        let Some(refusal) = REFUSALS.iter().find(|refusal| refusal.name == *name) else { continue };
        let reference = Ref::from_response_name(refusal.name);
        responses.entry(refusal.status.to_owned()).or_insert(RefOr::Ref(reference));
    }
    if needs == Needs::Nothing {
        operation.security = Some(Vec::new());
    } else {
        parameters.push(RefOr::Ref(Ref::new(format!("#/components/parameters/{ORG_PARAMETER}"))));
        operation.security = Some(vec![SecurityRequirement::new(JWT, [""; 0])]);
    }
    let role = Extensions::builder().add("x-required-role", needs.role()).build();
    operation.extensions.get_or_insert_default().merge(role);
}

fn id(name: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))),
        ))
        .build()
}

fn organization() -> Parameter {
    ParameterBuilder::new()
        .name(ORG_HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The organization to act in, by UUID or name; only a superadmin may name another than \
             its token's own.",
        ))
        .schema(Some(String::schema()))
        .build()
}
