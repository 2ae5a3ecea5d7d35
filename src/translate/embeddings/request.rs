//! What a client of `/v1/embeddings` asks for
//! (<https://platform.openai.com/docs/api-reference/embeddings/create>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    domain::TEXT_BYTES_PER_TOKEN,
    translate::form::{Refusal, Text, read_json},
};

/// The most texts of one request, as `OpenAI` has it.
const MAX_INPUTS: usize = 2048;

/// A request for embeddings. `user` is a hint that no vendor here has a place for.
#[derive(Clone, Debug)]
pub struct EmbeddingRequest<'a> {
    /// The texts, in order; at least one.
    pub inputs: Vec<Text<'a>>,
    /// How many figures each vector is to have; none is as the model likes.
    pub dimensions: Option<u64>,
    /// The vectors are wanted as base64 of 32-bit floats, least byte first; else as lists.
    pub base64: bool,
    /// What the vectors are for, in the words of Cohere (`input_type`) or Google (`task_type`): members of
    /// their own APIs, told by clients that know them.
    pub input_type: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(default)]
    dimensions: Option<u64>,
    #[serde(borrow, default)]
    encoding_format: Option<Text<'a>>,
    #[serde(borrow, default)]
    input_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    task_type: Option<Text<'a>>,
}

impl<'a> EmbeddingRequest<'a> {
    /// Reads a client's body.
    ///
    /// # Errors
    /// When it is not of the API, or has tokens in place of texts: they are of `OpenAI`'s vocabulary,
    /// that no other model has.
    pub fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        let body: Body<'a> = read_json(body)?;
        let inputs = inputs(body.input)?;
        if inputs.is_empty() || inputs.len() > MAX_INPUTS {
            let message = format!("`input` has 1 to {MAX_INPUTS} texts, not {}", inputs.len());
            return Err(Refusal::invalid("input", message));
        }
        if let Some(empty) = inputs.iter().position(|text| text.is_empty()) {
            let path = if inputs.len() == 1 { "input".into() } else { format!("input[{empty}]") };
            return Err(Refusal::invalid(&*path, format!("`{path}` is empty")));
        }
        if body.dimensions == Some(0) {
            return Err(Refusal::invalid("dimensions", "`dimensions` is at least 1"));
        }
        let base64 = match body.encoding_format.as_deref() {
            None | Some("float") => false,
            Some("base64") => true,
            Some(_) => {
                let message = "`encoding_format` is `float` or `base64`";
                return Err(Refusal::invalid("encoding_format", message));
            }
        };
        let input_type = body.input_type.or(body.task_type);
        Ok(Self { inputs, dimensions: body.dimensions, base64, input_type })
    }

    /// About how many tokens the texts are, by their bytes.
    pub(super) fn guess(&self) -> u64 {
        let bytes: u64 = self.inputs.iter().map(|text| text.len() as u64).sum();
        bytes.div_ceil(TEXT_BYTES_PER_TOKEN)
    }
}

fn inputs(input: Option<&RawValue>) -> Result<Vec<Text<'_>>, Refusal> {
    let invalid = || Refusal::invalid("input", "`input` is a string or a list of strings");
    let json = input.ok_or_else(invalid)?.get();
    if json.starts_with('"') {
        return Ok(vec![serde_json::from_str(json).map_err(|_| invalid())?]);
    }
    serde_json::from_str::<Vec<Text<'_>>>(json).map_err(|_| {
        let inner = json.trim_start_matches('[').trim_start();
        if json.starts_with('[') && inner.starts_with(|first: char| first.is_ascii_digit()) {
            Refusal::unsupported(
                "input",
                "tokens are of another model's vocabulary; send `input` as text",
            )
        } else {
            invalid()
        }
    })
}
