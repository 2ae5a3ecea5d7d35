//! A collector of traces: a real HTTP server that takes OTLP (`http/protobuf`) and keeps what it got.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use bytes::Bytes;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;

use super::until;

/// One export: its headers and its bytes.
type Export = (HeaderMap, Bytes);

/// A running collector.
pub struct Collector {
    url: String,
    exports: Arc<Mutex<Vec<Export>>>,
}

/// A span as it arrived.
#[derive(Clone, Debug)]
pub struct SeenSpan {
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub name: String,
    pub is_server: bool,
    pub began: u64,
    pub ended: u64,
    pub failed: bool,
    pub attributes: BTreeMap<String, String>,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let exports = Arc::<Mutex<Vec<Export>>>::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&exports));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, exports }
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is to say.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that arrived, as it was on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let exports = self.exports.lock().unwrap();
        exports.iter().flat_map(|(_, body)| body.to_vec()).collect()
    }

    /// The headers of every export.
    pub fn headers(&self) -> Vec<HeaderMap> {
        self.exports.lock().unwrap().iter().map(|(headers, _)| headers.clone()).collect()
    }

    /// What the senders said of themselves.
    pub fn resource(&self) -> BTreeMap<String, String> {
        let resources = self.messages().into_iter().flat_map(|message| message.resource_spans);
        resources
            .filter_map(|one| one.resource)
            .flat_map(|resource| attributes(resource.attributes))
            .collect()
    }

    /// Every span so far, in order of their beginnings.
    pub fn spans(&self) -> Vec<SeenSpan> {
        let resources = self.messages().into_iter().flat_map(|message| message.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let mut spans: Vec<_> = scopes.flat_map(|scope| scope.spans).map(seen).collect();
        spans.sort_by_key(|span: &SeenSpan| (span.began, !span.is_server));
        spans
    }

    /// Waits for so many spans.
    pub async fn wait_for(&self, count: usize) -> Vec<SeenSpan> {
        let what = format!("the collector has {count} spans");
        until(&what, async || Some(self.spans()).filter(|spans| spans.len() >= count)).await
    }

    fn messages(&self) -> Vec<ExportTraceServiceRequest> {
        let exports = self.exports.lock().unwrap();
        let read = |body: &Bytes| ExportTraceServiceRequest::decode(body.clone()).expect("OTLP");
        exports.iter().map(|(_, body)| read(body)).collect()
    }
}

async fn take(State(exports): State<Arc<Mutex<Vec<Export>>>>, headers: HeaderMap, body: Bytes) {
    exports.lock().unwrap().push((headers, body));
}

fn seen(span: Span) -> SeenSpan {
    let hex = |bytes: &[u8]| super::scan::hex(bytes);
    SeenSpan {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name,
        is_server: span.kind == 2,
        began: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
        failed: span.status.is_some_and(|status| status.code == 2),
        attributes: attributes(span.attributes),
    }
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|pair| {
            let value = match pair.value.and_then(|value| value.value) {
                Some(Value::StringValue(text)) => text,
                Some(Value::IntValue(number)) => number.to_string(),
                Some(Value::BoolValue(yes)) => yes.to_string(),
                Some(Value::DoubleValue(number)) => number.to_string(),
                other => format!("{other:?}"),
            };
            (pair.key, value)
        })
        .collect()
}
