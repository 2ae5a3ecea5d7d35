//! The served description, as a list of operations to walk through.

use serde_json::{Map, Value, json};

use crate::support::Gateway;

/// The description that a gateway serves.
pub struct Document {
    whole: Value,
}

/// One operation of it.
#[derive(Clone, Debug)]
pub struct Operation {
    pub id: String,
    pub method: String,
    /// Below `/api/llm-gateway`, ids in braces.
    pub path: String,
    /// Who may call it, in the description's words.
    pub role: String,
    /// The schema of its JSON body, references followed; null where it takes none.
    pub body: Value,
    /// Whether it may be left out.
    pub body_is_optional: bool,
    /// Whether its path holds a UUID.
    uuid: bool,
    /// Name and schema of each parameter in the query string.
    pub query: Vec<(String, Value)>,
}

impl Document {
    pub async fn of(gateway: &Gateway) -> Self {
        let answer = gateway.stranger().get("/api/llm-gateway/openapi.json").await;
        Self { whole: answer.has_status(200).json() }
    }

    /// Every operation, in the order of paths.
    pub fn operations(&self) -> Vec<Operation> {
        let mut found = Vec::new();
        for (path, methods) in self.whole["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                found.push(self.operation(path, method, operation));
            }
        }
        assert!(found.len() >= 26, "so few operations: {found:?}");
        found
    }

    fn operation(&self, path: &str, method: &str, operation: &Value) -> Operation {
        let text = |field: &str| operation[field].as_str().expect(field).to_owned();
        let content = &self.resolved(&operation["requestBody"])["content"]["application/json"];
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let query = parameters
            .iter()
            .map(|parameter| self.resolved(parameter))
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| {
                let name = parameter["name"].as_str().expect("a name").to_owned();
                (name, self.flat(&parameter["schema"]))
            });
        Operation {
            id: text("operationId"),
            method: method.to_uppercase(),
            path: path.to_owned(),
            role: text("x-required-role"),
            body: self.flat(&content["schema"]),
            body_is_optional: operation["requestBody"]["required"] != true,
            uuid: parameters
                .iter()
                .any(|one| one["in"] == "path" && one["schema"]["format"] == "uuid"),
            query: query.collect(),
        }
    }

    fn resolved(&self, value: &Value) -> Value {
        match value["$ref"].as_str() {
            Some(path) => {
                self.whole.pointer(&path[1..]).expect("the reference leads somewhere").clone()
            }
            None => value.clone(),
        }
    }

    /// A schema with everything that it refers to in it, and without its null.
    fn flat(&self, schema: &Value) -> Value {
        let mut schema = self.resolved(schema);
        if let Some(alternatives) = schema["oneOf"].as_array().cloned()
            && let [one] = alternatives
                .iter()
                .filter(|one| one["type"] != "null")
                .collect::<Vec<_>>()
                .as_slice()
        {
            schema = self.resolved(one);
        }
        if let Some(types) = schema["type"].as_array() {
            let kind = types.iter().find(|kind| **kind != "null").cloned();
            schema["type"] = kind.unwrap_or_default();
        }
        if schema["items"].is_object() {
            schema["items"] = self.flat(&schema["items"]);
        }
        if let Some(properties) = schema["properties"].as_object() {
            let flat: Map<String, Value> =
                properties.iter().map(|(name, each)| (name.clone(), self.flat(each))).collect();
            schema["properties"] = json!(flat);
        }
        schema
    }
}

impl Operation {
    /// Whether its path holds an id.
    pub fn has_id(&self) -> bool {
        self.path.contains('{')
    }

    /// Whether that id is a UUID.
    pub fn has_uuid(&self) -> bool {
        self.uuid
    }

    /// The name of the id in its path.
    pub fn id_name(&self) -> &str {
        let (_, rest) = self.path.split_once('{').expect("an id in the path");
        rest.split_once('}').expect("a brace").0
    }

    /// Its path on the gateway, with this id.
    pub fn at(&self, id: &str) -> String {
        let path = match self.path.split_once('{') {
            Some((before, rest)) => {
                format!("{before}{id}{}", rest.split_once('}').expect("a brace").1)
            }
            None => self.path.clone(),
        };
        format!("/api/llm-gateway{path}")
    }

    /// Whether it takes a body.
    pub fn takes_body(&self) -> bool {
        !self.body.is_null()
    }
}
