//! One dialect into another, through the [middle form](form).
//!
//! A client speaks a [`ClientApi`], a vendor a [`VendorApi`]. The client's module reads its request and
//! writes its answer; the vendor's module writes the request and reads the answer. Pure: bytes in, bytes
//! out; ids, times and what the gateway adds come in through [`Answering`].
//!
//! Where both sides speak the same dialect nothing of this is used: bytes pass.

mod additions;
mod answer_tool;
mod as_stream;
mod betas;
mod chat;
mod claude;
mod completions;
mod converse;
mod count;
mod custom_tool;
mod effort;
mod embeddings;
mod fit;
#[cfg(test)]
mod fixtures;
pub mod form;
mod gemini;
#[cfg(test)]
mod golden_tests;
mod messages;
mod needs;
mod origins;
mod plain;
mod proofs;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod property_tests;
mod responses;
mod stream;
mod user;

pub use additions::{Additions, Answering, Selection, SmartChoice, add};
pub use as_stream::stream_of;
pub use betas::vertex_betas;
pub use count::{CountApi, count_answer, estimate, guess, read_countable};
pub use embeddings::{EmbeddingApi, EmbeddingRequest};
pub use fit::ToolNames;
pub use messages::{RehostStream, rehost_answer, rehost_request};
pub use needs::{check, check_background};
pub use proofs::without_sealed;
pub use responses::Echo;
pub use stream::{Framing, StreamTranslator};

use form::{Answer, Event, Events, Refusal, Request};

use crate::{
    dialect::GatewayError,
    domain::{Capability, Endpoint, ModelFacts, Quirks},
    wire::members::value_at,
};

/// What a client may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientApi {
    /// <https://platform.openai.com/docs/api-reference/chat>
    Chat,
    /// <https://platform.openai.com/docs/api-reference/completions>
    Completions,
    /// <https://platform.claude.com/docs/en/api/messages>
    Messages,
    /// <https://platform.openai.com/docs/api-reference/responses>
    Responses,
}

/// What a vendor may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VendorApi {
    /// <https://platform.openai.com/docs/api-reference/chat>
    Chat,
    /// <https://platform.openai.com/docs/api-reference/responses>
    Responses,
    /// <https://platform.claude.com/docs/en/api/messages>
    Messages,
    /// <https://ai.google.dev/api/generate-content>
    Gemini,
    /// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
    Converse,
}

/// Where a model runs: the same API differs in what goes into its bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Platform {
    /// At the vendor that made the API.
    #[default]
    Own,
    /// On Amazon Bedrock.
    Bedrock,
    /// On Google Vertex AI.
    Vertex,
}

impl Platform {
    /// Statuses of a client's fault with which the platform tells that it or its model has failed.
    /// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors>
    #[must_use]
    pub const fn own_faults(self) -> &'static [u16] {
        match self {
            // The model took too long; it failed.
            Self::Bedrock => &[408, 424],
            Self::Own | Self::Vertex => &[],
        }
    }

    /// The status that the model itself gave the platform, where the platform's error tells it.
    #[must_use]
    pub fn model_status(self, error: &[u8]) -> Option<u16> {
        match self {
            Self::Bedrock => converse::original_status(error),
            Self::Own | Self::Vertex => None,
        }
    }
}

/// Whom a request is written for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// The vendor's id of the model.
    pub model: &'t str,
    /// What is known of the model; what is not known is taken to be possible.
    pub facts: &'t ModelFacts,
    /// Where it runs.
    pub platform: Platform,
    /// Where a vendor departs from the API that it speaks.
    pub quirks: &'t Quirks,
}

/// Reads one event of a vendor's stream after the other.
pub trait StreamReader: Send + Sync {
    /// Reads an event: its name (SSE's `event`, an event stream's `:event-type`; may be empty) and its
    /// data. What cannot be read is an [`Event::Failed`].
    fn read(&mut self, name: &[u8], data: &[u8], to: &mut Events<'_>);

    /// The bytes have ended. Emits [`Event::Done`] if that is an ending of this API, and nothing if the
    /// stream was cut.
    fn end(&mut self, to: &mut Events<'_>);
}

/// Writes a client's stream.
pub trait StreamWriter: Send + Sync {
    /// Writes an event. On [`Event::Done`] it writes whatever ends a complete stream, figures and
    /// additions first; on [`Event::Failed`] the error and whatever ends a broken one.
    fn write(&mut self, event: Event<'_>, out: &mut Vec<u8>);

    /// Ends a stream that cannot be finished with an error of the gateway's own.
    fn abort(&mut self, error: &GatewayError, out: &mut Vec<u8>);

    /// Whether the client's API has a place for pictures in a stream.
    fn carries_pictures(&self) -> bool {
        false
    }
}

/// The vendor's answer is not one: what its API calls an answer cannot be read from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the vendor's answer cannot be read: {0}")]
pub struct Unreadable(pub String);

impl ClientApi {
    /// What a client of an endpoint speaks; none where the endpoint is no conversation.
    #[must_use]
    pub const fn of(endpoint: Endpoint) -> Option<Self> {
        match endpoint {
            Endpoint::ChatCompletions => Some(Self::Chat),
            Endpoint::Completions => Some(Self::Completions),
            Endpoint::Messages => Some(Self::Messages),
            Endpoint::Responses => Some(Self::Responses),
            Endpoint::Embeddings | Endpoint::CountTokens | Endpoint::Models => None,
        }
    }

    /// Reads a client's body.
    ///
    /// # Errors
    /// When it is not of the API, or asks for what no vendor could do.
    pub fn read(self, body: &[u8]) -> Result<Request<'_>, Refusal> {
        match self {
            Self::Chat => chat::read_request(body),
            Self::Completions => completions::read_request(body),
            Self::Messages => messages::read_request(body),
            Self::Responses => responses::read_request(body),
        }
    }

    /// Writes an answer's body.
    #[must_use]
    pub fn write(self, answer: &Answer<'_>, context: &Answering) -> Vec<u8> {
        match self {
            Self::Chat => chat::write_answer(answer, context),
            Self::Completions => completions::write_answer(answer, context),
            Self::Messages => messages::write_answer(answer, context),
            Self::Responses => responses::write_answer(answer, context),
        }
    }

    /// Writes an answer's stream.
    #[must_use]
    pub fn stream_writer(self, context: Answering) -> Box<dyn StreamWriter> {
        match self {
            Self::Chat => Box::new(chat::Writer::new(context)),
            Self::Completions => Box::new(completions::Writer::new(context)),
            Self::Messages => Box::new(messages::Writer::new(context)),
            Self::Responses => Box::new(responses::Writer::new(context)),
        }
    }
}

impl VendorApi {
    /// Which of the client's tools `target` is told by other names or in another kind: its answer is
    /// brought back by them.
    #[must_use]
    pub fn tool_names(self, request: &Request<'_>, target: &Target<'_>) -> ToolNames {
        ToolNames::of(request, self, target)
    }

    /// Writes a request's body for `target`.
    ///
    /// # Errors
    /// When the vendor or the model cannot do what the request asks.
    pub fn write(self, mut request: Request<'_>, target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
        fit::fit(&mut request, self, target)?;
        // What such a model was asked for and cannot do was refused before; what is left are hints.
        if !target.facts.may(Capability::Reasoning) {
            request.reasoning = None;
        }
        self.write_known(&request, target)
    }

    /// Whether a model answers this body, which was [written](Self::write) for it, in a stream. Where it
    /// does not, its whole answer [becomes one](stream_of).
    #[must_use]
    pub fn streams(self, body: &[u8], facts: &ModelFacts) -> bool {
        self != Self::Converse
            || !facts.lacks_tools_in_streams
            || value_at(body, &["toolConfig"]).is_none()
    }

    fn write_known(self, request: &Request<'_>, target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::Chat => chat::write_request(request, target),
            Self::Responses => responses::write_request(request, target),
            Self::Messages => messages::write_request(request, target),
            Self::Gemini => gemini::write_request(request, target),
            Self::Converse => converse::write_request(request, target),
        }
    }

    /// Reads the body of an answer of `model`.
    ///
    /// # Errors
    /// When it is none.
    pub fn read_of<'b>(self, model: &str, body: &'b [u8]) -> Result<Answer<'b>, Unreadable> {
        let mut answer = self.read(body)?;
        if self == Self::Converse && origins::is_claude(model) {
            origins::claim_answer(&mut answer);
        }
        Ok(answer)
    }

    fn read(self, body: &[u8]) -> Result<Answer<'_>, Unreadable> {
        match self {
            Self::Chat => chat::read_answer(body),
            Self::Responses => responses::read_answer(body),
            Self::Messages => messages::read_answer(body),
            Self::Gemini => gemini::read_answer(body),
            Self::Converse => converse::read_answer(body),
        }
    }

    /// Reads an answer's stream.
    #[must_use]
    pub fn stream_reader(self) -> Box<dyn StreamReader> {
        match self {
            Self::Chat => Box::<chat::Reader>::default(),
            Self::Responses => Box::<responses::Reader>::default(),
            Self::Messages => Box::<messages::Reader>::default(),
            Self::Gemini => Box::<gemini::Reader>::default(),
            Self::Converse => Box::<converse::Reader>::default(),
        }
    }

    /// Whether a medium of this kind must be in the body, where a client gave its URL.
    #[must_use]
    pub fn inlines(self, platform: Platform, kind: &form::PartKind<'_>) -> bool {
        match self {
            Self::Chat => chat::inlines(kind),
            Self::Responses => responses::inlines(kind),
            Self::Messages => messages::inlines(platform, kind),
            Self::Gemini => gemini::inlines(platform, kind),
            Self::Converse => converse::inlines(kind),
        }
    }
}
