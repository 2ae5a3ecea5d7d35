//! The answer's form.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>

use std::borrow::Cow;

use serde_json::{Value, value::RawValue};

use super::{
    super::form::{Format, Request},
    body::{JsonSchema, OutputConfig, ServiceTier, Structure, TextFormat},
};

/// `outputConfig`, for a schema; any JSON is asked for in words.
pub(super) fn output_config<'r>(request: &'r Request<'_>) -> Option<OutputConfig<'r>> {
    let Some(Format::JsonSchema(schema)) = &request.format else { return None };
    let json_schema = JsonSchema {
        schema: closed(schema.schema),
        name: schema.name.as_deref(),
        description: schema.description.as_deref(),
    };
    let structure = Structure { json_schema };
    Some(OutputConfig { text_format: TextFormat { kind: "json_schema", structure } })
}

/// The schema with `additionalProperties: false` on every object that does not say: Bedrock takes none
/// without it.
fn closed(schema: &RawValue) -> Cow<'_, str> {
    let Ok(mut value) = serde_json::from_str(schema.get()) else { return schema.get().into() };
    if close(&mut value) { value.to_string().into() } else { schema.get().into() }
}

/// Whether anything was changed. (A JSON text that could be read is not deep enough to exhaust the stack.)
fn close(schema: &mut Value) -> bool {
    let mut changed = false;
    match schema {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                // Values that are data, not schemas.
                if !matches!(name.as_str(), "enum" | "const" | "default" | "examples") {
                    changed |= close(member);
                }
            }
            let object = members.get("type").is_some_and(|kind| *kind == "object");
            if object && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
                changed = true;
            }
        }
        Value::Array(list) => {
            for member in list {
                changed |= close(member);
            }
        }
        _ => {}
    }
    changed
}

/// `service_tier` in the words that Bedrock has; others are hints without effect here.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ServiceTier.html>
pub(super) fn service_tier(request: &Request<'_>) -> Option<ServiceTier> {
    let kind = match &**request.service_tier.as_ref()? {
        "default" | "standard_only" => "default",
        "flex" => "flex",
        "priority" => "priority",
        "reserved" => "reserved",
        _ => return None,
    };
    Some(ServiceTier { kind })
}
