//! The list of vectors that a client gets
//! (<https://platform.openai.com/docs/api-reference/embeddings/object>).

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::value::RawValue;

use super::EmbeddingRequest;
use crate::translate::Unreadable;

/// What one body of a vendor says.
pub(super) struct Vectors<'a> {
    /// A list of numbers for each text, in the texts' order.
    pub(super) vectors: Vec<&'a RawValue>,
    /// Tokens of the texts, where the vendor says.
    pub(super) tokens: Option<u64>,
}

/// How far from 1 the length of a vector may be that is left as it is.
const TOLERANCE: f64 = 1e-4;

/// Writes the list; `to_unit`: the vectors are brought to length 1.
pub(super) fn write(
    vectors: &[&RawValue],
    tokens: u64,
    request: &EmbeddingRequest<'_>,
    model: &str,
    to_unit: bool,
) -> Result<Vec<u8>, Unreadable> {
    let (found, asked) = (vectors.len(), request.inputs.len());
    if found != asked {
        return Err(Unreadable(format!("it has {found} vectors for {asked} texts")));
    }
    let length: usize = vectors.iter().map(|vector| vector.get().len() + 64).sum();
    let mut out = Vec::with_capacity(length + 256);
    out.extend_from_slice(br#"{"object":"list","data":["#);
    for (index, vector) in vectors.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(br#"{"object":"embedding","index":"#);
        out.extend_from_slice(index.to_string().as_bytes());
        out.extend_from_slice(br#","embedding":"#);
        let mut numbers = numbers(vector)?;
        let scaled = to_unit && scale(&mut numbers);
        if request.base64 {
            base64(&numbers, &mut out);
        } else if scaled {
            serde_json::to_writer(&mut out, &numbers)
                .map_err(|_| Unreadable("a vector cannot be written".to_owned()))?;
        } else {
            // The vendor's own digits; it may have indented them.
            out.extend(vector.get().bytes().filter(|byte| !byte.is_ascii_whitespace()));
        }
        out.push(b'}');
    }
    out.extend_from_slice(br#"],"model":"#);
    serde_json::to_writer(&mut out, model)
        .map_err(|_| Unreadable("its model cannot be named".to_owned()))?;
    out.extend_from_slice(br#","usage":"#);
    out.extend_from_slice(
        format!(r#"{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}"#).as_bytes(),
    );
    out.push(b'}');
    Ok(out)
}

fn numbers(vector: &RawValue) -> Result<Vec<f32>, Unreadable> {
    serde_json::from_str::<Vec<f32>>(vector.get())
        .ok()
        .filter(|numbers| !numbers.is_empty())
        .ok_or_else(|| Unreadable("a vector is no list of numbers".to_owned()))
}

/// Brings a vector to length 1. False where it has that already, or has no length.
#[expect(clippy::cast_possible_truncation, reason = "it was read as these")]
fn scale(numbers: &mut [f32]) -> bool {
    let length = numbers.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    if !length.is_normal() || (length - 1.0).abs() < TOLERANCE {
        return false;
    }
    for number in numbers {
        *number = (f64::from(*number) / length) as f32;
    }
    true
}

fn base64(numbers: &[f32], out: &mut Vec<u8>) {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}
