//! The parts of a message, and of what a tool answered.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response_input_content_param.py>

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, Visitor},
};

use super::super::form::{CacheMark, Media, Part, PartKind, PartPath, Refusal, Source, Text};

/// A part as clients write it: one type for all, as each has few members.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PartIn<'a> {
    /// Its `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Option<Text<'a>>,
    /// Words.
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
    #[serde(borrow)]
    refusal: Option<Text<'a>>,
    #[serde(borrow)]
    image_url: Option<Url<'a>>,
    #[serde(borrow)]
    file_id: Option<Text<'a>>,
    #[serde(borrow)]
    file_data: Option<Text<'a>>,
    #[serde(borrow)]
    file_url: Option<Text<'a>>,
    #[serde(borrow)]
    filename: Option<Text<'a>>,
    #[serde(borrow)]
    detail: Option<Text<'a>>,
    #[serde(borrow)]
    input_audio: Option<AudioIn<'a>>,
    prompt_cache_breakpoint: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AudioIn<'a> {
    #[serde(borrow)]
    data: Text<'a>,
    #[serde(borrow)]
    format: Option<Text<'a>>,
}

impl<'a> PartIn<'a> {
    /// The part in the middle form.
    ///
    /// # Errors
    /// When it lacks what its type needs, or is of a type that no other API has.
    pub fn read(self, path: PartPath) -> Result<Part<'a>, Refusal> {
        let cache = self.prompt_cache_breakpoint.map(|_| CacheMark::Short);
        let kind = match self.kind.as_deref() {
            Some("input_text" | "output_text" | "text") => {
                PartKind::Text(self.text.ok_or_else(|| lacks(path, "text"))?)
            }
            Some("refusal") => {
                PartKind::Refusal(self.refusal.ok_or_else(|| lacks(path, "refusal"))?)
            }
            Some("input_image") => PartKind::Image(self.image(path)?),
            Some("input_file") => PartKind::Document(self.file(path)?),
            Some("input_audio") => {
                let audio = self.input_audio.ok_or_else(|| lacks(path, "input_audio"))?;
                PartKind::Audio(sound(audio))
            }
            None => return Err(lacks(path, "type")),
            Some(other) => {
                let message = format!(
                    "`{path}`: content of type `{other}` cannot be translated for this model's vendor"
                );
                return Err(Refusal::unsupported(path.to_string(), message));
            }
        };
        Ok(Part { cache, ..Part::new(kind, path) })
    }

    fn image(self, path: PartPath) -> Result<Media<'a>, Refusal> {
        let media = match (self.image_url, self.file_id) {
            (Some(Url(url)), _) => Media::of_url(url),
            (None, Some(id)) => Media::at(Source::File(id)),
            (None, None) => return Err(lacks(path, "image_url")),
        };
        Ok(Media { detail: self.detail, ..media })
    }

    fn file(self, path: PartPath) -> Result<Media<'a>, Refusal> {
        let media = match (self.file_data, self.file_url, self.file_id) {
            (Some(data), _, _) => file_data(data, self.filename.as_deref()),
            (None, Some(url), _) => Media::of_url(url),
            (None, None, Some(id)) => Media::at(Source::File(id)),
            (None, None, None) => return Err(lacks(path, "file_data")),
        };
        Ok(Media { name: self.filename, detail: self.detail, ..media })
    }
}

/// A data URL, as the guides write it, or the base64 alone, as the reference says.
fn file_data<'a>(data: Text<'a>, name: Option<&str>) -> Media<'a> {
    let media = Media::of_url(data);
    match media.source {
        Source::Url(bare) => Media { mime: mime_of(name), ..Media::at(Source::Base64(bare)) },
        _ => media,
    }
}

fn mime_of(name: Option<&str>) -> Option<Text<'static>> {
    let (_, ending) = name?.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf".into(),
        "txt" => "text/plain".into(),
        "md" => "text/markdown".into(),
        "csv" => "text/csv".into(),
        "html" => "text/html".into(),
        "json" => "application/json".into(),
        _ => return None,
    })
}

fn sound(audio: AudioIn<'_>) -> Media<'_> {
    let mime = audio.format.map(|format| match &*format {
        "mp3" => Text::from("audio/mpeg"),
        other => format!("audio/{other}").into(),
    });
    Media { mime, ..Media::at(Source::Base64(audio.data)) }
}

fn lacks(path: PartPath, member: &str) -> Refusal {
    Refusal::invalid(path.to_string(), format!("`{path}`: `{member}` is missing"))
}

/// An address, also where it stands in an object as in chat completions.
#[derive(Debug)]
struct Url<'a>(Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Url<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UrlVisitor)
    }
}

struct UrlVisitor;

impl<'de> Visitor<'de> for UrlVisitor {
    type Value = Url<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL as a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Url<'de>, E> {
        Ok(Url(text.into()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Url<'de>, E> {
        Ok(Url(text.to_owned().into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Url<'de>, A::Error> {
        let mut url = None;
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if key == *"url" {
                url = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        url.map(Url).ok_or_else(|| de::Error::missing_field("url"))
    }
}
