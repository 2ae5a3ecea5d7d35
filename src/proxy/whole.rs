//! An answer that is collected, and changed as a whole: translated, in another envelope, or with the
//! unified API's additions.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{body::Pieces, ctx::Series, translation};
use crate::{
    dialect::{AnswerFacts, AnswerMeter, StreamError, error_within, retry_delay},
    domain::Endpoint,
    translate::{
        self, Additions, Answering, ClientApi, CountApi, EmbeddingApi, EmbeddingRequest, VendorApi,
    },
    wire::Said,
};

/// The largest answer that is collected, bytes.
const MOST: u64 = 64 * 1024 * 1024;

/// What becomes of the answer.
pub enum Change {
    /// Chat completions that pass, with `metadata` and costs (contract 4.8).
    Add(Additions),
    /// Claude on another platform: the model's name is the platform's.
    Rehost(Arc<str>),
    /// Vectors of another API, for a client of OpenAI's embeddings.
    Embed(EmbeddingApi),
    /// A count of tokens of another API.
    Count(CountApi),
    /// Another dialect; `stream` where the client asked for a stream and the vendor sent none.
    Translate { client: ClientApi, vendor: VendorApi, context: Box<Answering>, stream: bool },
}

/// What the answer is to.
pub struct Asked<'a> {
    /// The client's request.
    pub body: &'a [u8],
    /// The vendor's id of the model.
    pub model: &'a str,
    /// The answers before this one.
    pub series: &'a Series,
    /// The vendor's status.
    pub status: u16,
}

/// What came in place of an answer.
pub struct Told {
    /// The vendor's error.
    pub error: Option<StreamError>,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
}

/// The state between two pieces.
pub struct WholeAnswer {
    endpoint: Endpoint,
    change: Change,
    body: Pieces,
    facts: AnswerFacts,
    /// Whether the use among `facts` is a guess.
    estimated: bool,
    /// About how many bytes the model has said, where the vendor tells no usage; none of an error.
    said: Option<u64>,
}

impl WholeAnswer {
    pub fn new(endpoint: Endpoint, change: Change) -> Self {
        let facts = AnswerFacts { usage: None, model: None, whole: false };
        Self { endpoint, change, body: Pieces::new(None), facts, estimated: false, said: Some(0) }
    }

    /// Whether the answer is told as a stream, though it came whole.
    pub const fn becomes_stream(&self) -> bool {
        matches!(self.change, Change::Translate { stream: true, .. })
    }

    /// Whether the use that it tells is a guess.
    pub const fn estimated(&self) -> bool {
        self.estimated
    }

    /// Takes the next piece. False when there is too much.
    pub fn push(&mut self, piece: Bytes) -> bool {
        if self.body.len() + piece.len() as u64 > MOST {
            return false;
        }
        if !piece.is_empty() {
            self.body.push(piece);
        }
        true
    }

    /// The answer for the client.
    ///
    /// # Errors
    /// If what came is no answer: what it tells in place of one, if anything.
    pub fn finish(&mut self, asked: &Asked<'_>) -> Result<Bytes, Told> {
        let body = self.take();
        let Some(told) = self.changed(&body, asked) else {
            return Err(Told { error: error_within(&body), retry_after: retry_delay(&body) });
        };
        if self.facts.usage.is_none() && self.endpoint != Endpoint::Embeddings {
            let mut said = Said::default();
            said.push(&body);
            self.said = error_within(&body).is_none().then(|| said.bytes());
        }
        Ok(told)
    }

    fn changed(&mut self, body: &Bytes, asked: &Asked<'_>) -> Option<Bytes> {
        match &self.change {
            Change::Add(additions) => {
                let Some((told, facts)) = translate::add(body, additions) else {
                    // What is no JSON to its last letter passes, if it can be read at all.
                    self.facts = read(self.endpoint, body)?;
                    return Some(body.clone());
                };
                // Some vendors tell an error with a status of success.
                if facts.usage.is_none()
                    && error_within(body).is_some_and(|error| !error.is_callers())
                {
                    return None;
                }
                self.facts = facts;
                Some(told.into())
            }
            Change::Rehost(model) => {
                self.facts = read(self.endpoint, body)?;
                Some(translate::rehost_answer(body, model).into())
            }
            Change::Embed(api) => {
                let mut bodies: Vec<&[u8]> =
                    asked.series.answers.iter().map(|one| &**one).collect();
                bodies.push(body);
                let request = EmbeddingRequest::read(asked.body).ok()?;
                let told = api.read(&bodies, &request, asked.model, asked.series.counted).ok()?;
                self.facts = read(self.endpoint, &told.body)?;
                self.estimated = told.estimated;
                Some(told.body.into())
            }
            Change::Count(api) => {
                // A vendor may count for some of its models only.
                let own = (asked.status < 400).then(|| api.read(body).ok()).flatten();
                let count = match own {
                    Some(count) => translate::count_answer(count, false),
                    None => translate::count_answer(translation::estimate(asked.body).ok()?, true),
                };
                self.facts = read(self.endpoint, &count)?;
                Some(count.into())
            }
            Change::Translate { client, vendor, context, stream } => {
                let mut answer = vendor.read_of(&context.base_model, body).ok()?;
                if context.one_call {
                    answer.keep_one_call();
                }
                context.tool_names.restore(&mut answer);
                self.facts = AnswerFacts {
                    usage: answer.usage,
                    model: answer.model.as_deref().map(str::to_owned),
                    whole: true,
                };
                Some(Bytes::from(if *stream {
                    translate::stream_of(&answer, client.stream_writer((**context).clone()))
                } else {
                    client.write(&answer, context)
                }))
            }
        }
    }

    /// What has come, to be kept for later.
    pub fn take(&mut self) -> Bytes {
        std::mem::replace(&mut self.body, Pieces::new(None)).join()
    }

    /// About how many bytes the model has said; none where the vendor has told what was used.
    pub const fn said(&self) -> Option<u64> {
        self.said
    }

    /// Whether the vendor has told what was used.
    pub const fn tells_usage(&self) -> bool {
        self.facts.usage.is_some()
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
