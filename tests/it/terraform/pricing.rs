//! `barndoor_llm_model_pricing`: append-only versions, of which the provider shows one.

use serde_json::{Value, json};

use super::{
    Provider,
    provider::{Attributes, Diagnostic, attributes, known},
};
use crate::support::Gateway;

const READ: [&str; 14] = [
    "id",
    "org_id",
    "model_provider",
    "model_pattern",
    "input_cost_per_million_tokens",
    "output_cost_per_million_tokens",
    "cache_read_cost_per_million_tokens",
    "cache_write_cost_per_million_tokens",
    "effective_from",
    "provider_id",
    "catalog_slug",
    "sync_mode",
    "change_source",
    "is_archived",
];
const CACHE: [&str; 2] =
    ["cache_read_cost_per_million_tokens", "cache_write_cost_per_million_tokens"];

/// As a URL carries it.
fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    bytes.collect()
}

async fn history(terraform: &Provider, config: &Attributes) -> Vec<Value> {
    let text = |name: &str| config.get(name).and_then(Value::as_str);
    let pattern = text("model_pattern").expect("a pattern");
    let vendor = text("model_provider").or(text("catalog_slug"));
    let vendor = vendor.map(|name| format!("&model_provider={}", encoded(name)));
    let query = format!("model_pattern={}{}", encoded(pattern), vendor.unwrap_or_default());
    let rows = terraform.read(&format!("/model-pricing/history?{query}")).await;
    rows.expect("a history").as_array().expect("an array").clone()
}

fn at(row: &Value) -> jiff::Timestamp {
    row["effective_from"].as_str().expect("a time").parse().expect("RFC 3339")
}

#[expect(clippy::disallowed_methods, reason = "what is in the future depends on now")]
fn is_future(row: &Value) -> bool {
    at(row) > jiff::Timestamp::now()
}

/// The version that the state is about: its own while that is in the future, else the one in force.
fn shown(rows: &[Value], id: Option<&Value>) -> Option<Value> {
    let own = rows.iter().find(|row| Some(&row["id"]) == id && is_future(row));
    let in_force = rows.iter().filter(|row| !is_future(row)).max_by_key(|row| at(row));
    own.or(in_force).filter(|row| row["is_archived"] != true).cloned()
}

fn seen(row: Value) -> Attributes {
    let row = attributes(row);
    READ.iter().map(|name| ((*name).to_owned(), known(&row, name))).collect()
}

#[track_caller]
fn applied(config: &Attributes, answer: &Value) -> Attributes {
    let state = seen(answer.clone());
    for (name, value) in config {
        match name.as_str() {
            "effective_from" => {
                assert_eq!(at(answer), at(&json!({"effective_from": value})), "{name}");
            }
            "change_reason" => assert_eq!(&answer[name], value),
            _ if value.is_number() => {
                assert_eq!(state[name].as_f64(), value.as_f64(), "inconsistent result: {name}");
            }
            _ => assert_eq!(state[name], *value, "inconsistent result: {name}"),
        }
    }
    if let (Some(slug), None) = (config.get("catalog_slug"), config.get("model_provider")) {
        assert_eq!(&state["model_provider"], slug);
    }
    state
}

async fn create(terraform: &Provider, config: &Attributes) -> Result<Attributes, Diagnostic> {
    let rows = history(terraform, config).await;
    assert_eq!(shown(&rows, None), None, "a live version exists");
    let answer = terraform.call("POST", "/model-pricing", Some(&json!(config))).await?;
    Ok(applied(config, &answer))
}

async fn update(terraform: &Provider, config: &Attributes, state: &Attributes) -> Attributes {
    let id = state["id"].as_str().expect("an id");
    let version = terraform.read(&format!("/model-pricing/version/{id}")).await.expect("it is");
    let answer = if is_future(&version) {
        let mut sent = config.clone();
        for field in CACHE {
            sent.entry(field).or_insert(Value::Null);
        }
        let path = format!("/model-pricing/{id}");
        let answer = terraform.call("PUT", &path, Some(&json!(sent))).await.expect("apply");
        assert_eq!(answer["id"], state["id"], "a PUT keeps the id");
        answer
    } else {
        terraform.call("POST", "/model-pricing", Some(&json!(config))).await.expect("apply")
    };
    applied(config, &answer)
}

async fn nothing_to_do(terraform: &Provider, config: &Attributes, state: &Attributes) {
    let rows = history(terraform, config).await;
    let row = shown(&rows, state.get("id")).expect("it is there");
    assert_eq!(seen(row.clone()), *state, "changed by itself");
    applied(config, &row);
}

async fn destroy(terraform: &Provider, config: &Attributes) {
    let rows = history(terraform, config).await;
    let doomed: Vec<Value> = match shown(&rows, None) {
        Some(row) => vec![row],
        None => rows.into_iter().filter(is_future).collect(),
    };
    assert!(!doomed.is_empty(), "there is something to destroy");
    for row in doomed {
        terraform.delete(&format!("/model-pricing/{}", row["id"].as_str().expect("an id"))).await;
    }
}

#[tokio::test]
async fn a_price_in_force() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    for (pattern, scope) in [
        ("gpt-4o*", json!({"model_provider": "openai"})),
        ("anthropic.claude:v2 x*", json!({"catalog_slug": "bedrock-claude"})),
        ("*", json!({})),
    ] {
        let config = |more: Value| {
            let mut config = attributes(json!({"model_pattern": pattern}));
            config.extend(attributes(scope.clone()));
            config.extend(attributes(more));
            config
        };
        let first = config(json!({
            "input_cost_per_million_tokens": 2.5, "output_cost_per_million_tokens": 10,
        }));
        assert_eq!(history(&terraform, &first).await, Vec::<Value>::new(), "an unknown rule");
        let state = create(&terraform, &first).await.expect("apply");
        assert_eq!(
            (&state["sync_mode"], &state["change_source"]),
            (&json!("pinned"), &json!("admin_create"))
        );
        nothing_to_do(&terraform, &first, &state).await;
        assert_eq!(update(&terraform, &first, &state).await, state, "writing nothing new");

        let second = config(json!({
            "input_cost_per_million_tokens": 0.15, "output_cost_per_million_tokens": 0.600_001,
            "cache_read_cost_per_million_tokens": 0.075, "cache_write_cost_per_million_tokens": 0,
            "sync_mode": "tracking", "change_reason": "a new contract",
        }));
        let state = update(&terraform, &second, &state).await;
        assert_eq!(state["change_source"], "admin_edit");
        nothing_to_do(&terraform, &second, &state).await;
        let state = update(&terraform, &first, &state).await;
        nothing_to_do(&terraform, &first, &state).await;
        let imported = shown(&history(&terraform, &first).await, None).map(seen);
        assert_eq!(imported, Some(state), "an import is the state");

        destroy(&terraform, &first).await;
        assert_eq!(shown(&history(&terraform, &first).await, None), None, "destroyed");
        let state = create(&terraform, &second).await.expect("apply of what was gone");
        nothing_to_do(&terraform, &second, &state).await;
        destroy(&terraform, &second).await;
    }
}

#[tokio::test]
async fn a_price_that_is_scheduled() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let config = |more: Value| {
        let mut config = attributes(json!({
            "model_pattern": "gpt-9", "model_provider": "openai",
            "input_cost_per_million_tokens": 1, "output_cost_per_million_tokens": 2,
        }));
        config.extend(attributes(more));
        config
    };
    let first = config(json!({
        "effective_from": "2040-01-01T00:00:00.123Z", "cache_read_cost_per_million_tokens": 0.5,
    }));
    let state = create(&terraform, &first).await.expect("apply");
    assert_eq!(state["change_source"], "admin_schedule");
    nothing_to_do(&terraform, &first, &state).await;
    let second = config(json!({
        "effective_from": "2041-06-01T12:00:00+02:00", "input_cost_per_million_tokens": 1.25,
    }));
    let state = update(&terraform, &second, &state).await;
    assert_eq!(state["cache_read_cost_per_million_tokens"], Value::Null, "null clears");
    nothing_to_do(&terraform, &second, &state).await;
    destroy(&terraform, &second).await;
    let rows = history(&terraform, &second).await;
    assert_eq!(shown(&rows, state.get("id")), None, "destroyed: {rows:?}");
}

#[tokio::test]
async fn a_version_that_nothing_has_is_not_found() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let path = format!("/model-pricing/version/{}", uuid::Uuid::new_v4());
    assert_eq!(terraform.read(&path).await, None);
}
