//! Content of messages, for a vendor.
//! <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};

use crate::{
    domain::{DocumentPart, Quirks},
    translate::{
        ClientApi,
        form::{CacheMark, Media, Part, PartKind, Refusal, Source, Text},
    },
};

/// Texts that make one, written without being put together first.
#[derive(Clone)]
pub(super) struct Joined<'r> {
    pub pieces: Vec<&'r str>,
    /// What stands between two.
    pub between: &'static str,
}

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                f.write_str(self.between)?;
            }
            f.write_str(piece)?;
        }
        Ok(())
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.pieces.as_slice() {
            [] => serializer.serialize_str(""),
            [one] => serializer.serialize_str(one),
            _ => serializer.collect_str(self),
        }
    }
}

/// `content` of a message.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content<'r> {
    Nothing(()),
    Text(Joined<'r>),
    Parts(Vec<PartOut<'r>>),
}

/// One part; the members that its type has.
#[derive(Default, Serialize)]
pub(super) struct PartOut<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Words<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Vec<PartOut<'r>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<ImageOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_audio: Option<AudioOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_url: Option<Url<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheOut>,
}

/// Text of the request, or of this gateway.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Words<'r> {
    Theirs(&'r str),
    Ours(String),
}

#[derive(Serialize)]
struct ImageOut<'r> {
    url: Url<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'r str>,
}

#[derive(Serialize)]
struct AudioOut<'r> {
    data: &'r str,
    format: &'r str,
}

#[derive(Serialize)]
struct FileOut<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<Url<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<&'r str>,
}

/// An address, or the data itself as one: never put together in memory.
enum Url<'r> {
    Plain(&'r str),
    Data { mime: &'r str, data: &'r str },
}

impl fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(url) => f.write_str(url),
            Self::Data { mime, data } => write!(f, "data:{mime};base64,{data}"),
        }
    }
}

impl Serialize for Url<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Anthropic's marker, which some vendors take here too.
#[derive(Clone, Copy, Serialize)]
pub(super) struct CacheOut {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl CacheOut {
    /// What a mark is for a vendor that knows any.
    pub(super) fn of(mark: Option<CacheMark>, quirks: &Quirks) -> Option<Self> {
        let mark = mark.filter(|_| quirks.cache_control)?;
        let ttl = (mark == CacheMark::Hour).then_some("1h");
        Some(Self { kind: "ephemeral", ttl })
    }
}

impl<'r> PartOut<'r> {
    pub(super) fn text(text: &'r str) -> Self {
        Self { kind: "text", text: Some(Words::Theirs(text)), ..Self::default() }
    }

    pub(super) fn own_text(text: String) -> Self {
        Self { kind: "text", text: Some(Words::Ours(text)), ..Self::default() }
    }

    /// <https://docs.mistral.ai/capabilities/reasoning/>
    pub(super) fn thinking(text: &'r str) -> Self {
        Self { kind: "thinking", thinking: Some(vec![Self::text(text)]), ..Self::default() }
    }
}

/// Whether a medium of this kind must be in the body. Vendors fetch pictures; sound and documents have
/// no place for an address.
pub const fn inlines(kind: &PartKind<'_>) -> bool {
    matches!(kind, PartKind::Audio(_) | PartKind::Document(_))
}

/// Writes a part of a user's turn.
pub(super) fn part<'r>(
    part: &'r Part<'_>,
    quirks: &Quirks,
    client: Option<ClientApi>,
) -> Result<PartOut<'r>, Refusal> {
    let refuse = |what: &str| {
        let at = part.path.to_string();
        Err(Refusal::unsupported(at, format!("this vendor takes no {what}; send text instead")))
    };
    let written = match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => PartOut::text(text),
        PartKind::Image(_) if quirks.lacks("image_url") => return refuse("pictures"),
        PartKind::Image(media) => image(media, part)?,
        PartKind::Audio(_) if quirks.lacks("input_audio") => return refuse("sound"),
        PartKind::Audio(media) => audio(media, part)?,
        PartKind::Document(media) => document(media, part, quirks, client)?,
        PartKind::Other { name, .. } => {
            let message = format!("`{}` is not known to this vendor's API", &**name);
            return Err(Refusal::unsupported(part.path.to_string(), message));
        }
        PartKind::Thinking(_) | PartKind::ToolCall(_) | PartKind::ToolResult(_) => {
            let message = "this kind of content does not belong into a user's turn";
            return Err(Refusal::invalid(part.path.to_string(), message));
        }
    };
    Ok(PartOut { cache_control: CacheOut::of(part.cache, quirks), ..written })
}

fn image<'r>(media: &'r Media<'_>, part: &Part<'_>) -> Result<PartOut<'r>, Refusal> {
    let url = match &media.source {
        Source::Url(url) => Url::Plain(url),
        Source::Base64(data) => Url::Data { mime: mime(media, "image/png"), data },
        Source::File(_) | Source::Text(_) => {
            let message = "this vendor takes pictures as data or by URL, not by a file's id";
            return Err(Refusal::unsupported(part.path.to_string(), message));
        }
    };
    let detail = media.detail.as_deref();
    let image_url = Some(ImageOut { url, detail });
    Ok(PartOut { kind: "image_url", image_url, ..PartOut::default() })
}

fn audio<'r>(media: &'r Media<'_>, part: &Part<'_>) -> Result<PartOut<'r>, Refusal> {
    let Source::Base64(data) = &media.source else {
        let message = "this vendor takes sound as base64 in the request only";
        return Err(Refusal::unsupported(part.path.to_string(), message));
    };
    let format = match mime(media, "audio/wav") {
        "audio/mpeg" => "mp3",
        "audio/x-wav" | "audio/wave" => "wav",
        other => other.strip_prefix("audio/").unwrap_or(other),
    };
    let input_audio = Some(AudioOut { data, format });
    Ok(PartOut { kind: "input_audio", input_audio, ..PartOut::default() })
}

fn document<'r>(
    media: &'r Media<'_>,
    part: &Part<'_>,
    quirks: &Quirks,
    client: Option<ClientApi>,
) -> Result<PartOut<'r>, Refusal> {
    let refuse = |message: &str| Err(Refusal::unsupported(part.path.to_string(), message));
    if let Some(text) = plain_text(media) {
        return Ok(text);
    }
    let name = media.name.as_deref();
    match (&media.source, quirks.documents) {
        (_, DocumentPart::None) => {
            refuse("this vendor takes no documents; send their text, or pictures of the pages")
        }
        (Source::Base64(data), DocumentPart::File) => {
            let file_data = Some(Url::Data { mime: mime(media, "application/pdf"), data });
            // The API wants a name with data.
            let filename = name.or(Some("document"));
            let file = Some(FileOut { filename, file_data, file_id: None });
            Ok(PartOut { kind: "file", file, ..PartOut::default() })
        }
        (Source::File(id), DocumentPart::File) if client != Some(ClientApi::Messages) => {
            let file = Some(FileOut { filename: None, file_data: None, file_id: Some(id) });
            Ok(PartOut { kind: "file", file, ..PartOut::default() })
        }
        (Source::Base64(data), DocumentPart::DocumentUrl) => {
            let url = Some(Url::Data { mime: mime(media, "application/pdf"), data });
            let part = PartOut { kind: "document_url", document_url: url, ..PartOut::default() };
            Ok(PartOut { document_name: name, ..part })
        }
        (Source::Url(url), DocumentPart::DocumentUrl) => {
            let url = Some(Url::Plain(url));
            let part = PartOut { kind: "document_url", document_url: url, ..PartOut::default() };
            Ok(PartOut { document_name: name, ..part })
        }
        (Source::File(_), _) => refuse("this vendor does not have the file of that id"),
        (Source::Url(_) | Source::Text(_), _) => {
            refuse("this vendor takes documents as data in the request, not by URL")
        }
    }
}

/// A document of plain text is text, under its name.
fn plain_text<'r>(media: &'r Media<'_>) -> Option<PartOut<'r>> {
    let text = match &media.source {
        Source::Text(text) => text.reborrow(),
        Source::Base64(data) if mime(media, "").starts_with("text/") => {
            let bytes = STANDARD.decode(data.as_bytes()).ok()?;
            Text::from(String::from_utf8(bytes).ok()?)
        }
        Source::Base64(_) | Source::Url(_) | Source::File(_) => return None,
    };
    let head = [media.name.as_deref(), media.context.as_deref()];
    let head: Vec<&str> = head.into_iter().flatten().filter(|line| !line.is_empty()).collect();
    if head.is_empty() {
        return Some(match text.0 {
            std::borrow::Cow::Borrowed(text) => PartOut::text(text),
            std::borrow::Cow::Owned(text) => PartOut::own_text(text),
        });
    }
    Some(PartOut::own_text(format!("{}\n\n{}", head.join("\n"), &*text)))
}

fn mime<'r>(media: &'r Media<'_>, default: &'r str) -> &'r str {
    media.mime.as_deref().unwrap_or(default)
}
