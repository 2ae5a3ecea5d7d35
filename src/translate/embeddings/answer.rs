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

/// Writes the list. `usage` is null where nobody counted.
pub(super) fn write(
    vectors: &[&RawValue],
    tokens: Option<u64>,
    request: &EmbeddingRequest<'_>,
    model: &str,
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
        let numbers = numbers(vector)?;
        if request.base64 {
            base64(&numbers, &mut out);
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
    match tokens {
        None => out.extend_from_slice(b"null"),
        Some(tokens) => out.extend_from_slice(
            format!(r#"{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}"#).as_bytes(),
        ),
    }
    out.push(b'}');
    Ok(out)
}

fn numbers(vector: &RawValue) -> Result<Vec<f32>, Unreadable> {
    serde_json::from_str::<Vec<f32>>(vector.get())
        .ok()
        .filter(|numbers| !numbers.is_empty())
        .ok_or_else(|| Unreadable("a vector is no list of numbers".to_owned()))
}

fn base64(numbers: &[f32], out: &mut Vec<u8>) {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}
