//! The answer's form.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>

use super::{
    super::{
        form::{Format, Refusal, Request},
        messages::closed,
    },
    body::{JsonSchema, OutputConfig, ServiceTier, Structure, TextFormat},
    family::Family,
    limits::unsupported,
};

/// `outputConfig`, for a schema; any JSON is asked for in words, and Nova's as a tool's input.
pub(super) fn output_config<'r>(
    request: &'r Request<'_>,
    family: Family,
) -> Result<Option<OutputConfig<'r>>, Refusal> {
    if family.is_nova() {
        return Ok(None);
    }
    let Some(Format::JsonSchema(schema)) = &request.format else { return Ok(None) };
    if !family.holds_schemas() {
        let remedy = "this model holds no answer to a schema; ask for json_object";
        return Err(unsupported("response_format", remedy));
    }
    let json_schema = JsonSchema {
        schema: closed(schema.schema).to_string(),
        name: schema.name.as_deref(),
        description: schema.description.as_deref(),
    };
    let structure = Structure { json_schema };
    Ok(Some(OutputConfig { text_format: TextFormat { kind: "json_schema", structure } }))
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
