//! What has been learnt from a stream so far.

use crate::{
    dialect::{
        facts::AnswerFacts, stream::FirstEvent, stream_error::StreamError,
        upstream_error::UpstreamError, usage::AnthropicCounters,
    },
    domain::TokenUsage,
};

/// The state of a stream, whatever its grammar.
#[derive(Debug, Default)]
pub(in crate::dialect) struct Reading {
    /// OpenAI's figures; the last ones count.
    pub(super) usage: Option<TokenUsage>,
    /// Anthropic's figures.
    pub(super) counters: AnthropicCounters,
    pub(super) model: Option<String>,
    pub(in crate::dialect) first: FirstEvent,
    pub(in crate::dialect) failed: Option<StreamError>,
    /// About how many bytes of text, thinking and arguments there were since usage was told.
    pub(in crate::dialect) said: u64,
    /// The terminal event has been seen.
    pub(in crate::dialect) finished: bool,
    /// A choice said why it ended: a vendor that sends no `[DONE]` is done after that.
    pub(in crate::dialect) settled: bool,
    /// The number of the next event of a Responses stream.
    pub(in crate::dialect) next_sequence: u64,
}

impl Reading {
    pub(super) fn is_undecided(&self) -> bool {
        self.first == FirstEvent::Undecided
    }

    /// An event that only a working answer has.
    pub(super) fn good(&mut self) {
        if self.is_undecided() {
            self.first = FirstEvent::Good;
        }
    }

    /// The raw JSON of an error, in any shape.
    pub(super) fn fail(&mut self, raw: &[u8]) {
        self.fail_as(StreamError::of(raw));
    }

    pub(super) fn fail_with(&mut self, error: UpstreamError) {
        self.fail_as(StreamError::new(error));
    }

    fn fail_as(&mut self, error: StreamError) {
        if self.is_undecided() {
            self.first = FirstEvent::Error(error.clone());
        }
        self.failed.get_or_insert(error);
    }

    pub(super) fn name_model(&mut self, model: Option<String>) {
        if self.model.is_none() {
            self.model = model;
        }
    }

    pub(in crate::dialect) fn facts(&self) -> AnswerFacts {
        AnswerFacts {
            usage: self.usage.or(self.counters.usage()),
            model: self.model.clone(),
            whole: self.finished,
        }
    }
}
