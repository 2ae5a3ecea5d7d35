//! A client's request.
//! <https://platform.openai.com/docs/api-reference/completions/create>

use serde_json::value::RawValue;

use crate::translate::{
    ClientApi,
    chat::{Members, read_common},
    form::{Part, PartKind, PartPath, Refusal, Request, Role, Text, Turn},
};

/// Reads a request's body.
///
/// # Errors
/// When it is not of the API, or asks for what a conversation cannot do.
pub fn read_request(body: &[u8]) -> Result<Request<'_>, Refusal> {
    let mut members = Members::of(body)?;
    refuse(&mut members)?;
    let prompt = read_prompt(&mut members)?;
    if prompt.is_empty() {
        // `OpenAI`'s own models would begin a document; a conversation begins with words.
        return Err(Refusal::invalid("prompt", "`prompt` is empty"));
    }
    let mut request = read_common(&mut members, ClientApi::Completions)?;
    if request.sampling.n.is_some_and(|count| count > 1) {
        return Err(Refusal::unsupported("n", "one answer can be had at a time from this model"));
    }
    let path = PartPath { list: "prompt", item: 0, part: None };
    let part = Part::new(PartKind::Text(prompt), path);
    request.turns = vec![Turn { role: Role::User, name: None, parts: vec![part] }];
    request.rest = members.rest();
    Ok(request)
}

/// What only a model that goes on with a text can do.
fn refuse(members: &mut Members<'_>) -> Result<(), Refusal> {
    let no = |name: &str, why: &str| {
        Err(Refusal::unsupported(name, format!("this model has conversations only: {why}")))
    };
    if members.take::<Text<'_>>("suffix")?.is_some_and(|text| !text.is_empty()) {
        return no("suffix", "it cannot fill in before a `suffix`");
    }
    if members.take::<bool>("echo")?.unwrap_or(false) {
        return no("echo", "it does not `echo` the prompt");
    }
    if members.take::<u64>("best_of")?.is_some_and(|count| count > 1) {
        return no("best_of", "it gives no `best_of` several answers");
    }
    match members.take_raw("logprobs").map(RawValue::get) {
        None | Some("0" | "false") => Ok(()),
        Some(_) => no("logprobs", "it gives no `logprobs`"),
    }
}

/// A text, or a list of one text.
fn read_prompt<'a>(members: &mut Members<'a>) -> Result<Text<'a>, Refusal> {
    let Some(raw) = members.take_raw("prompt") else {
        return Err(Refusal::invalid("prompt", "`prompt` is missing"));
    };
    if let Ok(text) = serde_json::from_str(raw.get()) {
        return Ok(text);
    }
    let Ok(list) = serde_json::from_str::<Vec<&'a RawValue>>(raw.get()) else {
        return Err(Refusal::invalid("prompt", "`prompt` is a text or a list of texts"));
    };
    match list.as_slice() {
        [] => Err(Refusal::invalid("prompt", "`prompt` is an empty list")),
        [one] => serde_json::from_str(one.get()).map_err(|_| tokens()),
        [first, ..] if !first.get().starts_with('"') => Err(tokens()),
        _ => {
            let message = "this model takes one prompt at a time; send one request for each";
            Err(Refusal::unsupported("prompt", message))
        }
    }
}

fn tokens() -> Refusal {
    let message = "this model takes text; token ids mean nothing to it";
    Refusal::unsupported("prompt", message)
}
