//! From the requests to the collector: a bounded queue and one task, off every request's way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::KeyValue;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{Sampler, SpanData, SpanExporter as _},
};
use tokio::sync::{mpsc, watch};

use super::{OtelError, Parent, Place, RequestSpan, Settings, sampler, spans};

/// What the gateway is called unless the environment says otherwise.
const SERVICE: &str = "turnpike";
/// Requests that may wait, each with all its spans.
const ROOM: usize = 2048;
/// Requests in one call of the collector.
const BATCH: usize = 256;
/// How long the first of a batch waits for others.
const GATHER: Duration = Duration::from_millis(200);

/// Where requests leave their spans.
pub struct Traces {
    sampler: Sampler,
    scheme: &'static str,
    queue: mpsc::Sender<Vec<SpanData>>,
    lost: Arc<AtomicU64>,
}

/// Takes them to the collector.
pub struct Exporter {
    collector: SpanExporter,
    queue: mpsc::Receiver<Vec<SpanData>>,
    lost: Arc<AtomicU64>,
    failing: bool,
}

impl Traces {
    /// The queue's two ends; `tls` is whether clients come over TLS. [`Exporter::run`] has to be started.
    ///
    /// # Errors
    /// When the collector's address or the client for it cannot be made.
    pub fn new(settings: Settings, tls: bool) -> Result<(Self, Exporter), OtelError> {
        let collector = collector(&settings)?;
        let (sender, receiver) = mpsc::channel(ROOM);
        let lost = Arc::new(AtomicU64::new(0));
        let scheme = if tls { "https" } else { "http" };
        let (sampler, ours) = (settings.sampler, Arc::clone(&lost));
        let traces = Self { sampler, scheme, queue: sender, lost: ours };
        Ok((traces, Exporter { collector, queue: receiver, lost, failing: false }))
    }

    /// The place of a request that is to be recorded; none for one that is not.
    #[must_use]
    pub fn begin(&self, parent: Option<Parent>) -> Option<Place> {
        let place = Place::below(parent);
        sampler::records(&self.sampler, place.trace, parent).then_some(place)
    }

    /// Leaves the spans of a request that is over. Never waits: without room they are lost and counted.
    pub fn record(&self, request: &RequestSpan<'_>) {
        match self.queue.try_reserve() {
            Ok(room) => room.send(spans::of(request, self.scheme)),
            // Its own span, and one for each attempt.
            Err(_) => lose(&self.lost, 1 + request.attempts.len()),
        }
    }

    /// Spans that no collector got since this process began.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Exporter {
    /// Exports until `stopped`, and then what is left.
    pub async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            tokio::select! {
                received = self.queue.recv_many(&mut batch, BATCH) => if received == 0 { return },
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
            tokio::select! {
                _ = tokio::time::timeout(GATHER, self.gather(&mut batch)) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
            self.export(batch).await;
        }
        self.queue.close();
        loop {
            let mut rest = Vec::new();
            self.fill(&mut rest);
            if rest.is_empty() {
                return;
            }
            self.export(rest).await;
        }
    }

    /// Adds what comes, until the batch is full.
    async fn gather(&mut self, batch: &mut Vec<Vec<SpanData>>) {
        while batch.len() < BATCH && self.queue.recv_many(batch, BATCH - batch.len()).await > 0 {}
    }

    /// Adds what is there already.
    fn fill(&mut self, batch: &mut Vec<Vec<SpanData>>) {
        while batch.len() < BATCH
            && let Ok(spans) = self.queue.try_recv()
        {
            batch.push(spans);
        }
    }

    async fn export(&mut self, batch: Vec<Vec<SpanData>>) {
        let spans: Vec<SpanData> = batch.into_iter().flatten().collect();
        let number = spans.len();
        let failed = self.collector.export(spans).await.err();
        if failed.is_some() {
            lose(&self.lost, number);
        }
        match (failed, self.failing) {
            (Some(error), false) => {
                tracing::warn!(%error, "the collector of traces takes no spans; they are dropped");
                self.failing = true;
            }
            (None, true) => {
                tracing::info!("the collector of traces takes spans again");
                self.failing = false;
            }
            (Some(_), true) | (None, false) => {}
        }
    }
}

fn lose(lost: &AtomicU64, spans: usize) {
    lost.fetch_add(u64::try_from(spans).unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn collector(settings: &Settings) -> Result<SpanExporter, OtelError> {
    let fault = |fault: String| OtelError { variable: "OTEL_EXPORTER_OTLP_ENDPOINT", fault };
    let client = reqwest::Client::builder()
        .timeout(settings.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| fault(error.to_string()))?;
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .build()
        .map_err(|error| fault(error.to_string()))?;
    exporter.set_resource(&resource(settings.service.as_deref()));
    Ok(exporter)
}

/// Who sends: this process, what `OTEL_RESOURCE_ATTRIBUTES` says of it, and `OTEL_SERVICE_NAME` above all.
fn resource(service: Option<&str>) -> Resource {
    let instance = uuid::Uuid::new_v4().to_string();
    let builder = Resource::builder_empty()
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", instance))
        .with_service_name(SERVICE)
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match service {
        Some(name) => builder.with_service_name(name.to_owned()).build(),
        None => builder.build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Timestamp, testing::usage_record};

    #[test]
    fn what_finds_no_room_in_the_queue_is_counted_and_does_not_wait() {
        let (queue, mut waiting) = mpsc::channel(2);
        let lost = Arc::default();
        let traces = Traces { sampler: Sampler::AlwaysOn, scheme: "http", queue, lost };
        let record = usage_record();
        for _ in 0..5 {
            let place = traces.begin(None).expect("everything is recorded");
            traces.record(&RequestSpan {
                place,
                method: "POST",
                arrived: Timestamp(0),
                elapsed: Duration::ZERO,
                record: &record,
                attempts: &[],
            });
        }
        assert_eq!(traces.lost(), 3);
        assert!(waiting.try_recv().is_ok() && waiting.try_recv().is_ok());
        assert!(waiting.try_recv().is_err());
    }
}
