//! Peers: where one attempt connects to, and with which limits.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use pingora_core::{connectors::l4::Connect, protocols::ALPN, upstreams::peer::HttpPeer};

use super::{AddressPolicy, Resolver, dns::ResolveError};
use crate::{provider::Transport, snapshot::Provider};

/// How long an idle upstream connection is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);
/// Streams that share one HTTP/2 connection to a vendor.
const H2_STREAMS: usize = 100;
/// A fresh connection that replaced a dead one must not fill the pool under its one-time key.
const ONE_TIME_IDLE: Duration = Duration::from_millis(1);

/// No connection may or can be made.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// Name resolution failed.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// Every address of the host is in `upstream.deny_addresses`.
    #[error("the host's address is not allowed by upstream.deny_addresses")]
    Denied,
}

/// Makes peers for providers.
pub struct Peers {
    resolver: Resolver,
    policy: AddressPolicy,
    connect_timeout: Duration,
    in_process: Arc<dyn Connect + Send + Sync>,
    turn: AtomicUsize,
    one_time: AtomicU64,
}

impl Peers {
    /// `in_process` is how providers of that transport are reached.
    #[must_use]
    pub fn new(
        policy: AddressPolicy,
        connect_timeout: Duration,
        in_process: Arc<dyn Connect + Send + Sync>,
    ) -> Self {
        Self {
            resolver: Resolver::default(),
            policy,
            connect_timeout,
            in_process,
            turn: AtomicUsize::new(0),
            one_time: AtomicU64::new(1),
        }
    }

    /// The peer for one attempt, whose connection must stand within `patience`; `fresh` keeps it
    /// away from pooled connections.
    ///
    /// # Errors
    /// When the name has no address, or none that may be reached.
    pub async fn peer(
        &self,
        provider: &Provider,
        patience: Duration,
        fresh: bool,
    ) -> Result<Box<HttpPeer>, PeerError> {
        let base = &provider.base;
        let in_process = provider.vendor.transport == Transport::InProcess;
        let ip = if in_process {
            IpAddr::from([127, 0, 0, 1])
        } else {
            self.address(&base.host).await?
        };
        let sni = if base.tls { base.host.to_string() } else { String::new() };
        let mut peer = Box::new(HttpPeer::new(SocketAddr::new(ip, base.port), base.tls, sni));
        let limit = self.connect_timeout.min(patience);
        peer.group_key =
            if fresh { self.one_time.fetch_add(1, Ordering::Relaxed) } else { provider.group_key };
        let options = &mut peer.options;
        options.connection_timeout = Some(limit);
        options.total_connection_timeout = Some(limit);
        options.idle_timeout = Some(idle(fresh, in_process));
        options.max_h2_streams = H2_STREAMS;
        if base.tls {
            options.alpn = ALPN::H2H1;
        }
        if in_process {
            options.custom_l4 = Some(Arc::clone(&self.in_process));
        }
        Ok(peer)
    }

    /// An address of the host that may be reached, in turn.
    async fn address(&self, host: &Arc<str>) -> Result<IpAddr, PeerError> {
        let all = self.resolver.resolve(host).await?;
        let start = if all.len() > 1 { self.turn.fetch_add(1, Ordering::Relaxed) } else { 0 };
        all.iter()
            .cycle()
            .skip(start % all.len().max(1))
            .take(all.len())
            .copied()
            .find(|ip| self.policy.permits(*ip))
            .ok_or(PeerError::Denied)
    }
}

/// How long the connection may wait in the pool. One that is never taken out again should not.
const fn idle(fresh: bool, in_process: bool) -> Duration {
    if fresh || in_process { ONE_TIME_IDLE } else { POOL_IDLE }
}
