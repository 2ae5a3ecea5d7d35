//! `POST /v1/embeddings`: <https://developers.openai.com/api/reference/resources/embeddings>.
//!
//! Every word of a text adds to a few of the vector's dimensions, chosen by the word's hash; the sum
//! is scaled to length one. Texts that share words are near each other, so that a search built on it
//! finds something.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{answer::Answer, fields::Fields, refusal::Refusal, reply::tokens};

/// Dimensions where the client names none.
const DEFAULT_DIMENSIONS: usize = 1_536;
/// Most texts of one request, as the vendor's own limit.
const MOST_INPUTS: usize = 2_048;
/// Dimensions that one word touches.
const TOUCHED: u64 = 4;

/// Answers with one vector for each input.
pub fn answer(body: &Value) -> Result<Answer, Refusal> {
    let fields = Fields::of_body(body)?;
    let model = fields.text("model")?;
    let inputs = read_inputs(fields)?;
    let dimensions = fields.integer("dimensions", 1..=4_096)?;
    let dimensions =
        dimensions.and_then(|wanted| usize::try_from(wanted).ok()).unwrap_or(DEFAULT_DIMENSIONS);
    let base64 = match fields.optional_text("encoding_format")? {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(fields.refuse("encoding_format", "must be 'float' or 'base64'")),
    };
    let data = inputs.iter().enumerate().map(|(index, input)| {
        let vector = embed(&input.words, dimensions);
        let embedding = if base64 { json!(STANDARD.encode(bytes(&vector))) } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    });
    let data: Value = data.collect();
    let total: u64 = inputs.iter().map(|input| input.tokens).sum();
    Ok(Answer::Whole(json!({
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": total, "total_tokens": total}
    })))
}

struct Input {
    words: Vec<String>,
    tokens: u64,
}

/// `input`: a text, texts, token ids or lists of them.
fn read_inputs(fields: Fields<'_>) -> Result<Vec<Input>, Refusal> {
    let wrong = || {
        fields.refuse(
            "input",
            format!("must be a non-empty string, or an array of 1 to {MOST_INPUTS} non-empty strings or arrays of token ids"),
        )
    };
    let inputs: Vec<Input> = match fields.required("input")? {
        one @ Value::String(_) => read_input(one).into_iter().collect(),
        Value::Array(items) if items.iter().all(Value::is_u64) => {
            read_ids(items).into_iter().collect()
        }
        Value::Array(items) if items.len() <= MOST_INPUTS => {
            items.iter().map(|item| read_input(item).ok_or_else(wrong)).collect::<Result<_, _>>()?
        }
        _ => return Err(wrong()),
    };
    if inputs.is_empty() { Err(wrong()) } else { Ok(inputs) }
}

fn read_input(input: &Value) -> Option<Input> {
    match input {
        Value::String(text) if !text.is_empty() => {
            let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
            let mut words: Vec<_> = words.map(str::to_lowercase).collect();
            if words.is_empty() {
                words.push(text.clone());
            }
            Some(Input { words, tokens: tokens(text) })
        }
        Value::Array(ids) if ids.iter().all(Value::is_u64) => read_ids(ids),
        _ => None,
    }
}

fn read_ids(ids: &[Value]) -> Option<Input> {
    let tokens = u64::try_from(ids.len()).ok().filter(|count| *count > 0)?;
    Some(Input { words: ids.iter().map(Value::to_string).collect(), tokens })
}

/// The vector of some words, of length one.
fn embed(words: &[String], dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions];
    for word in words {
        let mut state = hash(word.as_bytes());
        for _ in 0..TOUCHED {
            state = mix(state);
            let at = usize::try_from(state >> 1).unwrap_or(usize::MAX) % dimensions;
            if let Some(value) = vector.get_mut(at) {
                *value += if state & 1 == 0 { 1.0 } else { -1.0 };
            }
        }
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in &mut vector {
            *value /= length;
        }
    } else if let Some(first) = vector.first_mut() {
        // All words cancelled each other out; a vector of length one is still owed.
        *first = 1.0;
    }
    vector
}

/// FNV-1a: <http://www.isthe.com/chongo/tech/comp/fnv/>. The standard library's hasher may change.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `SplitMix64`'s step: <https://prng.di.unimi.it/splitmix64.c>.
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Little-endian floats, as `encoding_format: base64` carries them.
fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &str) -> Vec<f32> {
        embed(&read_input(&json!(text)).expect("a text").words, 256)
    }

    fn cosine(a: &str, b: &str) -> f32 {
        vector(a).iter().zip(vector(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn vectors_have_length_one_and_are_the_same_each_time() {
        let one: f32 = vector("a few words").iter().map(|value| value * value).sum();
        assert!((one - 1.0).abs() < 1e-5, "{one}");
        assert_eq!(vector("a few words"), vector("a few words"));
    }

    #[test]
    fn texts_that_share_words_are_nearer_than_others() {
        let near = cosine("the cat sat on the mat", "a cat on a mat");
        let far = cosine("the cat sat on the mat", "quarterly revenue grew");
        assert!(near > far + 0.2, "{near} {far}");
    }

    #[test]
    fn empty_inputs_are_refused() {
        for input in [json!(""), json!([]), json!(["a", ""]), json!([[]]), json!(7)] {
            let refusal = answer(&json!({"model": "m", "input": input})).expect_err("refused");
            assert_eq!(refusal.param.as_deref(), Some("input"));
        }
    }
}
