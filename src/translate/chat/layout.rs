//! Turns as messages: results directly behind their calls, pictures where they are allowed.

use std::borrow::Cow;

use serde::Serialize;

use super::{
    answer_write::CallOut,
    answered::{Answered, short_id},
    content_write::{CacheOut, Content, Joined, PartOut, part},
    order::ordered,
    reasoning_write::DetailOut,
};
use crate::{
    domain::{Capability, Quirks, ReasoningHistory},
    translate::{
        ClientApi, Target,
        form::{Part, PartKind, Refusal, Request, Role, ToolCall, ToolResult, Turn},
        plain::openai_id,
    },
};

/// One message.
#[derive(Serialize)]
pub(super) struct Message<'r> {
    pub role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<Cow<'r, str>>,
    pub content: Content<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Joined<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<Joined<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Joined<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasoning_details: Vec<DetailOut<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<CallOut<'r>>,
    /// Whether the answer that is asked for begins with this.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prefix: bool,
}

impl<'r> Message<'r> {
    pub(super) const fn new(role: &'static str, content: Content<'r>) -> Self {
        Self {
            role,
            name: None,
            tool_call_id: None,
            content,
            refusal: None,
            reasoning_content: None,
            reasoning: None,
            reasoning_details: Vec::new(),
            tool_calls: Vec::new(),
            prefix: false,
        }
    }
}

/// Lays a conversation out for a vendor.
pub(super) fn messages<'r>(
    request: &'r Request<'_>,
    target: &Target<'_>,
) -> Result<Vec<Message<'r>>, Refusal> {
    let quirks = target.quirks;
    // Who does not think refuses the thinking of others, or reads it as an example:
    // https://console.groq.com/docs/reasoning
    let thinks = target.facts.may(Capability::Reasoning);
    let history = if thinks { quirks.reasoning_history } else { ReasoningHistory::None };
    let out = Vec::with_capacity(request.turns.len() + 2);
    let mut layout = Layout { quirks, history, client: request.client, out };
    let same_side = |one: &Turn<'_>, next: &Turn<'_>| {
        (one.role == Role::Assistant) == (next.role == Role::Assistant)
    };
    for run in request.turns.chunk_by(same_side) {
        if run.first().is_some_and(|turn| turn.role == Role::Assistant) {
            layout.assistant(run)?;
        } else {
            layout.others(run)?;
        }
    }
    ordered(layout.out, request, quirks)
}

struct Layout<'r, 'q> {
    quirks: &'q Quirks,
    history: ReasoningHistory,
    client: Option<ClientApi>,
    out: Vec<Message<'r>>,
}

impl<'r> Layout<'r, '_> {
    /// Everything between two answers of the model: the results first.
    fn others(&mut self, turns: &'r [Turn<'_>]) -> Result<(), Refusal> {
        let mut attached = Vec::new();
        for part in turns.iter().flat_map(|turn| &turn.parts) {
            if let PartKind::ToolResult(result) = &part.kind {
                self.result(result, &mut attached)?;
            }
        }
        for turn in turns {
            match turn.role {
                Role::Developer if self.quirks.developer_role => self.system("developer", turn)?,
                Role::System | Role::Developer => self.system("system", turn)?,
                Role::User | Role::Assistant => self.user(turn, &mut attached)?,
            }
        }
        if !attached.is_empty() {
            self.out.push(Message::new("user", Content::Parts(attached)));
        }
        Ok(())
    }

    fn system(&mut self, role: &'static str, turn: &'r Turn<'_>) -> Result<(), Refusal> {
        let mut texts = Vec::with_capacity(turn.parts.len());
        let marked =
            self.quirks.cache_control && turn.parts.iter().any(|part| part.cache.is_some());
        for part in &turn.parts {
            let PartKind::Text(text) = &part.kind else {
                let message = "instructions are text; other content belongs into a user's turn";
                return Err(Refusal::unsupported(part.path.to_string(), message));
            };
            texts.push(&**text);
        }
        if texts.is_empty() {
            return Ok(());
        }
        let content = if marked {
            Content::Parts(self.parts(turn.parts.iter())?)
        } else {
            Content::Text(Joined { pieces: texts, between: "\n\n" })
        };
        self.out.push(Message { name: self.name(turn), ..Message::new(role, content) });
        Ok(())
    }

    fn user(&mut self, turn: &'r Turn<'_>, attached: &mut Vec<PartOut<'r>>) -> Result<(), Refusal> {
        let is_own = |part: &&Part<'_>| !matches!(part.kind, PartKind::ToolResult(_));
        let own: Vec<&Part<'_>> = turn.parts.iter().filter(is_own).collect();
        let content = match own.as_slice() {
            // The results were all there was.
            [] if !turn.parts.is_empty() => return Ok(()),
            [] if attached.is_empty() => Content::Text(Joined { pieces: vec![""], between: "" }),
            [Part { kind: PartKind::Text(text), cache, .. }]
                if attached.is_empty() && CacheOut::of(*cache, self.quirks).is_none() =>
            {
                Content::Text(Joined { pieces: vec![text], between: "" })
            }
            own => {
                let mut parts = std::mem::take(attached);
                parts.extend(self.parts(own.iter().copied())?);
                Content::Parts(parts)
            }
        };
        self.out.push(Message { name: self.name(turn), ..Message::new("user", content) });
        Ok(())
    }

    fn parts<'p, 'a: 'r>(
        &self,
        parts: impl Iterator<Item = &'r Part<'a>>,
    ) -> Result<Vec<PartOut<'r>>, Refusal>
    where
        'r: 'p,
    {
        parts.map(|one| part(one, self.quirks, self.client)).collect()
    }

    /// A result is text; what else there is goes to the user's next message, with a word on whose it is.
    fn result(
        &mut self,
        result: &'r ToolResult<'_>,
        attached: &mut Vec<PartOut<'r>>,
    ) -> Result<(), Refusal> {
        let id = self.call_id(&result.call_id);
        let mut pieces = Vec::new();
        let mut others = Vec::new();
        for one in &result.parts {
            match &one.kind {
                PartKind::Text(text) => pieces.push(&**text),
                _ => others.push(part(one, self.quirks, self.client)?),
            }
        }
        if !others.is_empty() {
            if pieces.is_empty() {
                pieces.push("The result is in the next message.");
            }
            attached.push(PartOut::own_text(format!("From the result of the call {id}:")));
            attached.append(&mut others);
        }
        // The API has no member that says so.
        if result.hides_failure() {
            pieces.insert(0, "Error:");
        }
        let content = Content::Text(Joined { pieces, between: "\n" });
        self.out.push(Message { tool_call_id: Some(id), ..Message::new("tool", content) });
        Ok(())
    }

    /// Turns of the model in a row are one message where calls or thinking tie them together.
    fn assistant(&mut self, turns: &'r [Turn<'_>]) -> Result<(), Refusal> {
        let mut open = Answered::default();
        for turn in turns {
            let mut next = Answered::default();
            for part in &turn.parts {
                next.add(part)?;
            }
            next.name = self.name(turn);
            if open.goes_on_in(&next) {
                open.append(next);
            } else {
                self.answered(std::mem::replace(&mut open, next));
            }
        }
        self.answered(open);
        Ok(())
    }

    fn answered(&mut self, said: Answered<'r>) {
        if said.is_nothing() {
            return;
        }
        let text = Joined { pieces: said.texts, between: "" };
        let plain = || {
            let readable = said.thinking.iter().filter(|one| !one.text.is_empty());
            let pieces: Vec<&str> = readable.map(|one| &*one.text).collect();
            (!pieces.is_empty()).then_some(Joined { pieces, between: "\n\n" })
        };
        let history = self.history;
        let only_calls = text.pieces.is_empty() && !said.calls.is_empty();
        let content = match (history, plain()) {
            (ReasoningHistory::Parts, Some(thinking)) => {
                let mut parts: Vec<_> =
                    thinking.pieces.into_iter().map(PartOut::thinking).collect();
                parts.extend(text.pieces.into_iter().map(PartOut::text));
                Content::Parts(parts)
            }
            _ if only_calls => Content::Nothing(()),
            _ => Content::Text(text),
        };
        let mut message = Message { name: said.name, ..Message::new("assistant", content) };
        match history {
            ReasoningHistory::ReasoningContent => message.reasoning_content = plain(),
            ReasoningHistory::Reasoning => message.reasoning = plain(),
            ReasoningHistory::ReasoningDetails => {
                let details = said.thinking.iter().enumerate();
                message.reasoning_details =
                    details.map(|(index, one)| DetailOut::whole(one, index)).collect();
            }
            ReasoningHistory::None | ReasoningHistory::Parts => {}
        }
        if !said.refusals.is_empty() {
            message.refusal = Some(Joined { pieces: said.refusals, between: "" });
        }
        message.tool_calls = said.calls.into_iter().map(|call| self.call(call)).collect();
        self.out.push(message);
    }

    fn call(&self, call: &'r ToolCall<'_>) -> CallOut<'r> {
        let mut written = CallOut::of(call);
        written.id = self.call_id(&call.id);
        if !self.quirks.extra_content {
            written.extra_content = None;
        }
        written
    }

    fn name(&self, turn: &'r Turn<'_>) -> Option<&'r str> {
        turn.name.as_deref().filter(|_| !self.quirks.lacks("name"))
    }

    fn call_id(&self, id: &'r str) -> Cow<'r, str> {
        match self.quirks {
            Quirks { short_call_ids: true, .. } => short_id(id),
            Quirks { openai_models: true, .. } => openai_id(id),
            _ => Cow::Borrowed(id),
        }
    }
}
