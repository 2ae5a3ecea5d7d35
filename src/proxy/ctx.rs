//! What one request carries through Pingora's phases.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::HeaderValue;

use super::{
    body::Room,
    gate::Handle,
    identity::{self, Trace},
    limits::{PassedOver, Reservation},
    refusal,
    shared::{Active, Shared},
    stream::StreamAnswer,
    traced::Traced,
    whole::WholeAnswer,
};
use crate::{
    auth::Principal,
    dialect::AnswerMeter,
    domain::{ClientDialect, Endpoint, Timestamp, TokenUsage},
    govern::Standing,
    net::Dial,
    observe::InFlight,
    route::{Failure, Plan, health::Lease},
    secrets::Secret,
    snapshot::Route,
    translate::{EmbeddingApi, SmartChoice, ToolNames, form::Refusal},
    wire::{Head, Spliced},
};

/// A request's state. Settled exactly once: by the phase that ends it, or on drop.
pub struct Ctx {
    pub shared: Arc<Shared>,
    pub began: Instant,
    pub arrived: Timestamp,
    /// Present from the moment that the request is known to be runtime traffic. Boxed: Pingora moves
    /// the context about.
    pub call: Option<Box<Call>>,
    pub active: Option<Active>,
}

/// One call of a runtime endpoint.
pub struct Call {
    pub id: String,
    /// The same, ready to be sent.
    pub id_header: HeaderValue,
    pub trace: Option<Trace>,
    /// Present in a request whose spans are recorded.
    pub traced: Option<Box<Traced>>,
    pub client: Option<String>,
    /// None for a path below `/v1` that is no endpoint.
    pub endpoint: Option<Endpoint>,
    pub dialect: ClientDialect,
    /// The client's query string, passed on.
    pub query: Option<String>,
    pub principal: Option<Arc<Principal>>,
    /// Whose key was refused: the request is recorded for them, and nothing is done on their behalf.
    pub key_owner: Option<Arc<Principal>>,
    /// The gateway itself asks a smart model's determiner, on the principal's behalf: charged to the
    /// principal, but neither one of its requests nor held to what it may use.
    pub determiner: bool,
    /// The smart model that the client named, or on whose behalf the gateway asks its determiner.
    pub smart_name: Option<Arc<str>>,
    /// What was chosen for the smart model that the client named.
    pub smart_model: Option<SmartChoice>,
    pub inbound: Option<Box<Inbound>>,
    /// About how many tokens a request is whose use may have to be guessed, once its body is gone.
    pub input_guess: u64,
    /// What the client's name led to, also where the request was refused before a plan was followed.
    pub alias: Option<Arc<str>>,
    /// Boxed, as the request: both are moved about before they rest here.
    pub plan: Option<Box<Plan>>,
    pub gate: Option<Handle>,
    /// Files that the client named by URL, for vendors that want their bytes.
    pub media: Vec<Fetched>,
    /// Calls that the route answers one after the other.
    pub series: Series,
    /// What series on other routes have used that came to nothing.
    pub lost: Vec<Lost>,
    /// What kept a route from being tried: the answer, if none was.
    pub refused: Option<Refusal>,
    pub wishes: Wishes,
    /// What is held of the caller's limits.
    pub reservation: Option<Box<Reservation>>,
    /// Routes that they kept it from.
    pub passed_over: Vec<PassedOver>,
    /// How the caller stands with them.
    pub standing: Standing,
    /// The exhausted budget that served it on and marks it.
    pub throttled_by: Option<Arc<str>>,
    pub attempt: Attempt,
    /// Its place on its route.
    pub lease: Option<Lease>,
    /// What ends the request with an answer of its own, whatever other routes there are: the caller's fault,
    /// or no room for what it asks.
    pub callers_fault: Option<refusal::Refusal>,
    /// Set once the client is known to have left.
    pub client_gone: bool,
    /// When the first byte of the answer was handed over.
    pub first_byte: Option<Duration>,
    pub settled: bool,
    pub in_flight: InFlight,
}

/// The request as the client sent it.
pub struct Inbound {
    pub body: Bytes,
    pub head: Head,
    /// Held as long as the body is.
    pub room: Room,
}

/// What the client wants of the answer beside what the vendor is told.
#[derive(Clone, Default)]
pub struct Wishes {
    /// `metadata` in a stream that passes, too (contract 4.8).
    pub metadata: bool,
    /// One call of a tool at most.
    pub one_call: bool,
    /// What the vendor of this attempt was told otherwise of the client's tools.
    pub tool_names: ToolNames,
    /// The vendor is asked for a whole answer, which becomes the client's stream.
    pub whole: bool,
}

/// A request that becomes several calls of one route: the answers but the last are kept.
#[derive(Default)]
pub struct Series {
    /// One for each call; none where the request is one call.
    pub bodies: Vec<Bytes>,
    pub answers: Vec<Bytes>,
    /// Tokens that the calls so far were told in headers.
    pub counted: Option<u64>,
    /// Where it goes, and in whose words it is answered.
    pub on: Option<(Arc<Route>, EmbeddingApi)>,
}

/// What a route has used for an answer that never came about.
pub struct Lost {
    pub route: Arc<Route>,
    /// Of input: an answer is made of more than one call only where there is no other.
    pub tokens: u64,
}

impl Lost {
    pub fn usage(&self) -> TokenUsage {
        TokenUsage { input: self.tokens, ..TokenUsage::default() }
    }
}

impl Series {
    /// Whether a call follows the one whose answer comes next.
    pub fn goes_on(&self) -> bool {
        self.answers.len() + 1 < self.bodies.len()
    }

    /// What the calls so far have used, if they come to nothing.
    pub fn lost(self) -> Option<Lost> {
        let (route, api) = self.on?;
        let told = self.answers.iter().filter_map(|answer| api.tokens(answer));
        let told = told.reduce(u64::saturating_add).or(self.counted);
        told.map(|tokens| Lost { route, tokens })
    }
}

/// A file that the client named by URL.
pub struct Fetched {
    pub url: String,
    /// What its host says it is.
    pub mime: Option<String>,
    pub base64: String,
}

/// The attempt under way.
#[derive(Default)]
pub struct Attempt {
    /// The body sent; made once for all tries on a route.
    pub body: Spliced,
    /// What was sent to show who asks, if it is not the provider's key: to be taken out of a vendor's
    /// words.
    pub secret: Option<Secret>,
    /// The vendor's connection, where it is of the gateway's own making.
    pub dial: Option<Arc<Dial>>,
    /// When it began.
    pub began: Option<Instant>,
    /// When it was ready to be sent: from then on the vendor may be at work.
    pub sent: Option<Instant>,
    /// From then to the first byte of an answer that is one.
    pub latency: Option<Duration>,
    /// The vendor's status.
    pub status: Option<u16>,
    /// The client's, where it is not the vendor's.
    pub told: Option<u16>,
    /// Only the connection's end tells the answer's end.
    pub unframed: bool,
    /// Bytes of the answer's body so far, while it is held.
    pub seen: usize,
    /// It ended well, and the next call of its series follows.
    pub goes_on: bool,
    /// Input tokens as a header of the answer tells them.
    pub counted: Option<u64>,
    /// What the filters found wrong; the judgement follows in `error_while_proxy`.
    pub failure: Option<Failure>,
    /// The start of a failed attempt's body.
    pub error_body: Vec<u8>,
    pub meter: Meter,
    /// Take a connection that was never used.
    pub fresh: bool,
    /// Wait before it.
    pub delay: Duration,
    /// How far the answer is on its way to the client.
    pub stage: Stage,
}

/// How far an answer is on its way to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing good has been seen of it: it may still fail over.
    #[default]
    Held,
    /// It is the client's.
    Released,
    /// It was a stream, and ended with an error event of the gateway's own.
    Cut,
}

/// What is done with the answer while it passes.
#[derive(Default)]
pub enum Meter {
    /// Nothing.
    #[default]
    None,
    /// The vendor's own error for the client: collected, so that it can be translated whole.
    Error(Vec<u8>),
    /// It passes, and its usage is read off it.
    Answer(Box<AnswerMeter>),
    /// It is collected, and changed as a whole.
    Whole(Box<WholeAnswer>),
    Stream(Box<StreamAnswer>),
}

impl Ctx {
    pub fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            began: Instant::now(),
            arrived: Timestamp::now(),
            call: None,
            active: None,
        }
    }
}

impl Call {
    /// A call of which nothing is known but its id, and the dialect to answer it in.
    pub fn new(id: String, dialect: ClientDialect, in_flight: InFlight) -> Self {
        Self {
            id_header: identity::header(&id),
            id,
            trace: None,
            traced: None,
            client: None,
            endpoint: None,
            dialect,
            query: None,
            principal: None,
            key_owner: None,
            determiner: false,
            smart_name: None,
            smart_model: None,
            inbound: None,
            input_guess: 0,
            alias: None,
            plan: None,
            gate: None,
            media: Vec::new(),
            series: Series::default(),
            lost: Vec::new(),
            refused: None,
            wishes: Wishes::default(),
            reservation: None,
            passed_over: Vec::new(),
            standing: Standing::default(),
            throttled_by: None,
            attempt: Attempt::default(),
            lease: None,
            callers_fault: None,
            client_gone: false,
            first_byte: None,
            settled: false,
            in_flight,
        }
    }

    /// Whether the client asked for a stream.
    pub fn stream(&self) -> bool {
        self.inbound.as_ref().is_some_and(|inbound| inbound.head.stream)
    }

    /// Whether the vendor is asked for one.
    pub fn asks_stream(&self) -> bool {
        self.stream() && !self.wishes.whole
    }
}
