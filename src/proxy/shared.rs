//! What all requests share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    callers::Callers, inside::Inside, refused_credentials::RefusedCredentials, upstream_states,
};
use crate::{
    auth::{ApiKeys, Authenticator},
    cloud::Clouds,
    govern::{Governor, LimiterState},
    ledger::Ledger,
    net::{Fetcher, Peers},
    observe::{AccessLog, Metrics, otel::Traces},
    route::RouteHealth,
    snapshot::Publisher,
};

/// Bounds on what a client may make the gateway hold or wait for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest request body, bytes.
    pub max_body: u64,
    /// Largest sum of request bodies held at once, bytes.
    pub max_buffered: u64,
    /// Time for a request's header to arrive.
    pub header_timeout: Duration,
    /// Time for a body to arrive; every 64 KiB that did arrive add a second.
    pub body_timeout: Duration,
    /// Status when every attempt ended in 429.
    pub all_rate_limited_status: u16,
    /// Time for a smart model's determiner to answer.
    pub determiner_timeout: Duration,
}

/// The parts of the data plane, and the router for everything that is not runtime traffic.
pub struct Shared {
    /// What is configured.
    pub snapshot: Arc<Publisher>,
    /// Who calls.
    pub keys: Arc<ApiKeys>,
    /// Who is in the console; none where that is not served here.
    pub people: Option<Arc<Authenticator>>,
    /// What was used.
    pub ledger: Arc<Ledger>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// One line per request.
    pub access: AccessLog,
    /// Spans, where a collector is configured.
    pub traces: Option<Traces>,
    /// Ways out.
    pub peers: Peers,
    /// Credentials that are asked for.
    pub clouds: Clouds,
    /// Files that clients name by URL.
    pub media: Media,
    /// Bounds.
    pub limits: Limits,
    /// Shutdown.
    pub drain: Drain,
    /// Probes, admin and user API.
    pub local: axum::Router,
    /// Whether requests may be served.
    pub governor: Arc<Governor>,
    /// What callers are held to.
    pub(super) callers: Callers,
    /// For requests that the gateway itself makes.
    pub inside: Inside,
    /// How routes have done lately, and which are used.
    pub routes: Arc<RouteHealth>,
    pub(super) refused: RefusedCredentials,
    pub(super) buffered: AtomicU64,
}

impl Shared {
    /// Puts the parts together.
    #[expect(clippy::too_many_arguments, reason = "the composition root names each part once")]
    #[must_use]
    pub fn new(
        snapshot: Arc<Publisher>,
        keys: Arc<ApiKeys>,
        people: Option<Arc<Authenticator>>,
        ledger: Arc<Ledger>,
        metrics: Arc<Metrics>,
        access: AccessLog,
        traces: Option<Traces>,
        peers: Peers,
        clouds: Clouds,
        media: Media,
        limits: Limits,
        drain: Drain,
        local: axum::Router,
        governor: Arc<Governor>,
        routes: Arc<RouteHealth>,
        refused: RefusedCredentials,
    ) -> Self {
        Self {
            snapshot,
            keys,
            people,
            ledger,
            metrics,
            access,
            traces,
            peers,
            clouds,
            media,
            limits,
            drain,
            local,
            governor,
            callers: Callers::default(),
            inside: Inside::default(),
            routes,
            refused,
            buffered: AtomicU64::new(0),
        }
    }
}

impl Shared {
    /// Publishes what is counted elsewhere.
    pub fn publish_gauges(&self, metrics: &Metrics) {
        let backlog = self.ledger.backlog();
        metrics.ledger_backlog(backlog.records, backlog.bytes);
        let losses = self.ledger.losses();
        for (reason, total) in [
            ("dropped", losses.dropped),
            ("refused", losses.refused),
            ("rejected", losses.rejected),
            ("unreadable", losses.unreadable),
        ] {
            metrics.ledger_lost(reason, total);
        }
        upstream_states::publish(metrics, &self.snapshot.load(), &self.routes);
        metrics.replicas(self.governor.replicas());
        let state = self.governor.state();
        for known in LimiterState::ALL {
            metrics.limiter_state(known.as_str(), known == state);
        }
        metrics.log_dropped(self.access.dropped());
        metrics.spans_lost(self.traces.as_ref().map_or(0, Traces::lost));
        metrics.buffered_bytes(self.buffered.load(Ordering::Relaxed));
    }
}

/// Fetches files that clients name by URL, for vendors that want their bytes; none where that is
/// switched off (`media.fetch`).
#[derive(Clone)]
pub struct Media(pub Option<Fetcher>);

/// How long connections may still bring a request after the listener has closed: one that was accepted
/// the moment before has its request on the way.
pub const LULL: Duration = Duration::from_millis(250);

/// Whether the process is on its way out, and what it still carries.
#[derive(Clone, Default)]
pub struct Drain {
    inner: Arc<DrainState>,
}

#[derive(Default)]
struct DrainState {
    draining: AtomicBool,
    active: AtomicUsize,
}

impl Drain {
    /// From now on answers close their connections.
    pub fn begin(&self) {
        self.inner.draining.store(true, Ordering::Release);
    }

    /// Whether [`Self::begin`] was called.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.inner.draining.load(Ordering::Acquire)
    }

    /// Requests under way.
    #[must_use]
    pub fn active(&self) -> usize {
        self.inner.active.load(Ordering::Acquire)
    }

    /// Counts a request until the guard drops.
    #[must_use]
    pub fn enter(&self) -> Active {
        self.inner.active.fetch_add(1, Ordering::AcqRel);
        Active(Arc::clone(&self.inner))
    }
}

/// A request under way.
pub struct Active(Arc<DrainState>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::AcqRel);
    }
}
