//! Peers: where one attempt connects to, and with which limits.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use pingora_core::{
    connectors::l4::Connect,
    protocols::ALPN,
    upstreams::peer::{HttpPeer, PeerOptions},
};

use super::{
    AddressPolicy, Dial, Resolver,
    dial::Way,
    dns::ResolveError,
    pool::{Key, Pool, ROUND},
};
use crate::{provider::Transport, snapshot::Provider};

/// How long an idle connection with TLS is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);
/// Streams that share one HTTP/2 connection to a vendor.
const H2_STREAMS: usize = 100;
/// How often an HTTP/2 connection is asked whether it still is one: a request should not find out.
const H2_PING: Duration = Duration::from_secs(15);
/// Neither a fresh connection that replaced a dead one, under its one-time key, nor one that Pingora cannot
/// take out again must fill its pool.
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
    /// None of the host's addresses could be connected to.
    #[error("the vendor cannot be reached")]
    Unreached,
}

/// What an attempt wants of its connection.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Time that the attempt has left.
    pub patience: Duration,
    /// Never a pooled connection.
    pub fresh: bool,
    /// Addresses of the host that could not be connected to.
    pub unreached: &'a [IpAddr],
}

/// Where an attempt goes.
pub struct Peer {
    /// For Pingora.
    pub http: Box<HttpPeer>,
    /// The address in it.
    pub address: IpAddr,
    /// Whether the host has another address that may be tried after this one.
    pub more: bool,
    /// How it is connected to, where that is over HTTP/1.1 without TLS.
    pub dial: Option<Arc<Dial>>,
}

/// Makes peers for providers.
pub struct Peers {
    resolver: Resolver,
    policy: AddressPolicy,
    connect_timeout: Duration,
    in_process: Arc<dyn Connect + Send + Sync>,
    pool: Arc<Pool>,
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
            pool: Arc::default(),
            one_time: AtomicU64::new(1),
        }
    }

    /// The same, with names resolved in another way.
    #[must_use]
    pub fn resolving(self, resolver: Resolver) -> Self {
        Self { resolver, ..self }
    }

    /// The peer for one attempt: the first address of the host that may be reached and was not
    /// found unreachable. Its connection must stand within the time that is left, or within half
    /// of it where another address should have a chance.
    ///
    /// # Errors
    /// When the name has no address, or none that may or can be reached.
    pub async fn peer(&self, provider: &Provider, wish: Wish<'_>) -> Result<Peer, PeerError> {
        let base = &provider.base;
        let in_process = provider.vendor.transport == Transport::InProcess;
        let (address, more) = if in_process {
            (Ipv4Addr::LOCALHOST.into(), false)
        } else {
            self.address(provider, wish).await?
        };
        let sni = if base.tls { base.host.to_string() } else { String::new() };
        let to = SocketAddr::new(address, base.port);
        let mut http = Box::new(HttpPeer::new(to, base.tls, sni));
        http.group_key = if wish.fresh {
            self.one_time.fetch_add(1, Ordering::Relaxed)
        } else {
            provider.group_key
        };
        limit(&mut http.options, wish.patience);
        http.options.idle_timeout = Some(idle(base.tls, wish.fresh));
        let within = self.connect_timeout.min(if more { wish.patience / 2 } else { wish.patience });
        let mut dial = None;
        if in_process {
            http.options.custom_l4 = Some(Arc::clone(&self.in_process));
        } else if base.tls {
            http.options.alpn = ALPN::H2H1;
            http.options.connection_timeout = Some(within);
            http.options.total_connection_timeout = Some(within);
        } else {
            let key = Key { group: provider.group_key, address: to };
            let made = Dial::new(&self.pool, key, Way { within, fresh: wish.fresh });
            http.options.custom_l4 = Some(Arc::clone(&made) as Arc<dyn Connect + Send + Sync>);
            dial = Some(made);
        }
        Ok(Peer { http, address, more, dial })
    }

    /// Closes idle connections in their time, for ever.
    pub fn close_idle(&self) -> impl Future<Output = ()> + Send + use<> {
        let pool = Arc::clone(&self.pool);
        async move {
            let mut rounds = tokio::time::interval(ROUND);
            loop {
                rounds.tick().await;
                for over in pool.round() {
                    drop(over);
                    // Requests need not wait until all are closed.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Has an address that could not be connected to tried after the host's others for a while.
    pub fn unreached(&self, provider: &Provider, address: IpAddr) {
        self.resolver.demote(&provider.base.host, address);
    }

    /// The address to try, and whether there is one after it.
    async fn address(
        &self,
        provider: &Provider,
        wish: Wish<'_>,
    ) -> Result<(IpAddr, bool), PeerError> {
        if let Some(literal) = provider.base.ip {
            return self.choose(&[literal], wish.unreached);
        }
        let all = self.resolver.resolve(&provider.base.host, wish.patience).await?;
        self.choose(&all, wish.unreached)
    }

    fn choose(&self, all: &[IpAddr], unreached: &[IpAddr]) -> Result<(IpAddr, bool), PeerError> {
        let mut permitted = all.iter().filter(|ip| self.policy.permits(**ip)).peekable();
        if permitted.peek().is_none() {
            return Err(PeerError::Denied);
        }
        let mut left = permitted.filter(|ip| !unreached.contains(ip));
        let first = left.next().ok_or(PeerError::Unreached)?;
        Ok((*first, left.next().is_some()))
    }
}

/// Of these a [`Dial`] is bound by the timeout of writing alone.
const fn limit(options: &mut PeerOptions, patience: Duration) {
    // While a body is on its way, Pingora looks at nothing else.
    options.write_timeout = Some(patience);
    options.h2_ping_interval = Some(H2_PING);
    options.max_h2_streams = H2_STREAMS;
}

/// How long the connection may wait in Pingora's pool. One that is never taken out again should not.
const fn idle(tls: bool, fresh: bool) -> Duration {
    if tls && !fresh { POOL_IDLE } else { ONE_TIME_IDLE }
}

#[cfg(test)]
mod tests {
    use pingora_core::{connectors::TransportConnector, upstreams::peer::Peer as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        domain::ProviderId,
        net::{is_unreached, look_up::testing::Script},
        provider::{InProcess, catalog},
        snapshot::{Auth, BaseUrl, ProviderParts},
    };

    const LIMIT: Duration = Duration::from_secs(5);
    const PATIENCE: Duration = Duration::from_secs(60);

    fn provider(base: &str) -> Provider {
        let vendor = catalog().vendor("openai").unwrap();
        Provider::new(ProviderParts {
            id: ProviderId::random(),
            name: "p".into(),
            vendor,
            catalog: &vendor.slug,
            base: BaseUrl::parse(base).unwrap(),
            api_key: None,
            auth: Auth::Headers,
            endpoints: vendor.endpoints.clone(),
            setting: &|_| None,
        })
        .unwrap()
    }

    fn peers(deny: &[&str], addresses: &[&str]) -> Peers {
        let deny = deny.iter().map(|range| range.parse().unwrap()).collect();
        let addresses: Vec<IpAddr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        let policy = AddressPolicy { deny, allow: Vec::new() };
        Peers::new(policy, LIMIT, Arc::new(InProcess::new()))
            .resolving(Resolver::new(Script::answering(&addresses)))
    }

    async fn chosen(peers: &Peers, provider: &Provider, unreached: &[IpAddr]) -> Option<Peer> {
        peers.peer(provider, Wish { patience: PATIENCE, fresh: false, unreached }).await.ok()
    }

    #[tokio::test]
    async fn addresses_are_tried_in_the_resolvers_order_denied_ones_left_out() {
        let peers = peers(&["10.0.0.0/8"], &["2001:db8::1", "10.0.0.1", "192.0.2.1", "192.0.2.2"]);
        let provider = provider("https://vendor.example");
        let mut unreached = Vec::new();
        for (expected, more) in [("2001:db8::1", true), ("192.0.2.1", true), ("192.0.2.2", false)] {
            for _ in 0..3 {
                let peer = chosen(&peers, &provider, &unreached).await.unwrap();
                assert_eq!((peer.address.to_string().as_str(), peer.more), (expected, more));
            }
            unreached.push(expected.parse().unwrap());
        }
        assert!(chosen(&peers, &provider, &unreached).await.is_none());
    }

    #[tokio::test]
    async fn the_next_address_of_a_host_answers_where_the_first_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let provider = provider(&format!("http://vendor.example:{port}"));
        let peers = peers(&[], &["127.0.0.2", "127.0.0.1"]);
        let connector = TransportConnector::new(None);

        let first = chosen(&peers, &provider, &[]).await.unwrap();
        let error = connector.new_stream(&*first.http).await.err().unwrap();
        assert!(is_unreached(&error) && first.more);

        let second = chosen(&peers, &provider, &[first.address]).await.unwrap();
        assert!(connector.new_stream(&*second.http).await.is_ok());

        peers.unreached(&provider, first.address);
        let next_request = chosen(&peers, &provider, &[]).await.unwrap();
        assert_eq!(next_request.address, second.address);
    }

    #[tokio::test]
    async fn a_black_hole_leaves_half_of_the_time_to_the_next_address() {
        let peers = peers(&[], &["192.0.2.1", "192.0.2.2"]);
        for base in ["https://vendor.example", "http://vendor.example"] {
            let provider = provider(base);
            let limit = async |patience, unreached: &[IpAddr]| {
                let wish = Wish { patience, fresh: false, unreached };
                let peer = peers.peer(&provider, wish).await.unwrap();
                let dials_within = peer.dial.map(|dial| dial.within());
                dials_within.or(peer.http.total_connection_timeout())
            };
            let (short, first) = (Duration::from_secs(4), ["192.0.2.1".parse().unwrap()]);
            assert_eq!(limit(short, &[]).await, Some(short / 2), "{base}");
            assert_eq!(limit(short, &first).await, Some(short), "{base}");
            assert_eq!(limit(PATIENCE, &[]).await, Some(LIMIT), "{base}");
        }
    }

    #[tokio::test]
    async fn a_literal_needs_no_name_server_and_obeys_the_policy() {
        let peers = peers(&["169.254.0.0/16"], &[]);
        let fine = chosen(&peers, &provider("http://[::1]:9000"), &[]).await.unwrap();
        assert_eq!((fine.address.to_string().as_str(), fine.more), ("::1", false));
        assert!(chosen(&peers, &provider("http://169.254.169.254"), &[]).await.is_none());
    }

    #[tokio::test]
    async fn a_fresh_connection_shares_its_pool_with_no_other() {
        let peers = peers(&[], &["192.0.2.1"]);
        let provider = provider("https://vendor.example");
        let hash = async |fresh| {
            let wish = Wish { patience: PATIENCE, fresh, unreached: &[] };
            peers.peer(&provider, wish).await.unwrap().http.reuse_hash()
        };
        assert_eq!(hash(false).await, hash(false).await);
        assert_ne!(hash(true).await, hash(false).await);
        assert_ne!(hash(true).await, hash(true).await);
    }
}
