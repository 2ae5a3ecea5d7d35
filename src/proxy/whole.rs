//! An answer that is collected, and changed as a whole: translated, in another envelope, or with the
//! unified API's additions.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    dialect::{AnswerFacts, AnswerMeter},
    domain::Endpoint,
    translate::{self, Additions, Answering, ClientApi, VendorApi},
};

/// The largest answer that is collected, bytes.
const MOST: usize = 64 * 1024 * 1024;

/// What becomes of the answer.
pub enum Change {
    /// Chat completions that pass, with `metadata` and costs (contract 4.8).
    Add(Additions),
    /// Claude on another platform: the model's name is the platform's.
    Rehost(Arc<str>),
    /// Another dialect; `stream` where the client asked for a stream and the vendor sent none.
    Translate { client: ClientApi, vendor: VendorApi, context: Answering, stream: bool },
}

/// The state between two pieces.
pub struct WholeAnswer {
    endpoint: Endpoint,
    change: Change,
    body: Vec<u8>,
    facts: AnswerFacts,
}

impl WholeAnswer {
    pub const fn new(endpoint: Endpoint, change: Change) -> Self {
        let facts = AnswerFacts { usage: None, model: None, whole: false };
        Self { endpoint, change, body: Vec::new(), facts }
    }

    /// Takes the next piece. False when there is too much.
    pub fn push(&mut self, piece: &[u8]) -> bool {
        if self.body.len() + piece.len() > MOST {
            return false;
        }
        self.body.extend_from_slice(piece);
        true
    }

    /// The answer for the client; none if what came is no answer.
    pub fn finish(&mut self) -> Option<Bytes> {
        let body = std::mem::take(&mut self.body);
        match &self.change {
            Change::Add(additions) => {
                self.facts = read(self.endpoint, &body)?;
                Some(translate::add(&body, additions, &self.facts).map_or(body.into(), Bytes::from))
            }
            Change::Rehost(model) => {
                self.facts = read(self.endpoint, &body)?;
                Some(translate::rehost_answer(&body, model).into())
            }
            Change::Translate { client, vendor, context, stream } => {
                let answer = vendor.read(&body).ok()?;
                self.facts = AnswerFacts {
                    usage: answer.usage,
                    model: answer.model.as_deref().map(str::to_owned),
                    whole: true,
                };
                Some(Bytes::from(if *stream {
                    translate::stream_of(&answer, client.stream_writer(context.clone()))
                } else {
                    client.write(&answer, context)
                }))
            }
        }
    }

    /// What has been learnt; complete once [`finish`](Self::finish) was called.
    pub fn facts(&self) -> AnswerFacts {
        self.facts.clone()
    }
}

fn read(endpoint: Endpoint, body: &[u8]) -> Option<AnswerFacts> {
    let mut meter = AnswerMeter::new(endpoint);
    meter.push(body);
    Some(meter.finish()).filter(|facts| facts.whole)
}
