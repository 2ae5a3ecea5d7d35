//! The items of `input`, made into turns.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response_input_param.py>
//!
//! What the model said comes as several items (thinking, calls, text): neighbours are one turn. So are
//! the results of calls that follow each other.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    super::form::{
        Part, PartKind, PartPath, Refusal, Role, Signature, Text, Thinking, ToolCall, ToolResult,
        Turn,
    },
    body::TextOr,
    carried::{Proof, carried},
    item_ids::is_made,
    own_tools::{self, Told},
    parts_read::PartIn,
};

/// An item as clients write it: one type for all those that are translated.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ItemIn<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    role: Option<Text<'a>>,
    #[serde(borrow)]
    content: Option<TextOr<'a, PartIn<'a>>>,
    #[serde(borrow)]
    call_id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<Text<'a>>,
    #[serde(borrow)]
    output: Option<TextOr<'a, PartIn<'a>>>,
    #[serde(borrow)]
    summary: Option<Vec<PartIn<'a>>>,
    #[serde(borrow)]
    encrypted_content: Option<Text<'a>>,
}

/// No more than what an item is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
}

const KNOWN: [&str; 6] = [
    "message",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "reasoning",
];

/// Reads `items` behind the turns that there are.
///
/// # Errors
/// When an item is not of the API, or refers to one that the API's servers keep.
pub fn read<'a>(items: &[&'a RawValue], turns: &mut Vec<Turn<'a>>) -> Result<(), Refusal> {
    let mut reading = Reading { turns, call_proof: None };
    reading.turns.reserve(items.len());
    for (index, raw) in items.iter().enumerate() {
        let path = PartPath { list: "input", item: index, part: None };
        match serde_json::from_str::<ItemIn<'a>>(raw.get()) {
            Ok(item) => reading.item(item, raw, path)?,
            Err(_) => reading.unreadable(raw, path)?,
        }
    }
    Ok(())
}

struct Reading<'t, 'a> {
    turns: &'t mut Vec<Turn<'a>>,
    /// A signature that stood on the call which comes next.
    call_proof: Option<Signature<'a>>,
}

impl<'a> Reading<'_, 'a> {
    fn item(&mut self, item: ItemIn<'a>, raw: &'a RawValue, path: PartPath) -> Result<(), Refusal> {
        let kind = item.kind.clone();
        match kind.as_deref() {
            None if item.role.is_none() && item.id.is_some() => Err(reference(path)),
            Some("item_reference") => Err(reference(path)),
            None | Some("message") => self.message(item, path),
            Some("function_call") => self.call(item, path, false),
            Some("custom_tool_call") => self.call(item, path, true),
            Some("function_call_output") => self.result(item, path, false),
            Some("custom_tool_call_output") => self.result(item, path, true),
            Some("reasoning") => {
                self.reasoning(item, path);
                Ok(())
            }
            Some(other) => {
                self.other(other.to_owned().into(), raw, path);
                Ok(())
            }
        }
    }

    /// What does not fit the items that are translated: another kind, or a fault.
    fn unreadable(&mut self, raw: &'a RawValue, path: PartPath) -> Result<(), Refusal> {
        let kind: Kind<'a> = serde_json::from_str(raw.get()).unwrap_or_default();
        match kind.kind {
            Some(kind) if !KNOWN.contains(&&*kind) => {
                self.other(kind, raw, path);
                Ok(())
            }
            _ => Err(fault(raw, path)),
        }
    }

    fn message(&mut self, item: ItemIn<'a>, path: PartPath) -> Result<(), Refusal> {
        let role = match item.role.as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            Some("developer") => Role::Developer,
            _ => {
                let message = format!(
                    "`{path}.role`: one of `user`, `assistant`, `system`, `developer` is needed"
                );
                return Err(Refusal::invalid(format!("{path}.role"), message));
            }
        };
        let parts = parts(item.content, path)?;
        match self.turns.last_mut() {
            Some(turn) if role == Role::Assistant && turn.role == role => turn.parts.extend(parts),
            _ => self.turns.push(Turn { role, name: None, parts }),
        }
        Ok(())
    }

    fn call(&mut self, item: ItemIn<'a>, path: PartPath, custom: bool) -> Result<(), Refusal> {
        let id = needed(item.call_id, path, "call_id")?;
        let name = needed(item.name, path, "name")?;
        let arguments =
            if custom { item.input.unwrap_or_default() } else { arguments(item.arguments) };
        let signature = self.call_proof.take();
        let call = ToolCall { id, name, arguments, signature, custom };
        self.push(Role::Assistant, Part::new(PartKind::ToolCall(call), path));
        Ok(())
    }

    fn result(&mut self, item: ItemIn<'a>, path: PartPath, custom: bool) -> Result<(), Refusal> {
        let call_id = needed(item.call_id, path, "call_id")?;
        let parts = parts(item.output, path)?;
        let result = ToolResult { call_id, name: item.name, parts, error: false, custom };
        let part = Part::new(PartKind::ToolResult(result), path);
        let follows = self.turns.last_mut().filter(|turn| {
            let mut parts = turn.parts.iter();
            turn.role == Role::User
                && parts.all(|part| matches!(part.kind, PartKind::ToolResult(_)))
        });
        match follows {
            Some(turn) => turn.parts.push(part),
            None => self.turns.push(Turn { role: Role::User, name: None, parts: vec![part] }),
        }
        Ok(())
    }

    fn reasoning(&mut self, item: ItemIn<'a>, path: PartPath) {
        let proof = item.encrypted_content.filter(|text| !text.is_empty()).map(carried);
        let (signature, proof) = match proof {
            Some((signature, Proof::Call)) => {
                self.call_proof = Some(signature);
                return;
            }
            Some((signature, proof)) => (Some(signature), proof),
            None => (None, Proof::Thinking),
        };
        let full = match item.content {
            Some(TextOr::List(parts)) => joined(parts),
            Some(TextOr::Text(text)) => text,
            None => Text::default(),
        };
        let text = if full.is_empty() { joined(item.summary.unwrap_or_default()) } else { full };
        if text.is_empty() && signature.is_none() {
            return;
        }
        let redacted = proof == Proof::Redacted;
        let id = item.id.filter(|id| !is_made(id));
        let thinking = Thinking { text, signature, redacted, id };
        self.push(Role::Assistant, Part::new(PartKind::Thinking(thinking), path));
    }

    fn other(&mut self, name: Text<'a>, raw: &'a RawValue, path: PartPath) {
        match own_tools::told(&name, raw) {
            Some(Told::Part(kind)) => return self.push(Role::Assistant, Part::new(kind, path)),
            Some(Told::Nothing) => return,
            None => {}
        }
        // Outputs of tools that clients run for the API stand on their side, all else on the model's.
        let ours = name.ends_with("_output") || &*name == "mcp_approval_response";
        let role = if ours { Role::User } else { Role::Assistant };
        self.push(role, Part::new(PartKind::Other { name, raw }, path));
    }

    /// Adds to the model's turn if it is the last one, else begins a turn.
    fn push(&mut self, role: Role, part: Part<'a>) {
        match self.turns.last_mut() {
            Some(turn) if role == Role::Assistant && turn.role == role => turn.parts.push(part),
            _ => self.turns.push(Turn { role, name: None, parts: vec![part] }),
        }
    }
}

fn parts<'a>(
    content: Option<TextOr<'a, PartIn<'a>>>,
    path: PartPath,
) -> Result<Vec<Part<'a>>, Refusal> {
    match content {
        None => Ok(Vec::new()),
        Some(TextOr::Text(text)) => Ok(vec![Part::new(PartKind::Text(text), path)]),
        Some(TextOr::List(list)) => {
            let at = |index| PartPath { part: Some(index), ..path };
            list.into_iter().enumerate().map(|(index, part)| part.read(at(index))).collect()
        }
    }
}

/// A string of JSON; an object where a client forgot to make it one.
fn arguments(raw: Option<&RawValue>) -> Text<'_> {
    let Some(raw) = raw else { return "{}".into() };
    let text = match serde_json::from_str::<Text<'_>>(raw.get()) {
        Ok(text) => text,
        Err(_) => raw.get().into(),
    };
    if text.trim().is_empty() { "{}".into() } else { text }
}

/// One text of many, as they were shown apart.
fn joined(parts: Vec<PartIn<'_>>) -> Text<'_> {
    let mut texts: Vec<Text<'_>> = parts.into_iter().filter_map(|part| part.text).collect();
    if texts.len() < 2 {
        return texts.pop().unwrap_or_default();
    }
    let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
    texts.join("\n\n").into()
}

fn needed<'a>(member: Option<Text<'a>>, path: PartPath, name: &str) -> Result<Text<'a>, Refusal> {
    member.filter(|text| !text.is_empty()).ok_or_else(|| {
        Refusal::invalid(format!("{path}.{name}"), format!("`{path}.{name}` is missing"))
    })
}

fn reference(path: PartPath) -> Refusal {
    let message = format!(
        "`{path}`: `item_reference` is not supported: the vendor of this model keeps no items; send the item itself"
    );
    Refusal::unsupported(path.to_string(), message)
}

/// Reads the item once more to name the member.
fn fault(raw: &RawValue, path: PartPath) -> Refusal {
    let mut reader = serde_json::Deserializer::from_str(raw.get());
    let Err(fault) = serde_path_to_error::deserialize::<_, ItemIn<'_>>(&mut reader) else {
        return Refusal::invalid(path.to_string(), format!("`{path}`: not an item"));
    };
    let inside = fault.path().to_string();
    let dot = if inside.starts_with(['.', '[']) { "" } else { "." };
    let at = format!("{path}{dot}{inside}");
    let said = fault.inner().to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    Refusal::invalid(&*at, format!("`{at}`: {said}"))
}
