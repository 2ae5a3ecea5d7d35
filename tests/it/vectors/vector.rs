//! The vectors as files: read, and refused where they say what the runner does not know.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// One file of `tests/vectors`.
#[derive(Clone)]
pub struct Vector {
    /// The file's name, for messages.
    pub file: String,
    value: Value,
}

/// Every field that a vector may have at its top.
const FIELDS: [&str; 17] = [
    "name",
    "direction",
    "client_dialect",
    "upstream_dialect",
    "fixture_catalogue",
    "fixture_prices",
    "request_in",
    "upstream_response",
    "upstream_stream",
    "upstream_stream_headers",
    "upstream_stream_transport_chunks_base64",
    "upstream_script",
    "expected_upstream_request",
    "expected_client_response",
    "expected_client_stream_facts",
    "rests_on",
    "notes",
];

/// Every direction that a vector may have. What is checked follows from the expectations.
const DIRECTIONS: [&str; 9] = [
    "request",
    "response",
    "request+response",
    "stream",
    "error",
    "stream-error",
    "routing",
    "capability-error",
    "validation-error",
];

const CLIENTS: [&str; 3] = ["openai", "anthropic", "responses"];

impl Vector {
    /// All of them, in the order of their names.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
        let entries = std::fs::read_dir(&folder).expect("tests/vectors is there");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
        paths.sort();
        assert!(!paths.is_empty(), "no vectors in {}", folder.display());
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(path: &Path) -> Self {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).expect("a readable file");
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        Self { file, value }
    }

    /// The same with something else said in it.
    pub fn saying(&self, pointer: &str, value: Value) -> Self {
        let mut changed = self.clone();
        *changed.value.pointer_mut(pointer).expect("it is said") = value;
        changed
    }

    /// The same with one more member somewhere.
    pub fn adding(&self, pointer: &str, name: &str, value: Value) -> Self {
        let mut changed = self.clone();
        let object = changed.value.pointer_mut(pointer).and_then(Value::as_object_mut);
        object.expect("an object").insert(name.to_owned(), value);
        changed
    }

    /// A field; null where it is absent.
    pub fn get(&self, field: &str) -> &Value {
        self.value.get(field).unwrap_or(&Value::Null)
    }

    /// A field that is text.
    pub fn text(&self, field: &str) -> &str {
        self.get(field).as_str().unwrap_or_else(|| panic!("{}: {field} is text", self.file))
    }

    /// An object of expectations, if there is one.
    pub fn expected(&self, field: &str) -> Option<&Map<String, Value>> {
        self.get(field).as_object()
    }

    /// What the runner does not understand in it.
    pub fn unknown(&self) -> Vec<String> {
        let object = self.value.as_object().expect("a vector is an object");
        let mut faults: Vec<String> = object
            .keys()
            .filter(|field| !FIELDS.contains(&field.as_str()))
            .map(|field| format!("the runner does not know the field {field:?}"))
            .collect();
        if !DIRECTIONS.contains(&self.text("direction")) {
            faults.push(format!("unknown direction {:?}", self.text("direction")));
        }
        if !CLIENTS.contains(&self.text("client_dialect")) {
            faults.push(format!("unknown client dialect {:?}", self.text("client_dialect")));
        }
        let expectations = ["upstream_request", "client_response", "client_stream_facts"];
        let any =
            expectations.iter().any(|field| !self.get(&format!("expected_{field}")).is_null());
        if !any {
            faults.push("nothing is expected".to_owned());
        }
        faults
    }

    /// Whether the vendor's answer is a stream.
    pub fn is_streamed(&self) -> bool {
        self.get("upstream_stream").is_array()
    }
}
