//! Pictures, sound and documents: in the body, or where Google finds them itself.
//!
//! AI Studio: <https://ai.google.dev/gemini-api/docs/file-input-methods>. Its newer models fetch public
//! addresses themselves, the others don't: the gateway fetches for all of them, but for what lies at
//! Google (files of its Files API, videos of `YouTube`). Vertex fetches `gs://` and public addresses and
//! wants the type beside them:
//! <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/Content#FileData>.

use std::borrow::Cow;

use super::request_body::{Blob, FileData, Part};
use crate::translate::{
    Platform,
    form::{Media, PartKind, PartPath, Refusal, Source, Text},
};

/// The root of AI Studio's Files API.
const FILES: &str = "https://generativelanguage.googleapis.com/";

/// Whether the gateway must fetch what a client gave as a URL.
pub fn inlines(platform: Platform, kind: &PartKind<'_>) -> bool {
    let (PartKind::Image(media) | PartKind::Audio(media) | PartKind::Document(media)) = kind else {
        return false;
    };
    let Source::Url(url) = &media.source else { return false };
    let web = starts_with(url, "http://") || starts_with(url, "https://");
    web && at_google(url, media, platform).is_none()
}

/// Adds a medium's parts: one, or two where a document has a title of its own.
pub(super) fn write<'a>(
    media: &'a Media<'_>,
    platform: Platform,
    path: PartPath,
    parts: &mut Vec<Part<'a>>,
) -> Result<(), Refusal> {
    if media.citations {
        return Err(Refusal::unsupported(
            path.to_string(),
            "Gemini cites no passages of documents; leave `citations` out",
        ));
    }
    if let Source::Text(text) = &media.source {
        let head = [&media.name, &media.context].into_iter().flatten();
        parts.extend(head.map(|text| Part::text(&**text)));
        parts.push(Part::text(&**text));
        return Ok(());
    }
    if let Some(context) = &media.context {
        parts.push(Part::text(&**context));
    }
    parts.push(bytes(media, platform, path)?);
    Ok(())
}

/// A medium whose bytes are here, or at Google.
pub(super) fn bytes<'a>(
    media: &'a Media<'_>,
    platform: Platform,
    path: PartPath,
) -> Result<Part<'a>, Refusal> {
    match &media.source {
        Source::Base64(data) => {
            let by_name = || media.name.as_deref().and_then(named);
            let known = mime(media).or_else(|| sniffed(data)).or_else(by_name);
            let mime_type = known.ok_or_else(|| {
                Refusal::invalid(path.to_string(), format!("`{path}` needs its media type"))
            })?;
            Ok(Part { inline_data: Some(Blob { mime_type, data }), ..Part::default() })
        }
        Source::Text(text) => Ok(Part::text(&**text)),
        Source::Url(url) => match at_google(url, media, platform) {
            Some(file) => Ok(Part { file_data: Some(file), ..Part::default() }),
            None => Err(Refusal::unsupported(
                path.to_string(),
                format!("`{path}`: Gemini cannot read this address; send the data itself"),
            )),
        },
        Source::File(id) => match file(id, media, platform) {
            Some(file) => Ok(Part { file_data: Some(file), ..Part::default() }),
            None => Err(Refusal::unsupported(
                path.to_string(),
                format!("`{path}`: Gemini does not have this file; send the data itself"),
            )),
        },
    }
}

/// A URL that Google reads by itself.
fn at_google<'a>(
    url: &'a Text<'_>,
    media: &'a Media<'_>,
    platform: Platform,
) -> Option<FileData<'a>> {
    let known = mime(media).or_else(|| named(url));
    let mime_type = match platform {
        Platform::Vertex if is_youtube(url) => Some(known.unwrap_or("video/mp4")),
        Platform::Vertex if starts_with(url, "gs://") || starts_with(url, "https://") => {
            Some(known?)
        }
        Platform::Vertex => return None,
        _ if is_youtube(url) || url.starts_with(FILES) => mime(media),
        _ => return None,
    };
    Some(FileData { mime_type, file_uri: Cow::Borrowed(url) })
}

/// A file by its id: AI Studio's `files/…`, Vertex's `gs://…`.
fn file<'a>(id: &'a Text<'_>, media: &'a Media<'_>, platform: Platform) -> Option<FileData<'a>> {
    if platform != Platform::Vertex && id.starts_with("files/") {
        let file_uri = Cow::Owned(format!("{FILES}v1beta/{}", &**id));
        return Some(FileData { mime_type: mime(media), file_uri });
    }
    at_google(id, media, platform)
}

fn is_youtube(url: &str) -> bool {
    let host = url.split_once("://").map_or("", |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    ["youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"]
        .iter()
        .any(|known| host.eq_ignore_ascii_case(known))
}

fn starts_with(url: &str, scheme: &str) -> bool {
    url.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
}

fn mime<'a>(media: &'a Media<'_>) -> Option<&'a str> {
    Some(match media.mime.as_deref()? {
        // Other names of types that Google has under one only
        // (<https://ai.google.dev/gemini-api/docs/audio>).
        "image/jpg" => "image/jpeg",
        "audio/mpeg" => "audio/mp3",
        "audio/wave" | "audio/x-wav" => "audio/wav",
        known => known,
    })
}

/// The type that a file's ending tells.
fn named(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "mov" => "video/mov",
        "webm" => "video/webm",
        _ => return None,
    })
}

/// The type that the first bytes tell, read in base64.
fn sniffed(data: &str) -> Option<&'static str> {
    const STARTS: [(&str, &str); 5] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("JVBERi0", "application/pdf"),
    ];
    STARTS.into_iter().find(|(start, _)| data.starts_with(start)).map(|(_, mime)| mime)
}
