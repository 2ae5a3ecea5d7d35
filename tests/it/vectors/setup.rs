//! How a vector's `fixture_catalogue` becomes configuration, and its vendors become mocks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::vector::Vector;
use crate::support::{Gateway, MockVendor, Org, Provider};

/// A provider of a vector, and the mock that it lives at.
pub struct Vendor {
    pub mock: MockVendor,
    provider: Provider,
}

/// What a vector plays on.
pub struct Stage {
    pub org: Org,
    /// By the provider's name, in the order of their names.
    pub vendors: BTreeMap<String, Vendor>,
    /// The raw gateway key.
    pub key: String,
}

/// The credential of the provider of this name.
pub fn upstream_key(provider: &str) -> String {
    format!("sk-of-{provider}")
}

impl Stage {
    /// An organization of its own, configured as the vector says.
    pub async fn set(gateway: &Gateway, org: &str, vector: &Vector) -> Self {
        let org = gateway.org(org);
        let mut stage = Self { org, vendors: BTreeMap::new(), key: String::new() };
        let catalogue = vector.get("fixture_catalogue").as_object().expect("a catalogue");
        for (name, entry) in catalogue {
            stage.entry(name, entry, vector).await;
        }
        stage.prices(vector.get("fixture_prices")).await;
        stage.key = stage.org.key().await.secret;
        stage
    }

    /// The mock of the provider of this name.
    pub fn mock(&self, provider: &str) -> &MockVendor {
        &self.vendors.get(provider).expect("a provider of the catalogue").mock
    }

    /// `provider/alias` with what is behind it, or an alias with several `providers`.
    async fn entry(&mut self, name: &str, entry: &Value, vector: &Vector) {
        if let Some(targets) = entry["providers"].as_array() {
            knows(entry, &["providers"]);
            for target in targets {
                knows(target, &["provider", "upstream_model", "price_rank"]);
                let (vendor, model) = (text(target, "provider"), text(target, "upstream_model"));
                self.provider(vendor, vendor, model, vector).await;
                self.route(vendor, name, model).await;
                if let Some(rank) = target["price_rank"].as_u64() {
                    self.price(json!({
                        "model_pattern": model, "input_cost_per_million_tokens": rank,
                        "output_cost_per_million_tokens": rank,
                    }))
                    .await;
                }
            }
            return;
        }
        knows(entry, &["provider", "upstream_model", "capabilities", "thinking"]);
        let (provider, alias) = name.split_once('/').expect("provider/alias");
        let model = text(entry, "upstream_model");
        self.provider(provider, text(entry, "provider"), model, vector).await;
        if alias != model {
            self.route(provider, alias, model).await;
        }
        self.facts(model, entry).await;
    }

    /// Makes sure that there is a provider of this name with this model enabled.
    async fn provider(&mut self, name: &str, vendor: &str, model: &str, vector: &Vector) {
        if let Some(known) = self.vendors.get(name) {
            let more = json!({"models": [model]});
            known.provider.put(more).await.has_status(200);
            return;
        }
        let mock = MockVendor::start().await;
        let provider = self.org.provider(name).at(&mock).model(model);
        let provider = provider.with(as_vendor(vendor, vector)).await;
        self.vendors.insert(name.to_owned(), Vendor { mock, provider });
    }

    /// An equal among the routes of `alias`.
    async fn route(&self, provider: &str, alias: &str, model: &str) {
        let to = &self.vendors.get(provider).expect("it was made").provider;
        let more = json!({"priority": 0, "bare_alias": true});
        self.org.route(alias, to, model, more).await;
    }

    async fn facts(&self, model: &str, entry: &Value) {
        let mut facts = json!({});
        if entry["capabilities"].is_array() {
            facts["capabilities"] = entry["capabilities"].clone();
        }
        if entry["thinking"].is_string() {
            facts["reasoning_mode"] = entry["thinking"].clone();
        }
        let coded: String = url::form_urlencoded::byte_serialize(model.as_bytes()).collect();
        self.org.put(&format!("/admin/model-catalog/{coded}"), facts).await.has_status(200);
    }

    /// A list of bodies for `/admin/model-pricing`, or such bodies by their `model_pattern`.
    async fn prices(&self, prices: &Value) {
        match prices {
            Value::Null => {}
            Value::Array(bodies) => {
                for body in bodies {
                    self.price(body.clone()).await;
                }
            }
            Value::Object(by_model) => {
                for (model, body) in by_model {
                    let mut body = body.clone();
                    body["model_pattern"] = json!(model);
                    self.price(body).await;
                }
            }
            other => panic!("fixture_prices are a list or an object, not {other}"),
        }
    }

    async fn price(&self, body: Value) {
        self.org.create("model-pricing", body).await;
    }
}

/// What the API wants to hear of a provider of the vendor that a vector names.
fn as_vendor(vendor: &str, vector: &Vector) -> Value {
    let converse = json!({"region": "eu-west-1", "model_api_family": "bedrock_converse"});
    let claude = json!({"region": "eu-west-1", "model_api_family": "anthropic_messages"});
    let at_google = |family: &str| json!({"project_id": "p-1", "model_api_family": family});
    match vendor {
        "openai" if speaks_chat_only(vector) => json!({"model_provider": "custom"}),
        "google-ai-studio" => json!({"model_provider": "google_ai"}),
        "azure" => json!({"model_provider": "azure_openai"}),
        "aws-bedrock" | "bedrock-claude" => json!({
            "model_provider": "bedrock", "auth_type": "bedrock_api_key",
            "settings": if vendor == "aws-bedrock" { converse } else { claude },
        }),
        "google-vertex" | "vertex-anthropic" => json!({
            "model_provider": "vertex", "auth_type": "google_adc", "api_key": null,
            "settings": at_google(
                if vendor == "google-vertex" { "vertex_gemini" } else { "anthropic_messages" },
            ),
        }),
        slug => json!({"model_provider": slug}),
    }
}

/// OpenAI itself speaks Responses; a vendor that has chat completions only is `custom`.
fn speaks_chat_only(vector: &Vector) -> bool {
    vector.text("client_dialect") == "responses" && vector.text("upstream_dialect") == "openai"
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or_else(|| panic!("{field} is missing in {entry}"))
}

fn knows(entry: &Value, fields: &[&str]) {
    for field in entry.as_object().expect("an object").keys() {
        assert!(fields.contains(&field.as_str()), "unknown field {field} in {entry}");
    }
}
