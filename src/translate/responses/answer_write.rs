//! A whole answer as clients get it.
//! <https://platform.openai.com/docs/api-reference/responses/object>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    super::{
        Answering,
        form::{Answer, Citation, Part, PartKind, Source, Thinking, ToolCall},
    },
    carried::{Proof, carry},
    item_ids::{REASONING, item_id, vendors_id},
    output_items::{Annotation, ContentOut, ItemOut, Logprobs, Summary},
    response_out::{Head, ResponseOut, Status, asked, incomplete, model, response_id},
};

/// Writes the body.
#[must_use]
pub fn write_answer(answer: &Answer<'_>, context: &Answering) -> Vec<u8> {
    let ends = if incomplete(answer.stop).is_some() { "incomplete" } else { "completed" };
    let mut output = Output { answer, context, items: Vec::new(), chars: 0, content: Vec::new() };
    for part in &answer.parts {
        output.part(part);
    }
    output.message(ends);
    let items = output.items;
    let id = response_id(answer.id.as_deref(), context);
    let head = Head {
        id: &id,
        created: answer.created.unwrap_or(context.created),
        model: model(answer.model.as_deref(), context),
        service_tier: answer.service_tier.as_deref(),
        asked: asked(context),
    };
    let response = ResponseOut::new(head, Status::Ended(answer.stop), items, answer.usage.as_ref());
    // Strings and numbers always serialize.
    serde_json::to_vec(&response).unwrap_or_default()
}

struct Output<'r> {
    answer: &'r Answer<'r>,
    context: &'r Answering,
    items: Vec<ItemOut<'r>>,
    /// Characters of text so far: citations count in the whole text.
    chars: u64,
    /// The message that is not yet whole.
    content: Vec<ContentOut<'r>>,
}

impl<'r> Output<'r> {
    fn part(&mut self, part: &'r Part<'r>) {
        match &part.kind {
            PartKind::Text(text) => self.text(text),
            PartKind::Refusal(refusal) => {
                self.content.push(ContentOut::Refusal { refusal: Cow::Borrowed(refusal) });
            }
            PartKind::Thinking(thinking) => self.thinking(thinking),
            PartKind::ToolCall(call) => self.call(call),
            PartKind::Image(media) => {
                if let Source::Base64(result) = &media.source {
                    let id = self.next("ig");
                    self.items.push(ItemOut::ImageGenerationCall {
                        id,
                        status: "completed",
                        result: Some(result),
                    });
                }
            }
            // Nothing of an answer, or of another API's own tools.
            PartKind::Audio(_)
            | PartKind::Document(_)
            | PartKind::ToolResult(_)
            | PartKind::Other { .. } => {}
        }
    }

    /// Neighbouring texts are one: vendors cut them where a citation begins.
    fn text(&mut self, more: &'r str) {
        if more.is_empty() {
            return;
        }
        if let Some(ContentOut::OutputText { text, .. }) = self.content.last_mut() {
            text.to_mut().push_str(more);
            return;
        }
        self.content.push(ContentOut::OutputText {
            annotations: Cow::Borrowed(&[]),
            logprobs: Logprobs::default(),
            text: Cow::Borrowed(more),
        });
    }

    fn thinking(&mut self, thinking: &'r Thinking<'_>) {
        let proof = if thinking.redacted { Proof::Redacted } else { Proof::Thinking };
        let text = Some(&*thinking.text).filter(|text| !text.is_empty());
        let id = match vendors_id(thinking) {
            Some(id) => {
                self.message("completed");
                Cow::Borrowed(id)
            }
            None => self.next(REASONING),
        };
        self.items.push(ItemOut::Reasoning {
            id,
            summary: text.map(Summary::new).into_iter().collect(),
            encrypted_content: thinking.signature.as_ref().map(|one| carry(one, proof)),
        });
    }

    fn call(&mut self, call: &'r ToolCall<'_>) {
        if let Some(signature) = &call.signature {
            let id = self.next(REASONING);
            let encrypted_content = Some(carry(signature, Proof::Call));
            self.items.push(ItemOut::Reasoning { id, summary: Vec::new(), encrypted_content });
        }
        let (call_id, name, status) = (&*call.id, &*call.name, "completed");
        let id = self.next(if call.custom { "ctc" } else { "fc" });
        self.items.push(if call.custom {
            ItemOut::CustomToolCall { id, status, call_id, input: &call.arguments, name }
        } else {
            let arguments = Some(&*call.arguments).filter(|text| !text.is_empty()).unwrap_or("{}");
            ItemOut::FunctionCall { id, status, arguments, call_id, name }
        });
    }

    /// Ends the message before an item, and makes that one's id.
    fn next(&mut self, prefix: &str) -> Cow<'static, str> {
        self.message("completed");
        item_id(prefix, self.context, self.items.len()).into()
    }

    fn message(&mut self, status: &'static str) {
        let mut content = std::mem::take(&mut self.content);
        if content.is_empty() {
            return;
        }
        for part in &mut content {
            if let ContentOut::OutputText { annotations, logprobs, text } = part {
                *logprobs = Logprobs(self.answer.logprobs.and_then(tokens));
                if !self.answer.citations.is_empty() {
                    let length = text.chars().count() as u64;
                    *annotations = sources(&self.answer.citations, self.chars, length).into();
                    self.chars += length;
                }
            }
        }
        let id = item_id("msg", self.context, self.items.len()).into();
        self.items.push(ItemOut::Message { id, status, role: "assistant", content });
    }
}

/// The sources of the text of `length` characters behind `offset`: those that lie in it, and those that
/// lie nowhere for the first.
fn sources<'r>(citations: &'r [Citation<'_>], offset: u64, length: u64) -> Vec<Annotation<'r>> {
    let here = |citation: &&Citation<'_>| match citation.span {
        Some((start, _)) => start >= offset && (start < offset + length || length == 0),
        None => offset == 0,
    };
    let here = citations.iter().filter(here);
    here.filter_map(|citation| Annotation::of(citation, offset, length)).collect()
}

/// The list of tokens in the `logprobs` of a choice of chat completions.
fn tokens(raw: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Choice<'a> {
        #[serde(borrow)]
        content: Option<&'a RawValue>,
    }
    if raw.get().starts_with('[') {
        return Some(raw);
    }
    let choice: Choice<'_> = serde_json::from_str(raw.get()).ok()?;
    choice.content.filter(|list| list.get().starts_with('['))
}
