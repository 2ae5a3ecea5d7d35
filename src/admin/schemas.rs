//! Schemas of fields that are read as plain text or free JSON, because their rules are not those of
//! a type: what the API's description says of them.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, ObjectBuilder, RefOr, SchemaFormat, Type,
        schema::{AdditionalProperties, Schema, SchemaType},
    },
};

use super::upstream;
use crate::{
    domain::{AccessKind, AlertEvent, Effort, ExhaustAction, Period, ScopeType, TrafficType},
    provider::{CAPABILITIES, REASONING_MODES},
};

macro_rules! schema {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let schema: ObjectBuilder = $schema;
                RefOr::T(Schema::Object(schema.build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn double(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
        .description(Some(description))
}

fn free(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some(description))
}

/// An object with these fields, of which the first so many are always there.
fn object<const N: usize>(
    description: &str,
    always: usize,
    fields: [(&str, ObjectBuilder); N],
) -> ObjectBuilder {
    let whole = ObjectBuilder::new().schema_type(Type::Object).description(Some(description));
    fields.into_iter().enumerate().fold(whole, |whole, (place, (name, field))| {
        let whole = whole.property(name, field);
        if place < always { whole.required(name) } else { whole }
    })
}

fn words(known: &[impl std::fmt::Display]) -> Vec<String> {
    known.iter().map(ToString::to_string).collect()
}

schema! {
    /// `budget_status` of a route
    RouteBudgetStatus = object("The budget that has run out.", 3, [
        ("budget_id", text("Which one.").format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))),
        ("budget_name", text("Its name.")),
        ("period", text("Its period.").enum_values(Some(words(Period::ALL)))),
        ("scope", text("Whose budget it is.")),
        ("target_id", text("What it is about.")
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))),
        ("usage", double("What was used.")),
        ("limit", double("What may be used.")),
    ]);
    /// `route_health_status` of a route
    RouteHealthStatus = object("Why the route is skipped, or on trial.", 5, [
        ("state", text("").enum_values(Some(["suspended", "recovering"]))),
        ("reason", text("").enum_values(Some(
            ["rate_limited", "provider_errors", "auth_failed", "unavailable"],
        ))),
        ("scope", text("").enum_values(Some(["all_users", "current_credential"]))),
        ("recovers_in_secs", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0))),
        ("message", text("For people.")),
    ]);
    /// `model_provider`
    ModelProvider = text("Vendor; decides the upstream's wire protocol.")
        .enum_values(Some(upstream::vendors()));
    /// `auth_type`
    AuthType = text("How the gateway authenticates upstream. Echoed as it was written.")
        .enum_values(Some(upstream::auth_types()));
    /// `settings`
    Settings = free(
        "Settings of the vendor that are no secrets: region, model_api_family, project_id, \
         location, endpoint_mode, api_version, base_models, iam_role_arn, external_id, dialects.",
    );
    /// `credentials` of a request
    Credentials = free(
        "The secret by auth_type, where it is more than one key. aws_role: iam_role_arn, \
         external_id; aws_keys: access_key_id, secret_access_key, session_token; \
         google_service_account: client_email, private_key, token_uri; google_impersonation: \
         target_service_account.",
    );
    /// `health_status`
    HealthStatus = text("Result of the last probe; unverified where there was none.")
        .enum_values(Some(["unverified", "healthy", "unhealthy"]));
    /// `scope_type` of limits and budgets
    ScopeTypeLimit = text(
        "Whom, or what, it is about. team is group by another name; project, agent and mcp_server \
         are kept and never match.",
    )
    .enum_values(Some(words(ScopeType::ALL)));
    /// `scope_type` of access policies
    ScopeTypeIdentity = text(
        "Whom it is about. team is group by another name; project, agent and mcp_server are kept \
         and never match.",
    )
    .enum_values(Some(words(ScopeType::IDENTITY)));
    /// `traffic_type`
    Traffic = text("Lane of traffic; mcp is kept and never matches.")
        .enum_values(Some(words(TrafficType::ALL)));
    /// `period`
    BudgetPeriod = text("Part of the calendar, in UTC; weeks begin on Monday.")
        .enum_values(Some(words(Period::ALL)));
    /// `action_on_exhaust`
    OnExhaust = text(
        "block refuses until the next period; warn and alert tell and serve on, and so does \
         throttle, which also marks the usage record.",
    )
    .enum_values(Some(words(ExhaustAction::ALL)));
    /// `model_api_family` of a Vertex model
    VertexFamily = text("Whose models.")
        .enum_values(Some(["vertex_gemini", "anthropic_messages"]));
    /// `policy_type`
    AccessType = text("allowlist: only what is listed; denylist: all but what is listed.")
        .enum_values(Some(words(AccessKind::ALL)));
    /// An entry of `events`
    AlertName = text("What is told.").enum_values(Some(words(AlertEvent::ALL)));
    /// An entry of `alert_thresholds`
    Percentage = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0))
        .maximum(Some(100));
    /// An entry of `context_breakpoints`
    Breakpoint = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1));
    /// `state` of a route
    RouteState = text("half_open: tried with little traffic. ejected: skipped for a while.")
        .enum_values(Some(["healthy", "half_open", "ejected"]));
    /// `cooldown_reason` of a route
    CooldownReason = text("Why a route is skipped.")
        .enum_values(Some(["rolling_failures", "rate_limited"]));
    /// An entry of `capabilities`
    Capability = text("What a model can do.").enum_values(Some(CAPABILITIES));
    /// `reasoning_mode`
    ReasoningMode = text("How a model is asked to think.").enum_values(Some(REASONING_MODES));
    /// An entry of `efforts`
    ReasoningEffort = text("How hard a model is told to think.")
        .enum_values(Some(Effort::ALL.map(Effort::as_str)));
    /// An absolute address
    Url = text("http or https: scheme, host and any prefix.")
        .format(Some(SchemaFormat::Custom("uri".to_owned())));
}
