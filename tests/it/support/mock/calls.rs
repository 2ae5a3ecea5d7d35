//! The mock's own log of what it saw.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::Value;

use crate::support::until;

/// One request as it arrived.
pub struct Call {
    /// The connection it came on, counted from 1 per mock.
    pub connection: u64,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// In order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Every byte of the body, framing removed.
    pub body: Bytes,
    /// When its head had arrived.
    pub at: Instant,
    gone_at: Mutex<Option<Instant>>,
    answered: AtomicBool,
    at_once: AtomicBool,
}

impl Call {
    pub(super) fn new(
        connection: u64,
        version: &'static str,
        method: &str,
        path: &str,
        headers: Vec<(String, String)>,
        body: Bytes,
    ) -> Arc<Self> {
        Arc::new(Self {
            connection,
            version,
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body,
            at: Instant::now(),
            gone_at: Mutex::new(None),
            answered: AtomicBool::new(false),
            at_once: AtomicBool::new(false),
        })
    }

    /// Its body was there as soon as its head was.
    pub fn came_at_once(&self) -> bool {
        self.at_once.load(Ordering::SeqCst)
    }

    pub(super) fn at_once(&self) {
        self.at_once.store(true, Ordering::SeqCst);
    }

    /// The only value of a header; panics if it came twice.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let first = values.next()?;
        assert!(values.next().is_none(), "the vendor saw {name} twice: {:?}", self.headers);
        Some(&first.1)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the vendor was sent JSON")
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the vendor was sent text")
    }

    /// Whether the whole scripted answer was written.
    pub fn was_answered(&self) -> bool {
        self.answered.load(Ordering::SeqCst)
    }

    pub(super) fn answered(&self) {
        self.answered.store(true, Ordering::SeqCst);
    }

    pub(super) fn client_gone(&self) {
        self.gone_at.lock().unwrap().get_or_insert_with(Instant::now);
    }

    /// When the client went away before its answer was complete.
    pub fn gone_at(&self) -> Option<Instant> {
        *self.gone_at.lock().unwrap()
    }

    /// Waits until the client is gone; tells how long after `left` that was.
    pub async fn abandoned_after(&self, left: Instant) -> Duration {
        let gone = until("the vendor's connection is given up", async || self.gone_at()).await;
        gone.saturating_duration_since(left)
    }
}

/// The log.
#[derive(Default)]
pub struct Calls {
    all: Mutex<Vec<Arc<Call>>>,
}

impl Calls {
    pub(super) fn add(&self, call: &Arc<Call>) {
        self.all.lock().unwrap().push(Arc::clone(call));
    }

    /// The gateway's probes.
    pub fn probes(&self) -> Vec<Arc<Call>> {
        let all = self.all.lock().unwrap();
        all.iter().filter(|call| call.method == "GET").cloned().collect()
    }

    /// Requests for work, in order of arrival; the gateway's probes (GET) are left out.
    pub fn worked(&self) -> Vec<Arc<Call>> {
        let all = self.all.lock().unwrap();
        all.iter().filter(|call| call.method != "GET").cloned().collect()
    }
}
