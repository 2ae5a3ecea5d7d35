//! An organization that owns one of everything, and a valid body for every operation that takes one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Document, Operation};
use crate::support::{Answer, Caller, Gateway, Org};

/// Operations that make something, in the order in which one can.
const MAKES: &[&str] = &[
    "createCredential",
    "createProvider",
    "createRoute",
    "createApiKey",
    "createUserApiKey",
    "createServiceAccount",
    "createPricing",
    "createRateLimit",
    "createBudget",
    "createModelAccess",
    "createSmartModel",
    "createAlertWebhook",
];

/// Fields that change without anybody's asking.
const BY_THEMSELVES: [&str; 5] =
    ["last_seen_at", "last_used_at", "health_status", "health_detail", "health_checked_at"];

/// One organization's things, by the path that lists them.
pub struct Estate {
    pub org: Org,
    pub operations: Vec<Operation>,
    made: BTreeMap<String, Value>,
}

impl Estate {
    /// Makes one of everything that an operation can make.
    pub async fn of(gateway: &Gateway, name: &str) -> Self {
        let operations = Document::of(gateway).await.operations();
        let org = gateway.org(name);
        let mut estate = Self { org, operations, made: BTreeMap::new() };
        for id in MAKES {
            let operation = estate.operation(id).clone();
            let body = estate.body(&operation, name).expect("a body");
            let path = operation.at("");
            let answer = estate.admin().ask("POST", &path).json(body.to_string()).await;
            estate.made.insert(operation.path, answer.has_status(200).json());
        }
        // Nobody makes users; the administrator is one.
        let users = estate.admin().get("/api/llm-gateway/admin/users").await.has_status(200).json();
        estate.made.insert("/admin/users".to_owned(), users[0].clone());
        estate
    }

    /// The administrator.
    pub fn admin(&self) -> &Caller {
        &self.org.admin.caller
    }

    pub fn operation(&self, id: &str) -> &Operation {
        let found = self.operations.iter().find(|operation| operation.id == id);
        found.unwrap_or_else(|| panic!("there is no operation {id}"))
    }

    /// The id of what this operation is about.
    pub fn id_for(&self, operation: &Operation) -> String {
        let path = match operation.id_name() {
            "provider_id" => "/admin/providers",
            // Patterns are nobody's: each organization may have its own view of every model.
            "model_pattern" => return "gpt-4o".to_owned(),
            _ => operation.path.split_once("/{").expect("an id").0,
        };
        let mut known = self.made.iter().rev();
        let (_, row) = known
            .find(|(listed, _)| path == *listed || path.starts_with(&format!("{listed}/")))
            .unwrap_or_else(|| panic!("{}: add what makes it to MAKES", operation.id));
        row["id"].as_str().expect("an id").to_owned()
    }

    /// The ids of everything that it owns.
    pub fn ids(&self) -> Vec<String> {
        let ids = self.made.values().filter_map(|row| Some(row["id"].as_str()?.to_owned()));
        ids.collect()
    }

    fn made(&self, path: &str) -> &Value {
        self.made.get(path).map_or(&Value::Null, |row| &row["id"])
    }

    /// A body that this operation takes; `name` makes it differ from others.
    pub fn body(&self, operation: &Operation, name: &str) -> Option<Value> {
        if !operation.takes_body() {
            return None;
        }
        let provider = self.made("/admin/providers");
        let route = self.made.get("/admin/model-mappings");
        let alias = route.and_then(|row| row["model_alias"].as_str()).unwrap_or_default();
        let policy = json!({"name": name, "scope_type": "group", "scope_value": name});
        Some(match operation.id.as_str() {
            "createCredential" => {
                json!({"name": name, "model_provider": "openai", "api_key": "sk-1"})
            }
            "createProvider" => json!({
                "name": name, "model_provider": "openai", "api_key": "sk-1", "models": ["gpt-4o"],
                "base_url": "http://127.0.0.1:9", "enforce_health_check": false,
            }),
            "createRoute" => json!({
                "provider_id": provider, "model_alias": name, "upstream_model": "gpt-4o",
            }),
            "reorderRoutes" => json!({
                "entries": [{"id": self.made("/admin/model-mappings"), "priority": 1}],
            }),
            "createApiKey" | "createUserApiKey" => json!({"name": name}),
            "createServiceAccount" => json!({"name": name, "role": "user"}),
            "createPricing" => json!({
                "model_pattern": name, "input_cost_per_million_tokens": 2.5,
                "output_cost_per_million_tokens": 10, "effective_from": "2040-01-01T00:00:00Z",
            }),
            "createRateLimit" => with(policy, json!({"requests_per_minute": 5})),
            "createBudget" => with(policy, json!({"period": "daily", "token_limit": 1000})),
            "createModelAccess" => {
                let targets = json!([{"kind": "provider", "provider_id": provider}]);
                with(policy, json!({"policy_type": "allowlist", "targets": targets}))
            }
            "createSmartModel" | "updateSmartModel" => smart_model(name, alias),
            "previewSmartModel" => with(smart_model(name, alias), json!({"text": "Hello"})),
            "resetRouteHealth" => json!({"upstream_model": "gpt-4o"}),
            "createAlertWebhook" => json!({
                "name": name, "url": "https://alerts.test/hook", "events": ["budget_exhausted"],
            }),
            "updateGovernanceConfig" => json!({"require_pricing_for_mappings": false}),
            "importPricingDefaults" | "syncPricingDefaults" => json!({"ids": []}),
            "putModelCatalogEntry" => json!({"capabilities": ["streaming"]}),
            "validateAwsRole" => json!({
                "region": "eu-central-1", "iam_role_arn": "arn:aws:iam::123456789012:role/gateway",
                "external_id": name,
            }),
            "validateGoogleVertex" => json!({"project_id": name, "location": "europe-west4"}),
            id if id.starts_with("update") => json!({}),
            id => panic!("{id}: add a body that it takes"),
        })
    }

    /// Everything that it can list, as it is now.
    pub async fn inventory(&self) -> Vec<(String, Value)> {
        let mut lists = Vec::new();
        for operation in &self.operations {
            let moves = operation.path.contains("usage") || operation.path.contains("openapi");
            // Asks for one rule, not for all that there is.
            let moves = moves || operation.path.ends_with("/history");
            // Answers a session of a browser alone, which a token is not.
            let moves = moves || operation.path == "/auth/session";
            if operation.method == "GET" && !operation.has_id() && !moves {
                let answer = self.admin().get(&operation.at("")).await;
                let mut list = answer.has_status(200).json();
                for row in list.as_array_mut().into_iter().flatten() {
                    let Some(row) = row.as_object_mut() else { continue };
                    row.retain(|name, _| !BY_THEMSELVES.contains(&name.as_str()));
                }
                lists.push((operation.path.clone(), list));
            }
        }
        lists
    }
}

fn smart_model(name: &str, target: &str) -> Value {
    json!({
        "model_alias": format!("smart-{name}"), "determiner_model_alias": target,
        "slots": [{"model_alias": target}, {"model_alias": target}],
        "context_breakpoints": [1000],
    })
}

fn with(mut body: Value, more: Value) -> Value {
    let (Value::Object(fields), Value::Object(more)) = (&mut body, more) else {
        panic!("bodies are objects");
    };
    fields.extend(more);
    body
}

/// Calls an operation.
pub async fn call(
    caller: &Caller,
    operation: &Operation,
    id: &str,
    body: Option<&Value>,
) -> Answer {
    let ask = caller.ask(&operation.method, &operation.at(id));
    match body {
        Some(body) => ask.json(body.to_string()).await,
        None => ask.await,
    }
}
