//! Host names to addresses: cached, never blocking, stale rather than nothing.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// How long an answer is taken without asking again.
const FRESH: Duration = Duration::from_secs(30);
/// How long an old answer serves while the name server is away.
const STALE: Duration = Duration::from_secs(300);
/// How long one look-up may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No answer, or none in time.
    #[error("cannot resolve the host name")]
    Failed,
    /// The name exists and has no address.
    #[error("the host name has no address")]
    Empty,
}

#[derive(Clone)]
struct Answer {
    addresses: Arc<[IpAddr]>,
    at: Instant,
}

/// Resolves through the system's resolver and remembers.
#[derive(Default)]
pub struct Resolver {
    known: RwLock<HashMap<Arc<str>, Answer>>,
}

impl Resolver {
    /// The host's addresses. Literals need no look-up; a fresh answer needs no wait.
    ///
    /// # Errors
    /// When nothing is known and the look-up fails.
    pub async fn resolve(&self, host: &Arc<str>) -> Result<Arc<[IpAddr]>, ResolveError> {
        if let Ok(literal) = host.parse::<IpAddr>() {
            return Ok(Arc::from([literal]));
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(host).cloned();
        match known {
            Some(answer) if answer.at.elapsed() < FRESH => Ok(answer.addresses),
            known => match look_up(host).await {
                Ok(addresses) => {
                    let answer = Answer { addresses: Arc::clone(&addresses), at: Instant::now() };
                    self.known
                        .write()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(Arc::clone(host), answer);
                    Ok(addresses)
                }
                Err(error) => known
                    .filter(|answer| answer.at.elapsed() < STALE)
                    .map(|answer| answer.addresses)
                    .ok_or(error),
            },
        }
    }
}

async fn look_up(host: &str) -> Result<Arc<[IpAddr]>, ResolveError> {
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, 0)))
        .await
        .map_err(|_| ResolveError::Failed)?
        .map_err(|_| ResolveError::Failed)?;
    let addresses: Vec<IpAddr> = found.map(|address: SocketAddr| address.ip()).collect();
    if addresses.is_empty() { Err(ResolveError::Empty) } else { Ok(addresses.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_literal_is_its_own_answer() {
        let resolver = Resolver::default();
        let found = resolver.resolve(&Arc::from("127.0.0.1")).await.unwrap();
        assert_eq!(*found, [IpAddr::from([127, 0, 0, 1])]);
        let found = resolver.resolve(&Arc::from("::1")).await.unwrap();
        assert_eq!(found.len(), 1);
    }

    #[tokio::test]
    async fn a_name_is_looked_up_and_remembered() {
        let resolver = Resolver::default();
        let host: Arc<str> = Arc::from("localhost");
        assert!(resolver.resolve(&host).await.unwrap().iter().all(IpAddr::is_loopback));
        assert!(resolver.known.read().unwrap().contains_key("localhost"));
    }
}
