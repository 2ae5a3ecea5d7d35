//! Turns, made into items of `input`.

use super::{
    super::{
        form::{Media, Origin, Part, PartKind, Refusal, Role, Source, Thinking, ToolResult, Turn},
        plain::openai_id,
    },
    items_out::{Content, ItemOut, PartOut, Place},
};

/// Whether a medium of this kind must be in the body: pictures and files are fetched by the API.
pub const fn inlines(kind: &PartKind<'_>) -> bool {
    matches!(kind, PartKind::Audio(_))
}

/// Writes `turns` in their order.
///
/// # Errors
/// When a part is something that the API does not have.
pub fn write<'r>(turns: &'r [Turn<'_>]) -> Result<Vec<ItemOut<'r>>, Refusal> {
    let mut writing = Writing { items: Vec::with_capacity(turns.len()), ..Writing::default() };
    for turn in turns {
        writing.turn(turn)?;
    }
    Ok(writing.items)
}

#[derive(Default)]
struct Writing<'r> {
    items: Vec<ItemOut<'r>>,
    /// Parts of the message that is not yet whole.
    parts: Vec<PartOut<'r>>,
    /// Thinking that waits for what came of it: alone, the API refuses it.
    /// <https://github.com/UKGovernmentBEIS/inspect_ai/pull/1990>
    thinking: Vec<ItemOut<'r>>,
}

impl<'r> Writing<'r> {
    fn turn(&mut self, turn: &'r Turn<'_>) -> Result<(), Refusal> {
        let role = match turn.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        if turn.role != Role::Assistant {
            self.thinking.clear();
        }
        for part in &turn.parts {
            match &part.kind {
                PartKind::Text(text) | PartKind::Refusal(text) if turn.role == Role::Assistant => {
                    self.answered(text);
                }
                PartKind::Thinking(thinking) => {
                    self.message(role);
                    self.thinking.extend(reasoning(thinking));
                }
                PartKind::ToolCall(call) => {
                    self.message(role);
                    let (name, arguments) = (&*call.name, &*call.arguments);
                    let call_id = openai_id(&call.id);
                    self.items.append(&mut self.thinking);
                    self.items.push(if call.custom {
                        ItemOut::CustomToolCall { call_id, name, input: arguments }
                    } else {
                        ItemOut::FunctionCall { call_id, name, arguments }
                    });
                }
                PartKind::ToolResult(result) => {
                    self.message(role);
                    self.result(result)?;
                }
                _ if turn.role == Role::Assistant => {
                    return Err(unknown(part, "an assistant's message"));
                }
                _ => input(part, &mut self.parts)?,
            }
        }
        self.message(role);
        Ok(())
    }

    /// Adds what the model said: a string for each part, because a list is for messages that have the
    /// ids of the API's own.
    fn answered(&mut self, text: &'r str) {
        if !text.is_empty() {
            self.items.append(&mut self.thinking);
            let content = Content::Text(text.into());
            self.items.push(ItemOut::Message { role: "assistant", content });
        }
    }

    /// Ends the message that is being gathered, if there is one.
    fn message(&mut self, role: &'static str) {
        let parts = std::mem::take(&mut self.parts);
        if parts.is_empty() {
            return;
        }
        self.items.append(&mut self.thinking);
        self.items.push(ItemOut::Message { role, content: content(parts) });
    }

    fn result(&mut self, result: &'r ToolResult<'_>) -> Result<(), Refusal> {
        let mut parts = Vec::with_capacity(result.parts.len());
        for part in &result.parts {
            input(part, &mut parts)?;
        }
        if parts.is_empty() {
            let text = if result.error { "The tool failed." } else { "" };
            parts.push(PartOut::InputText { text });
        } else if result.hides_failure() {
            // The API has no mark for a failed tool.
            parts.insert(0, PartOut::InputText { text: "Error:" });
        }
        let (call_id, output) = (openai_id(&result.call_id), output(parts));
        self.items.push(if result.custom {
            ItemOut::CustomToolCallOutput { call_id, output }
        } else {
            ItemOut::FunctionCallOutput { call_id, output }
        });
        Ok(())
    }
}

/// Of a tool: texts alone are one, which every vendor takes.
fn output(parts: Vec<PartOut<'_>>) -> Content<'_> {
    let texts = parts.iter().map(|part| match part {
        PartOut::InputText { text } => Some(*text),
        _ => None,
    });
    match texts.collect::<Option<Vec<_>>>() {
        Some(texts) if texts.len() > 1 => Content::Text(texts.join("\n").into()),
        _ => content(parts),
    }
}

fn content(mut parts: Vec<PartOut<'_>>) -> Content<'_> {
    let one = parts.len() == 1;
    match parts.pop() {
        Some(PartOut::InputText { text }) if one => Content::Text(text.into()),
        last => {
            parts.extend(last);
            Content::Parts(parts)
        }
    }
}

/// Thinking of the API's own; that of other vendors it would refuse.
fn reasoning<'r>(thinking: &'r Thinking<'_>) -> Option<ItemOut<'r>> {
    let signature = thinking.signature.as_ref()?;
    if signature.origin != Origin::OpenAi {
        return None;
    }
    let text = Some(&*thinking.text).filter(|text| !text.is_empty());
    Some(ItemOut::Reasoning {
        // Made up ids are refused, and none is needed where nothing is stored.
        id: thinking.id.as_deref().filter(|id| id.starts_with("rs_")),
        summary: text.map(|text| PartOut::SummaryText { text }).into_iter().collect(),
        encrypted_content: &signature.value,
    })
}

/// A part of what the user, the operator or a tool said.
fn input<'r>(part: &'r Part<'_>, to: &mut Vec<PartOut<'r>>) -> Result<(), Refusal> {
    match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => to.push(PartOut::InputText { text }),
        PartKind::Image(media) => to.push(image(media, part)?),
        PartKind::Document(media) => {
            if let Some(text) = &media.context {
                to.push(PartOut::InputText { text });
            }
            to.push(document(media));
        }
        _ => return Err(unknown(part, "a user's message")),
    }
    Ok(())
}

fn image<'r>(media: &'r Media<'_>, part: &Part<'_>) -> Result<PartOut<'r>, Refusal> {
    let (image_url, file_id) = match &media.source {
        Source::Url(url) => (Some(Place::Url(url)), None),
        Source::Base64(data) => {
            let mime = media.mime.as_deref().unwrap_or_else(|| image_type(data));
            (Some(Place::Data { mime, data }), None)
        }
        Source::File(id) => (None, Some(&**id)),
        Source::Text(_) => return Err(unknown(part, "a picture")),
    };
    let detail = media.detail.as_deref().unwrap_or("auto");
    Ok(PartOut::InputImage { image_url, file_id, detail })
}

/// What the first bytes say, for clients that do not.
pub(super) fn image_type(data: &str) -> &'static str {
    match data.get(..4) {
        Some("/9j/") => "image/jpeg",
        Some("R0lG") => "image/gif",
        Some("UklG") => "image/webp",
        _ => "image/png",
    }
}

fn document<'r>(media: &'r Media<'_>) -> PartOut<'r> {
    let filename = media.name.as_deref();
    let file = |file_data, file_url, file_id| PartOut::InputFile {
        filename,
        file_data,
        file_url,
        file_id,
    };
    match &media.source {
        // Plain text needs no file: every model reads it.
        Source::Text(text) => PartOut::InputText { text },
        Source::Url(url) => file(None, Some(&**url), None),
        Source::File(id) => file(None, None, Some(&**id)),
        Source::Base64(data) => {
            let mime = media.mime.as_deref().unwrap_or("application/pdf");
            PartOut::InputFile {
                // The API wants a name with data.
                filename: Some(filename.unwrap_or(default_name(mime))),
                file_data: Some(Place::Data { mime, data }),
                file_url: None,
                file_id: None,
            }
        }
    }
}

fn default_name(mime: &str) -> &'static str {
    match mime {
        "text/plain" => "document.txt",
        "text/markdown" => "document.md",
        "text/csv" => "document.csv",
        "text/html" => "document.html",
        "application/json" => "document.json",
        _ => "document.pdf",
    }
}

fn unknown(part: &Part<'_>, place: &str) -> Refusal {
    let name = match &part.kind {
        PartKind::Text(_) => "text",
        PartKind::Image(_) => "an image",
        PartKind::Audio(_) => "audio",
        PartKind::Document(_) => "a document",
        PartKind::Thinking(_) => "thinking",
        PartKind::ToolCall(_) => "a tool call",
        PartKind::ToolResult(_) => "a tool result",
        PartKind::Refusal(_) => "a refusal",
        PartKind::Other { name, .. } => name,
    };
    let path = part.path;
    let message = format!(
        "`{path}`: {name} in {place} is not supported by this model's vendor; leave it out"
    );
    Refusal::unsupported(path.to_string(), message)
}
