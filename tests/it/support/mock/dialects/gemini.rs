//! Gemini, on Google's AI Studio and on Vertex.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, SSE, TEXT, Tool, call_of, pieces};

/// `…/models/{model}:{verb}`: <https://ai.google.dev/api/generate-content>
pub(super) fn answer(path: &str, query: &str, asked: &Value) -> Answer {
    let (path, verb) = path.rsplit_once(':').unwrap_or((path, ""));
    let model = path.rsplit('/').next().unwrap_or_default();
    match verb {
        "streamGenerateContent" if query.split('&').any(|one| one == "alt=sse") => {
            let lines = chunks(asked, model).into_iter();
            // Google ends its lines with CRLF.
            let events = lines.map(|chunk| Bytes::from(format!("data: {chunk}\r\n\r\n")));
            Answer::events(SSE, events.collect())
        }
        "streamGenerateContent" => Answer::json(&chunks(asked, model).into()),
        "generateContent" => Answer::json(&whole(asked, model)),
        "countTokens" => Answer::json(&json!({"totalTokens": 14,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 14}]})),
        "embedContent" => Answer::json(&json!({"embedding": {"values": vector(asked)}})),
        "batchEmbedContents" => {
            let requests = asked["requests"].as_array().into_iter().flatten();
            let rows = requests.map(|request| json!({"values": vector(request)}));
            Answer::json(&json!({"embeddings": rows.collect::<Vec<_>>()}))
        }
        "predict" => Answer::json(&predictions(asked)),
        _ => Answer {
            status: 404,
            ..Answer::json(&json!({"error": {"code": 404, "message": "no such method",
                "status": "NOT_FOUND"}}))
        },
    }
}

fn vector(request: &Value) -> Value {
    let length = request["outputDimensionality"].as_u64().unwrap_or(3);
    (0..length).map(|at| if at == 0 { 0.013_168 } else { -0.008_711 }).collect()
}

/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>
fn predictions(asked: &Value) -> Value {
    let instances = asked["instances"].as_array().into_iter().flatten();
    let rows = instances.map(|_| {
        json!({"embeddings": {"values": vector(&asked["parameters"]),
            "statistics": {"truncated": false, "token_count": 4}}})
    });
    json!({"predictions": rows.collect::<Vec<_>>()})
}

/// A member that may be written in camel case or with underscores.
fn member<'a>(object: &'a Value, camel: &str, snake: &str) -> &'a Value {
    object.get(camel).or_else(|| object.get(snake)).unwrap_or(&Value::Null)
}

/// The tool to call, if any: the first that may be called.
fn tool(asked: &Value) -> Option<Tool> {
    let last = &asked["contents"].as_array()?.last()?["parts"];
    let mut parts = last.as_array().into_iter().flatten();
    if parts.any(|part| !member(part, "functionResponse", "function_response").is_null()) {
        return None;
    }
    let config = member(asked, "toolConfig", "tool_config");
    let config = member(config, "functionCallingConfig", "function_calling_config");
    if config["mode"] == "NONE" {
        return None;
    }
    let allowed = member(config, "allowedFunctionNames", "allowed_function_names").as_array();
    let declared = asked["tools"].as_array()?.iter().flat_map(|tool| {
        let functions = member(tool, "functionDeclarations", "function_declarations");
        functions.as_array().into_iter().flatten()
    });
    let mut callable = declared
        .filter(|function| allowed.is_none_or(|allowed| allowed.contains(&function["name"])));
    let function = callable.next()?;
    let schema = member(function, "parametersJsonSchema", "parameters_json_schema");
    let schema = if schema.is_null() { &function["parameters"] } else { schema };
    Some(call_of(&function["name"], schema))
}

fn thinks(asked: &Value) -> bool {
    let config = member(asked, "generationConfig", "generation_config");
    let thinking = member(config, "thinkingConfig", "thinking_config");
    *member(thinking, "includeThoughts", "include_thoughts") == true
}

fn chunk(model: &str, parts: &Value, finish: Option<&str>, usage: &Value) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({"candidates": [candidate], "usageMetadata": usage, "modelVersion": model,
        "responseId": "mock-r1"})
}

/// Thinking is counted beside the answer: <https://ai.google.dev/api/generate-content#UsageMetadata>
fn usage(asked: &Value) -> Value {
    let mut usage = json!({"promptTokenCount": 21, "candidatesTokenCount": 9, "totalTokenCount": 30,
        "cachedContentTokenCount": 5,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 21}]});
    if thinks(asked) {
        usage["thoughtsTokenCount"] = json!(4);
        usage["totalTokenCount"] = json!(34);
    }
    usage
}

/// The part that calls; a model that thinks signs it.
fn call_part(asked: &Value, tool: &Tool) -> Value {
    let mut part = json!({"functionCall": {"name": tool.name, "args": tool.arguments}});
    if thinks(asked) {
        part["thoughtSignature"] = json!("bW9jay1zaWduYXR1cmU=");
    }
    part
}

fn whole(asked: &Value, model: &str) -> Value {
    let mut parts = Vec::new();
    if thinks(asked) {
        parts.push(json!({"text": "Let me think.", "thought": true}));
    }
    parts.push(match tool(asked) {
        Some(tool) => call_part(asked, &tool),
        None => json!({"text": TEXT}),
    });
    chunk(model, &parts.into(), Some("STOP"), &usage(asked))
}

/// A stream: usage grows from chunk to chunk.
fn chunks(asked: &Value, model: &str) -> Vec<Value> {
    let early = json!({"promptTokenCount": 21, "totalTokenCount": 21});
    let mut chunks = Vec::new();
    if thinks(asked) {
        let thought = json!([{"text": "Let me think.", "thought": true}]);
        chunks.push(chunk(model, &thought, None, &early));
    }
    if let Some(tool) = tool(asked) {
        let parts = json!([call_part(asked, &tool)]);
        chunks.push(chunk(model, &parts, Some("STOP"), &usage(asked)));
        return chunks;
    }
    let [first, second, last] = pieces(TEXT);
    chunks.push(chunk(model, &json!([{"text": first}]), None, &early));
    chunks.push(chunk(model, &json!([{"text": second}]), None, &early));
    chunks.push(chunk(model, &json!([{"text": last}]), Some("STOP"), &usage(asked)));
    chunks
}
