//! Pictures and documents of a request for Claude.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/vision>,
//! <https://platform.claude.com/docs/en/build-with-claude/pdf-support>

use std::borrow::Cow;

use base64::Engine;
use serde::Serialize;

use crate::translate::{
    Platform,
    form::{Media, PartKind, PartPath, Refusal, Source},
};

/// Where a picture is.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ImageSource<'a> {
    Base64 { media_type: &'static str, data: &'a str },
    Url { url: &'a str },
    File { file_id: &'a str },
}

/// A document block, `type` and mark apart.
#[derive(Serialize)]
pub(super) struct DocumentOut<'a> {
    source: DocumentSource<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    citations: Option<Citations>,
}

#[derive(Serialize)]
struct Citations {
    enabled: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum DocumentSource<'a> {
    Base64 { media_type: &'static str, data: &'a str },
    Text { media_type: &'static str, data: Cow<'a, str> },
    Url { url: &'a str },
    File { file_id: &'a str },
}

/// Whether the bytes must be in the body: the clouds take no URLs.
pub(in crate::translate) fn inlines(platform: Platform, kind: &PartKind<'_>) -> bool {
    let (PartKind::Image(media) | PartKind::Document(media)) = kind else { return false };
    platform != Platform::Own && matches!(media.source, Source::Url(_))
}

pub(super) fn image<'a>(
    media: &'a Media<'_>,
    path: &PartPath,
    platform: Platform,
) -> Result<ImageSource<'a>, Refusal> {
    match &media.source {
        Source::Base64(data) => match image_type(media.mime.as_deref(), data) {
            Some(media_type) => Ok(ImageSource::Base64 { media_type, data }),
            None => Err(refuse(path, "Claude sees JPEG, PNG, GIF and WebP pictures only")),
        },
        Source::Url(url) => elsewhere(path, platform).map(|()| ImageSource::Url { url }),
        Source::File(file_id) => elsewhere(path, platform).map(|()| ImageSource::File { file_id }),
        Source::Text(_) => Err(refuse(path, "a picture cannot be text")),
    }
}

pub(super) fn document<'a>(
    media: &'a Media<'_>,
    path: &PartPath,
    platform: Platform,
) -> Result<DocumentOut<'a>, Refusal> {
    let source = match &media.source {
        Source::Base64(data) => encoded(media, data, path)?,
        Source::Text(text) => {
            DocumentSource::Text { media_type: "text/plain", data: (&**text).into() }
        }
        Source::Url(url) => elsewhere(path, platform).map(|()| DocumentSource::Url { url })?,
        Source::File(file_id) => {
            elsewhere(path, platform).map(|()| DocumentSource::File { file_id })?
        }
    };
    Ok(DocumentOut {
        source,
        title: media.name.as_deref().filter(|title| !title.is_empty()),
        context: media.context.as_deref(),
        citations: media.citations.then_some(Citations { enabled: true }),
    })
}

/// A PDF, or a text that is unpacked: Claude takes texts plain only.
fn encoded<'a>(
    media: &Media<'_>,
    data: &'a str,
    path: &PartPath,
) -> Result<DocumentSource<'a>, Refusal> {
    let mime = media.mime.as_deref().unwrap_or_default();
    if mime == "application/pdf" || data.starts_with("JVBERi") {
        return Ok(DocumentSource::Base64 { media_type: "application/pdf", data });
    }
    let name = media.name.as_deref().unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_text = mime.starts_with("text/")
        || matches!(mime, "application/json" | "application/xml")
        || matches!(ending, "txt" | "md" | "csv" | "json" | "xml" | "html");
    let bytes = is_text.then(|| base64::engine::general_purpose::STANDARD.decode(data));
    match bytes.map(|bytes| bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok())) {
        Some(Some(text)) => {
            Ok(DocumentSource::Text { media_type: "text/plain", data: Cow::Owned(text) })
        }
        Some(None) => Err(refuse(path, "the text is not UTF-8 in base64")),
        None => Err(refuse(path, "Claude reads PDF and plain text only")),
    }
}

fn elsewhere(path: &PartPath, platform: Platform) -> Result<(), Refusal> {
    let cloud = match platform {
        Platform::Own => return Ok(()),
        Platform::Bedrock => "Amazon Bedrock",
        Platform::Vertex => "Vertex AI",
    };
    Err(refuse(path, &format!("Claude on {cloud} takes media in the request only; send base64")))
}

fn refuse(path: &PartPath, message: &str) -> Refusal {
    Refusal::unsupported(path.to_string(), format!("`{path}`: {message}"))
}

/// The type by the first bytes, which the vendor checks too; else what the client said.
fn image_type(said: Option<&str>, data: &str) -> Option<&'static str> {
    const STARTS: [(&str, &str); 4] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
    ];
    if let Some((_, found)) = STARTS.into_iter().find(|(start, _)| data.starts_with(start)) {
        return Some(found);
    }
    match said? {
        "image/jpeg" | "image/jpg" => Some("image/jpeg"),
        "image/png" => Some("image/png"),
        "image/gif" => Some("image/gif"),
        "image/webp" => Some("image/webp"),
        _ => None,
    }
}
