//! Pictures, sounds, films and documents.
//!
//! Bytes go into the body in base64, or stand in S3; other URLs are fetched before this runs.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    super::form::{Media, Part, PartKind, Refusal, Source},
    body::{self, Block, Citations, Document, Medium},
};

/// What may stand in a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Image,
    Audio,
    Video,
}

/// Types of images.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html>
const IMAGES: [(&str, &str); 5] = [
    ("image/png", "png"),
    ("image/jpeg", "jpeg"),
    ("image/jpg", "jpeg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
];
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_AudioBlock.html>
const AUDIO: [(&str, &str); 15] = [
    ("audio/mp3", "mp3"),
    ("audio/mpeg", "mp3"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/wave", "wav"),
    ("audio/flac", "flac"),
    ("audio/ogg", "ogg"),
    ("audio/opus", "opus"),
    ("audio/aac", "aac"),
    ("audio/mp4", "mp4"),
    ("audio/m4a", "m4a"),
    ("audio/x-m4a", "m4a"),
    ("audio/webm", "webm"),
    ("audio/pcm", "pcm"),
    ("audio/x-matroska", "mka"),
];
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_VideoBlock.html>
const VIDEO: [(&str, &str); 8] = [
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/x-matroska", "mkv"),
    ("video/webm", "webm"),
    ("video/x-flv", "flv"),
    ("video/mpeg", "mpeg"),
    ("video/x-ms-wmv", "wmv"),
    ("video/3gpp", "three_gp"),
];
/// Types and endings of documents.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>
const DOCUMENTS: [(&str, &str); 9] = [
    ("application/pdf", "pdf"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("text/markdown", "md"),
];
/// How files of a kind begin, in base64.
const BEGINNINGS: [(&str, &str); 5] = [
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi0", "application/pdf"),
];
/// The longest name of a document, bytes; AWS takes 200 characters, and a number may follow.
const MAX_NAME: usize = 180;

/// Whether a medium of this kind must be in the body, where a client gave its URL: always, but for what
/// stands in S3.
#[must_use]
pub fn inlines(kind: &PartKind<'_>) -> bool {
    match kind {
        PartKind::Image(media) | PartKind::Audio(media) | PartKind::Document(media) => {
            !matches!(&media.source, Source::Url(url) if url.starts_with("s3://"))
        }
        _ => false,
    }
}

/// Names of documents, each used once in a request.
#[derive(Default)]
pub(super) struct Names {
    used: BTreeSet<String>,
    next: BTreeMap<String, u32>,
}

impl Names {
    /// `name` in the characters that Bedrock takes: letters, digits, single blanks, hyphens and brackets.
    fn unique(&mut self, name: Option<&str>) -> String {
        let stem = clean(name.unwrap_or_default());
        let stem = if stem.is_empty() { "document".to_owned() } else { stem };
        if self.used.insert(stem.clone()) {
            return stem;
        }
        let number = self.next.entry(stem.clone()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{stem} ({number})");
            if self.used.insert(name.clone()) {
                return name;
            }
        }
    }
}

fn clean(name: &str) -> String {
    // A format is told apart: its ending is no part of the name.
    let stem = match name.rsplit_once('.') {
        Some((stem, ending)) if DOCUMENTS.iter().any(|(_, format)| *format == ending) => stem,
        _ => name,
    };
    let mut clean = String::new();
    for letter in stem.chars() {
        let letter = match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '(' | ')' | '[' | ']' => letter,
            _ if letter.is_whitespace() => ' ',
            _ => '-',
        };
        if clean.len() == MAX_NAME {
            break;
        }
        if letter != ' ' || !clean.is_empty() && !clean.ends_with(' ') {
            clean.push(letter);
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// A part that is a medium; none for one that is not.
pub(super) fn block<'r>(
    part: &'r Part<'_>,
    names: &mut Names,
) -> Option<Result<Block<'r>, Refusal>> {
    Some(match &part.kind {
        PartKind::Image(media) => medium(part, media, Kind::Image).map(Block::Image),
        PartKind::Audio(media) => medium(part, media, Kind::Audio).map(Block::Audio),
        PartKind::Document(media) => match mime(media) {
            Some(mime) if mime.starts_with("video/") => {
                medium(part, media, Kind::Video).map(Block::Video)
            }
            Some(mime) if mime.starts_with("image/") => {
                medium(part, media, Kind::Image).map(Block::Image)
            }
            _ => document(part, media, names).map(Block::Document),
        },
        _ => return None,
    })
}

fn medium<'r>(part: &Part<'_>, media: &'r Media<'_>, kind: Kind) -> Result<Medium<'r>, Refusal> {
    let (formats, what): (&[_], _) = match kind {
        Kind::Image => (&IMAGES, "images in PNG, JPEG, GIF or WebP"),
        Kind::Audio => (&AUDIO, "sound in MP3, WAV, FLAC, Ogg, Opus, AAC, M4A or WebM"),
        Kind::Video => (&VIDEO, "video in MP4, MOV, MKV, WebM, FLV, MPEG, WMV or 3GP"),
    };
    let mime = mime(media);
    let format = mime.and_then(|mime| format_of(formats, mime));
    let format = format.ok_or_else(|| wrong_type(part, mime, what))?;
    Ok(Medium { format, source: source(part, media)? })
}

fn document<'r>(
    part: &Part<'_>,
    media: &'r Media<'_>,
    names: &mut Names,
) -> Result<Document<'r>, Refusal> {
    let mime = mime(media);
    let plain = matches!(media.source, Source::Text(_)).then_some("txt");
    let by_ending = || {
        let (_, ending) = media.name.as_deref()?.rsplit_once('.')?;
        let known = |(_, format): &&(&str, &str)| format.eq_ignore_ascii_case(ending);
        DOCUMENTS.iter().find(known).map(|(_, format)| *format)
    };
    let format = mime.and_then(|mime| format_of(&DOCUMENTS, mime)).or_else(by_ending).or(plain);
    let format = format.ok_or_else(|| {
        wrong_type(part, mime, "documents in PDF, CSV, DOC, DOCX, XLS, XLSX, HTML, TXT or Markdown")
    })?;
    Ok(Document {
        format,
        name: names.unique(media.name.as_deref()),
        source: source(part, media)?,
        context: media.context.as_deref().filter(|context| !context.trim().is_empty()),
        citations: media.citations.then_some(Citations { enabled: true }),
    })
}

/// What the client says it is, or else what its first bytes say.
fn mime<'r>(media: &'r Media<'_>) -> Option<&'r str> {
    let told = media.mime.as_deref().filter(|mime| *mime != "application/octet-stream");
    told.or_else(|| match &media.source {
        Source::Base64(data) => {
            let known = BEGINNINGS.iter().find(|(beginning, _)| data.starts_with(beginning));
            known.map(|(_, mime)| *mime)
        }
        _ => None,
    })
}

fn format_of(formats: &[(&str, &'static str)], mime: &str) -> Option<&'static str> {
    let mime = mime.split(';').next().unwrap_or_default().trim();
    let known = formats.iter().find(|(known, _)| known.eq_ignore_ascii_case(mime));
    known.map(|(_, format)| *format)
}

fn source<'r>(part: &Part<'_>, media: &'r Media<'_>) -> Result<body::Source<'r>, Refusal> {
    match &media.source {
        Source::Base64(data) => Ok(body::Source::Bytes(Cow::Borrowed(data))),
        Source::Text(text) => Ok(body::Source::Bytes(Cow::Owned(STANDARD.encode(text.as_bytes())))),
        Source::Url(url) if url.starts_with("s3://") => Ok(body::Source::S3Location { uri: url }),
        Source::Url(_) => Err(Refusal::unsupported(
            part.path.to_string(),
            "Amazon Bedrock takes no URL here: send the file's bytes in base64, or an s3:// address",
        )),
        Source::File(_) => Err(Refusal::unsupported(
            part.path.to_string(),
            "a file's id is known only to the vendor it was uploaded to: send the file's bytes in base64",
        )),
    }
}

fn wrong_type(part: &Part<'_>, mime: Option<&str>, what: &str) -> Refusal {
    let given = mime.unwrap_or("a file of an unknown type");
    let message = format!("Amazon Bedrock takes {what}, not {given}");
    Refusal::unsupported(part.path.to_string(), message)
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_of_documents_are_clean_and_used_once() {
        let mut names = Names::default();
        let all = [
            Some("report.pdf"),
            Some("report.pdf"),
            Some("report (2)"),
            Some("  a\t b_ü/c  [1]. "),
            None,
            Some("..."),
            Some("   "),
            Some("report"),
        ];
        let all = all.map(|name| names.unique(name));
        assert_eq!(
            all,
            [
                "report",
                "report (2)",
                "report (2) (2)",
                "a b---c [1]-",
                "document",
                "---",
                "document (2)",
                "report (3)"
            ]
        );
        assert!(names.unique(Some(&"é".repeat(500))).len() <= 200);
    }
}
