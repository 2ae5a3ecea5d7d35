//! Schemas of fields that are read as plain text or free JSON, because their rules are not those of
//! a type: what the API's description says of them.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, SchemaFormat, Type,
        schema::{AdditionalProperties, Schema},
    },
};

use super::upstream;

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

fn free(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some(description))
}

schema! {
    /// `model_provider`
    ModelProvider = text("Vendor; decides the upstream's wire protocol.")
        .enum_values(Some(upstream::vendors()));
    /// `auth_type`
    AuthType = text("How the gateway authenticates upstream. Echoed as it was written.")
        .enum_values(Some(upstream::auth_types()));
    /// `settings`
    Settings = free(
        "Settings of the vendor that are no secrets: region, model_api_family, project_id, \
         location, endpoint_mode, api_version, iam_role_arn, external_id, dialects.",
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
    /// An absolute address
    Url = text("http or https: scheme, host and any prefix.")
        .format(Some(SchemaFormat::Custom("uri".to_owned())));
}
