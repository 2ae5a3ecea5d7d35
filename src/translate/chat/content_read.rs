//! The parts of a client's message.
//! <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::members::read_at;
use crate::translate::form::{CacheMark, Media, Part, PartKind, PartPath, Refusal, Source, Text};

/// What base64 of a PDF begins with (`%PDF-`).
const PDF_START: &str = "JVBERi0";

/// Anthropic's marker, which clients of the unified API may set here too.
/// <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>
#[derive(Deserialize)]
pub(super) struct CacheControl<'a> {
    #[serde(borrow)]
    ttl: Option<Text<'a>>,
}

impl CacheControl<'_> {
    pub(super) fn mark(&self) -> CacheMark {
        match self.ttl.as_deref() {
            Some("1h") => CacheMark::Hour,
            _ => CacheMark::Short,
        }
    }
}

#[derive(Deserialize)]
struct RawPart<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    text: Option<Text<'a>>,
    image_url: Option<&'a RawValue>,
    input_audio: Option<&'a RawValue>,
    file: Option<&'a RawValue>,
    refusal: Option<Text<'a>>,
    cache_control: Option<CacheControl<'a>>,
    /// The API's own mark, of GPT-5.6 and later.
    /// <https://developers.openai.com/api/docs/guides/prompt-caching>
    prompt_cache_breakpoint: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct ImageUrl<'a> {
    #[serde(borrow)]
    url: Text<'a>,
    detail: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct InputAudio<'a> {
    #[serde(borrow)]
    data: Text<'a>,
    format: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    file_data: Option<Text<'a>>,
    file_id: Option<Text<'a>>,
    filename: Option<Text<'a>>,
}

/// Reads `content`: a string, a list of parts, or nothing.
pub(super) fn read_content<'a>(
    raw: Option<&'a RawValue>,
    path: PartPath,
) -> Result<Vec<Part<'a>>, Refusal> {
    let Some(raw) = raw else { return Ok(Vec::new()) };
    let at = || format!("{}[{}].content", path.list, path.item);
    match raw.get().as_bytes().first() {
        Some(b'"') => {
            let text = read_at(at(), raw)?;
            Ok(vec![Part::new(PartKind::Text(text), path)])
        }
        Some(b'[') => {
            let parts: Vec<&'a RawValue> = read_at(at(), raw)?;
            let place = |part| PartPath { part: Some(part), ..path };
            let read = |(part, raw)| read_part(raw, place(part));
            parts.into_iter().enumerate().map(read).collect()
        }
        _ => {
            let at = at();
            let message = format!("`{at}` is a string or a list of parts");
            Err(Refusal::invalid(at, message))
        }
    }
}

pub(super) fn read_part(raw: &RawValue, path: PartPath) -> Result<Part<'_>, Refusal> {
    if raw.get().starts_with('"') {
        return Ok(Part::new(PartKind::Text(read_at(path, raw)?), path));
    }
    let part: RawPart<'_> = read_at(path, raw)?;
    let cache = part.cache_control.as_ref().map(CacheControl::mark);
    let cache = cache.or(part.prompt_cache_breakpoint.map(|_| CacheMark::Short));
    let kind = part.kind.as_deref().unwrap_or("text");
    let missing = |name: &str| {
        let at = format!("{path}.{name}");
        let message = format!("`{at}` is missing");
        Refusal::invalid(at, message)
    };
    let kind = match kind {
        "text" => PartKind::Text(part.text.ok_or_else(|| missing("text"))?),
        "refusal" => PartKind::Refusal(part.refusal.ok_or_else(|| missing("refusal"))?),
        "image_url" => read_image(part.image_url.ok_or_else(|| missing("image_url"))?, path)?,
        "input_audio" => read_audio(part.input_audio.ok_or_else(|| missing("input_audio"))?, path)?,
        "file" => read_file(part.file.ok_or_else(|| missing("file"))?, path)?,
        other => PartKind::Other { name: Text::from(other.to_owned()), raw },
    };
    Ok(Part { kind, cache, path })
}

/// `{"url","detail"}`, or (some clients) the URL alone.
fn read_image(raw: &RawValue, path: PartPath) -> Result<PartKind<'_>, Refusal> {
    let at = format!("{path}.image_url");
    let (url, detail) = if raw.get().starts_with('"') {
        (read_at(at, raw)?, None)
    } else {
        let image: ImageUrl<'_> = read_at(at, raw)?;
        (image.url, image.detail)
    };
    Ok(PartKind::Image(Media { detail, ..Media::of_url(url) }))
}

fn read_audio(raw: &RawValue, path: PartPath) -> Result<PartKind<'_>, Refusal> {
    let audio: InputAudio<'_> = read_at(format!("{path}.input_audio"), raw)?;
    if audio.data.starts_with("data:") {
        return Ok(PartKind::Audio(Media::of_url(audio.data)));
    }
    let mime = audio.format.map(|format| match &*format {
        "mp3" => Text::from("audio/mpeg"),
        other => Text::from(format!("audio/{other}")),
    });
    Ok(PartKind::Audio(Media { mime, ..Media::at(Source::Base64(audio.data)) }))
}

/// The data is a data URL; bare base64 and addresses are taken too.
fn read_file(raw: &RawValue, path: PartPath) -> Result<PartKind<'_>, Refusal> {
    let at = format!("{path}.file");
    let file: File<'_> = read_at(&at, raw)?;
    let media = match (file.file_data, file.file_id) {
        (Some(data), _) if is_address(&data) => Media::of_url(data),
        (Some(data), _) => {
            let mime = data.starts_with(PDF_START).then(|| Text::from("application/pdf"));
            Media { mime, ..Media::at(Source::Base64(data)) }
        }
        (None, Some(id)) => Media::at(Source::File(id)),
        (None, None) => {
            let message = format!("`{at}` needs `file_data` or `file_id`");
            return Err(Refusal::invalid(at, message));
        }
    };
    let media = Media { name: file.filename, ..media };
    let is = |kind: &str| media.mime.as_deref().is_some_and(|mime| mime.starts_with(kind));
    Ok(match () {
        () if is("image/") => PartKind::Image(media),
        () if is("audio/") => PartKind::Audio(media),
        () => PartKind::Document(media),
    })
}

fn is_address(data: &str) -> bool {
    ["data:", "http://", "https://"].into_iter().any(|start| data.starts_with(start))
}
