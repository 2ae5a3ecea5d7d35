//! The order of messages, for vendors that are stricter about it than `OpenAI` is.

use super::{
    content_write::{Content, Joined, PartOut},
    layout::Message,
};
use crate::{
    domain::Quirks,
    translate::form::{PartPath, Refusal, Request, Role},
};

/// Said between results and the user's words by the model, as Mistral's own client has it say:
/// <https://github.com/mistralai/mistral-vibe> (`_ensure_assistant_after_tools`).
const UNDERSTOOD: &str = "Understood.";

/// What stands between messages that were made one.
const BETWEEN: &str = "\n\n";

/// The messages of `request`, in the order that the vendor takes.
pub(super) fn ordered<'r>(
    mut messages: Vec<Message<'r>>,
    request: &Request<'_>,
    quirks: &Quirks,
) -> Result<Vec<Message<'r>>, Refusal> {
    if quirks.alternating {
        messages = alternating(messages);
        refuse_begun(&messages, request)?;
    }
    if quirks.answer_after_results {
        answer_results(&mut messages);
    }
    if quirks.begun_prefix
        && let Some(last) = messages.last_mut().filter(|last| is_begun(last))
    {
        last.prefix = true;
    }
    Ok(messages)
}

/// Whether the message is the beginning of the answer that is asked for.
fn is_begun(message: &Message<'_>) -> bool {
    message.role == "assistant" && message.tool_calls.is_empty()
}

/// "Unexpected role 'user' after role 'tool'": <https://github.com/BerriAI/litellm/issues/17761>. Nor may
/// instructions stand there, or behind the model: later ones are the user's
/// (<https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py>).
fn answer_results(messages: &mut Vec<Message<'_>>) {
    let instructs = |one: &&mut Message<'_>| matches!(one.role, "system" | "developer");
    let later = messages.iter_mut().skip_while(|one| instructs(one));
    later.filter(instructs).for_each(|one| one.role = "user");
    let is_gap = |pair: &[Message<'_>]| matches!(pair, [one, next] if one.role == "tool" && next.role == "user");
    let gaps: Vec<usize> = messages
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| is_gap(pair))
        .map(|(at, _)| at)
        .collect();
    for at in gaps.into_iter().rev() {
        let text = Joined { pieces: vec![UNDERSTOOD], between: "" };
        messages.insert(at + 1, Message::new("assistant", Content::Text(text)));
    }
}

/// Instructions before everything, and neighbours of one role made one: "After the (optional) system
/// message(s), user and assistant roles should be alternating."
/// <https://github.com/perplexityai/api-discussion/issues/265>
fn alternating(messages: Vec<Message<'_>>) -> Vec<Message<'_>> {
    let (mut all, others): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|one| matches!(one.role, "system" | "developer"));
    for next in others {
        match all.last_mut() {
            Some(last) if last.role == next.role && matches!(next.role, "user" | "assistant") => {
                append(last, next);
            }
            _ => all.push(next),
        }
    }
    all
}

fn append<'r>(last: &mut Message<'r>, mut next: Message<'r>) {
    // What was refused is said among the rest: there is one answer now.
    if let Some(refusal) = next.refusal.take() {
        let said = std::mem::replace(&mut next.content, Content::Text(refusal));
        if !matches!(&said, Content::Nothing(())) && !is_empty(&said) {
            let refused = std::mem::replace(&mut next.content, said);
            append_content(&mut next, refused);
        }
    }
    let content = std::mem::replace(&mut next.content, Content::Nothing(()));
    append_content(last, content);
    last.name = last.name.filter(|name| Some(*name) == next.name);
    last.tool_calls.extend(next.tool_calls);
}

fn is_empty(content: &Content<'_>) -> bool {
    match content {
        Content::Text(text) => text.pieces.iter().all(|piece| piece.is_empty()),
        _ => false,
    }
}

fn append_content<'r>(last: &mut Message<'r>, next: Content<'r>) {
    let before = std::mem::replace(&mut last.content, Content::Nothing(()));
    last.content = match (before, next) {
        (Content::Nothing(()), one) | (one, Content::Nothing(())) => one,
        (Content::Text(before), Content::Text(next)) => {
            let mut pieces = flat(before);
            pieces.push(BETWEEN);
            pieces.extend(flat(next));
            Content::Text(Joined { pieces, between: "" })
        }
        (before, next) => {
            let mut parts = parts(before);
            parts.extend(self::parts(next));
            Content::Parts(parts)
        }
    };
}

/// The pieces, and what stands between them among them.
fn flat(text: Joined<'_>) -> Vec<&str> {
    let mut pieces = Vec::with_capacity(text.pieces.len() * 2);
    for piece in text.pieces {
        if !pieces.is_empty() && !text.between.is_empty() {
            pieces.push(text.between);
        }
        pieces.push(piece);
    }
    pieces
}

fn parts(content: Content<'_>) -> Vec<PartOut<'_>> {
    match content {
        Content::Nothing(()) => Vec::new(),
        Content::Text(text) => text.pieces.into_iter().map(PartOut::text).collect(),
        Content::Parts(parts) => parts,
    }
}

/// "Last message must have role `user`.": <https://github.com/BerriAI/litellm/issues/3918>
fn refuse_begun(messages: &[Message<'_>], request: &Request<'_>) -> Result<(), Refusal> {
    if !messages.last().is_some_and(is_begun) {
        return Ok(());
    }
    let own = request.turns.iter().rfind(|turn| turn.role == Role::Assistant);
    let first = own.and_then(|turn| turn.parts.first()).map(|part| part.path).unwrap_or_default();
    let at = PartPath { part: None, ..first };
    let message = "this vendor does not go on with an answer that was begun for it; end with a message \
                   of the user's";
    Err(Refusal::unsupported(at.to_string(), message))
}
