//! Places in a body, by its schema, and what does not belong there.

use serde_json::{Value, json};

/// A field of a body, at any depth.
#[derive(Clone, Debug)]
pub struct Place {
    /// Field names and list positions that lead there.
    path: Vec<Step>,
    schema: Value,
    /// Whether what it lies in is nothing without it.
    pub required: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Field(String),
    First,
}

/// Every field that the schema of a body names.
pub fn places(schema: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    collect(schema, &[], &mut found);
    found
}

fn collect(schema: &Value, path: &[Step], found: &mut Vec<Place>) {
    let needed = schema["required"].as_array();
    let properties = schema["properties"].as_object();
    for (name, schema) in properties.into_iter().flatten() {
        let path = [path, &[Step::Field(name.clone())]].concat();
        let required = needed.is_some_and(|names| names.contains(&json!(name)));
        found.push(Place { path: path.clone(), schema: schema.clone(), required });
        collect(schema, &path, found);
        if schema["items"].is_object() {
            let path = [path.as_slice(), &[Step::First]].concat();
            let required = false;
            found.push(Place { path: path.clone(), schema: schema["items"].clone(), required });
            collect(&schema["items"], &path, found);
        }
    }
}

impl Place {
    /// As a person writes it.
    pub fn name(&self) -> String {
        let steps = self.path.iter().map(|step| match step {
            Step::Field(name) => name.as_str(),
            Step::First => "[0]",
        });
        steps.collect::<Vec<_>>().join(".")
    }

    /// The innermost field's name, which a refusal must tell.
    pub fn field(&self) -> &str {
        let fields = self.path.iter().rev().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::First => None,
        });
        fields.into_iter().next().expect("a place is a field's")
    }

    pub fn is_uuid(&self) -> bool {
        self.schema["format"] == "uuid"
    }

    /// The body with this value in this place, and everything on the way there.
    pub fn put(&self, body: &Value, value: Value) -> Value {
        let mut body = body.clone();
        let mut at = &mut body;
        for step in &self.path {
            at = match step {
                Step::Field(name) => {
                    if !at.is_object() {
                        *at = json!({});
                    }
                    &mut at[name]
                }
                Step::First => {
                    if at.as_array().is_none_or(Vec::is_empty) {
                        *at = json!([null]);
                    }
                    &mut at[0]
                }
            };
        }
        *at = value;
        body
    }

    /// The body without this field.
    pub fn take(&self, body: &Value) -> Value {
        let mut body = body.clone();
        let mut at = &mut body;
        for step in &self.path {
            at = match step {
                Step::Field(name) if name == self.field() => {
                    at.as_object_mut().expect("an object").remove(name);
                    return body;
                }
                Step::Field(name) => &mut at[name],
                Step::First => &mut at[0],
            };
        }
        body
    }

    /// What does not belong here, and why.
    pub fn wrong(&self) -> Vec<(&'static str, Value)> {
        let schema = &self.schema;
        let mut wrong = match schema["type"].as_str() {
            Some("string") => vec![json!(5), json!(true), json!([]), json!({})],
            Some("integer") => vec![json!("5"), json!(1.5), json!(true), json!([]), json!(1e30)],
            Some("number") => vec![json!("5"), json!(true), json!([]), json!({})],
            Some("boolean") => vec![json!("true"), json!(1), json!([])],
            Some("array") => vec![json!("x"), json!(5), json!({})],
            Some("object") => vec![json!("x"), json!(5), json!(true), json!([])],
            _ => vec![json!(5), json!(true)],
        }
        .into_iter()
        .map(|value| ("another type", value))
        .collect::<Vec<_>>();
        if schema["enum"].is_array() {
            wrong.push(("no value of the list", json!("no-such-value")));
        }
        for (bound, step) in [("minimum", -1), ("maximum", 1)] {
            if let Some(limit) = schema[bound].as_i64() {
                wrong.push(("out of range", json!(limit + step)));
            }
        }
        if schema["minLength"].as_u64().is_some_and(|least| least > 0) {
            wrong.push(("empty", json!("")));
        }
        if let Some(most) = schema["maxLength"].as_u64() {
            let most = usize::try_from(most).expect("a length");
            wrong.push(("too long", json!("x".repeat(most + 1))));
        }
        match schema["format"].as_str() {
            Some("uuid") => wrong.push(("no UUID", json!("nope"))),
            Some("date-time") => wrong.push(("no time", json!("yesterday"))),
            Some("uri") => wrong.push(("no address", json!("not an address"))),
            _ => {}
        }
        wrong
    }
}
