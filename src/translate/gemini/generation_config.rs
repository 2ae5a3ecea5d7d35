//! `generationConfig`: sampling, limits and the answer's form
//! (<https://ai.google.dev/api/generate-content#generationconfig>).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    answer_form::AnswerForm,
    request_body::{GenerationConfig, ImageConfig, Schema},
    schema, thinking,
};
use crate::translate::{
    Target,
    form::{Format, Pictures, Refusal, Request, Sampling, Text},
};

/// The most stop texts.
const MAX_STOPS: usize = 5;

/// Writes it; none where it would be empty.
pub(super) fn write<'a>(
    request: &'a Request<'_>,
    form: AnswerForm<'a>,
    target: &Target<'_>,
) -> Result<Option<GenerationConfig<'a>>, Refusal> {
    let sampling = &request.sampling;
    refuse(request)?;
    let penalty = |value: Option<f64>| {
        value.filter(|value| *value != 0.0).map(|value| value.clamp(-2.0, 2.0))
    };
    let (response_mime_type, response_json_schema) = match form {
        AnswerForm::Mode(Format::JsonObject) => (Some("application/json"), None),
        AnswerForm::Mode(Format::JsonSchema(format)) => {
            (Some("application/json"), Some(Schema(schema::json_schema(format.schema))))
        }
        AnswerForm::Any | AnswerForm::Tool(_) | AnswerForm::Words => (None, None),
    };
    let config = GenerationConfig {
        temperature: sampling.temperature.map(|value| value.clamp(0.0, 2.0)),
        top_p: sampling.top_p.map(|value| value.clamp(0.0, 1.0)),
        top_k: sampling.top_k,
        max_output_tokens: request.max_tokens,
        stop_sequences: request.stop.iter().map(|stop| &**stop).collect(),
        seed: sampling.seed.map(seed),
        presence_penalty: penalty(sampling.presence_penalty),
        frequency_penalty: penalty(sampling.frequency_penalty),
        response_mime_type,
        response_json_schema,
        response_modalities: modalities(request),
        image_config: image_config(request)?,
        thinking_config: thinking::config(request.reasoning.as_ref(), target),
    };
    Ok((config != GenerationConfig::default()).then_some(config))
}

/// What Gemini has no place for, or no answer's reader could tell.
fn refuse(request: &Request<'_>) -> Result<(), Refusal> {
    let Sampling { n, logprobs, top_logprobs, logit_bias, .. } = &request.sampling;
    if n.is_some_and(|n| n > 1) {
        return Err(Refusal::unsupported("n", "`n` above 1 is not supported with Gemini"));
    }
    if *logprobs || top_logprobs.is_some_and(|top| top > 0) {
        return Err(Refusal::unsupported(
            "logprobs",
            "`logprobs` are not supported with Gemini; leave them out",
        ));
    }
    if logit_bias.is_some_and(|bias| bias.get().contains(':')) {
        return Err(Refusal::unsupported("logit_bias", "Gemini has no `logit_bias`"));
    }
    if request.stop.len() > MAX_STOPS {
        let message = format!("Gemini takes at most {MAX_STOPS} stop sequences");
        return Err(Refusal::unsupported("stop", message));
    }
    Ok(())
}

/// Google's seeds have 32 bits; a larger one is cut the same way each time.
const fn seed(seed: i64) -> i64 {
    if seed >= i32::MIN as i64 && seed <= i32::MAX as i64 { seed } else { seed & 0x7fff_ffff }
}

/// What the answer is made of, where that is not only text.
fn modalities(request: &Request<'_>) -> Vec<&'static str> {
    match &request.pictures {
        None => Vec::new(),
        Some(Pictures { alone: false, .. }) => vec!["TEXT", "IMAGE"],
        Some(Pictures { alone: true, .. }) => vec!["IMAGE"],
    }
}

/// `image_config` of the unified API.
fn image_config<'a>(request: &'a Request<'_>) -> Result<Option<ImageConfig<'a>>, Refusal> {
    #[derive(Deserialize)]
    struct Wanted<'a> {
        #[serde(borrow, default)]
        aspect_ratio: Option<Text<'a>>,
        #[serde(borrow, default)]
        image_size: Option<Text<'a>>,
    }
    let Some(raw) = member(request, "image_config") else { return Ok(None) };
    let wanted: Option<Wanted<'a>> = serde_json::from_str(raw.get()).map_err(|_| {
        let message = "`image_config` has the strings `aspect_ratio` and `image_size`";
        Refusal::invalid("image_config", message)
    })?;
    let config = wanted.map(|wanted| ImageConfig {
        aspect_ratio: wanted.aspect_ratio.map(|text| text.0),
        image_size: wanted.image_size.map(|text| text.0),
    });
    Ok(config.filter(|config| config.aspect_ratio.is_some() || config.image_size.is_some()))
}

fn member<'a>(request: &Request<'a>, name: &str) -> Option<&'a RawValue> {
    let found = request.rest.iter().find(|(key, _)| *key == *name).map(|(_, raw)| *raw);
    found.filter(|raw| raw.get() != "null")
}
