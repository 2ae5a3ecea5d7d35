//! Host names to addresses: cached, never blocking, stale rather than nothing.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::look_up::{LookUp, System};

/// How long an answer is taken without asking again.
const FRESH: Duration = Duration::from_secs(30);
/// How long an old answer serves while the name server is away.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a failure is taken without asking again.
const FAILED: Duration = Duration::from_secs(1);
/// How long one look-up may take.
const LOOK_UP: Duration = Duration::from_secs(5);
/// How long a request waits for news where there is an old answer.
const REFRESH: Duration = Duration::from_secs(1);

/// The name could not be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No answer, or none in time.
    #[error("cannot resolve the host name")]
    Failed,
    /// The name exists and has no address.
    #[error("the host name has no address")]
    Empty,
}

/// A host's addresses in the order in which they are to be tried.
pub type Addresses = Arc<[IpAddr]>;
type Looked = Result<Addresses, ResolveError>;
type News = watch::Receiver<Option<Looked>>;

/// What is known of one host.
#[derive(Default)]
struct Known {
    answer: Option<(Addresses, Instant)>,
    failure: Option<(ResolveError, Instant)>,
    /// The one look-up under way.
    asking: Option<News>,
}

/// What a request does about one host.
enum Step {
    Take(Looked),
    /// Wait for a look-up, with an old answer in reserve or without.
    Wait(News, Option<Addresses>),
}

/// Resolves, remembers, and asks once for all who want to know.
#[derive(Clone)]
pub struct Resolver {
    source: Arc<dyn LookUp>,
    known: Arc<RwLock<HashMap<Arc<str>, Known>>>,
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new(Arc::new(System))
    }
}

impl Resolver {
    /// Resolves through `source`.
    #[must_use]
    pub fn new(source: Arc<dyn LookUp>) -> Self {
        Self { source, known: Arc::default() }
    }

    /// The host's addresses. A fresh answer needs no wait; no wait is longer than `patience`.
    ///
    /// An answer that is no longer fresh is refreshed by one request, which waits a moment for it;
    /// the others go on with the old one.
    ///
    /// # Errors
    /// When nothing is known and the look-up fails or takes too long.
    pub async fn resolve(&self, host: &Arc<str>, patience: Duration) -> Looked {
        if let Some(fresh) = self.fresh(host) {
            return Ok(fresh);
        }
        match self.step(host) {
            Step::Take(known) => known,
            Step::Wait(mut news, old) => {
                let limit = if old.is_some() { patience.min(REFRESH) } else { patience };
                let heard = timeout(limit, news.wait_for(Option::is_some)).await;
                let looked = match heard {
                    Ok(Ok(looked)) => looked.clone().unwrap_or(Err(ResolveError::Failed)),
                    _ => Err(ResolveError::Failed),
                };
                looked.or_else(|error| old.ok_or(error))
            }
        }
    }

    /// Has an address tried after the host's others until the next look-up: none could connect to it.
    pub fn demote(&self, host: &str, address: IpAddr) {
        let mut hosts = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Some((addresses, _)) = hosts.get_mut(host).and_then(|known| known.answer.as_mut())
        else {
            return;
        };
        let (bad, good): (Vec<_>, Vec<_>) =
            addresses.iter().copied().partition(|known| *known == address);
        *addresses = good.into_iter().chain(bad).collect();
    }

    fn fresh(&self, host: &str) -> Option<Addresses> {
        let hosts = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (addresses, at) = hosts.get(host)?.answer.as_ref()?;
        (at.elapsed() < FRESH).then(|| Arc::clone(addresses))
    }

    fn step(&self, host: &Arc<str>) -> Step {
        let mut hosts = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !hosts.contains_key(host) {
            hosts.retain(|_, known| known.is_wanted());
        }
        let known = hosts.entry(Arc::clone(host)).or_default();
        // One that ended without a word, with its runtime.
        known.asking.take_if(|news| news.has_changed().is_err());
        let old = known.usable();
        if let Some(old) = &old
            && (known.is_fresh() || known.asking.is_some())
        {
            return Step::Take(Ok(Arc::clone(old)));
        }
        if let Some(news) = &known.asking {
            return Step::Wait(news.clone(), old);
        }
        if let Some((error, _)) = known.failure.filter(|(_, at)| at.elapsed() < FAILED) {
            return Step::Take(old.ok_or(error));
        }
        let (tell, news) = watch::channel(None);
        known.asking = Some(news.clone());
        // A task of its own: who asked may leave, and the answer is still wanted.
        tokio::spawn(self.clone().ask(Arc::clone(host), tell));
        Step::Wait(news, old)
    }

    async fn ask(self, host: Arc<str>, tell: watch::Sender<Option<Looked>>) {
        let looked = match timeout(LOOK_UP, self.source.look_up(&host)).await {
            Ok(Ok(found)) if found.is_empty() => Err(ResolveError::Empty),
            Ok(Ok(found)) => Ok(found.into()),
            Ok(Err(_)) | Err(_) => Err(ResolveError::Failed),
        };
        let mut hosts = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let known = hosts.entry(host).or_default();
        known.asking = None;
        match &looked {
            Ok(addresses) => {
                known.answer = Some((Arc::clone(addresses), Instant::now()));
                known.failure = None;
            }
            Err(error) => known.failure = Some((*error, Instant::now())),
        }
        drop(hosts);
        tell.send_replace(Some(looked));
    }
}

impl Known {
    fn is_fresh(&self) -> bool {
        self.answer.as_ref().is_some_and(|(_, at)| at.elapsed() < FRESH)
    }

    fn usable(&self) -> Option<Addresses> {
        let (addresses, at) = self.answer.as_ref()?;
        (at.elapsed() < STALE).then(|| Arc::clone(addresses))
    }

    /// Hosts come and go with the configuration; those that nobody asks for are forgotten.
    fn is_wanted(&self) -> bool {
        self.asking.is_some() || self.usable().is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::advance;

    use super::*;
    use crate::net::look_up::testing::Script;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn host() -> Arc<str> {
        Arc::from("vendor.example")
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    async fn ask(resolver: &Resolver) -> Looked {
        resolver.resolve(&host(), PATIENCE).await
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_kept_in_its_order_and_asked_for_again_after_a_while() {
        let script = Script::answering(&[ip(2), ip(1)]);
        let resolver = Resolver::new(script.clone());
        for _ in 0..3 {
            assert_eq!(*ask(&resolver).await.unwrap(), [ip(2), ip(1)]);
        }
        assert_eq!(script.asked(), 1);
        advance(FRESH).await;
        script.answer(&[ip(3)]);
        assert_eq!(*ask(&resolver).await.unwrap(), [ip(3)]);
        assert_eq!(script.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_want_to_know_ask_once() {
        let script = Script::answering(&[ip(1)]);
        let resolver = Resolver::new(script.clone());
        script.take(Duration::from_secs(2));
        let answers = futures_util::future::join_all((0..20).map(|_| ask(&resolver))).await;
        assert!(answers.iter().all(|answer| **answer.as_ref().unwrap() == [ip(1)]));
        assert_eq!(script.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_refreshes_while_the_others_take_the_old_answer_at_once() {
        let script = Script::answering(&[ip(1)]);
        let resolver = Resolver::new(script.clone());
        ask(&resolver).await.unwrap();
        advance(FRESH).await;
        script.answer(&[ip(2)]);
        script.take(REFRESH / 2);
        let began = Instant::now();
        let waited = AtomicUsize::new(0);
        let one = async || {
            let answer = ask(&resolver).await.unwrap();
            waited.fetch_add(usize::from(began.elapsed() >= REFRESH / 2), Ordering::Relaxed);
            answer
        };
        let answers = futures_util::future::join_all((0..20).map(|_| one())).await;
        assert_eq!(waited.into_inner(), 1);
        assert_eq!(answers.iter().filter(|answer| ***answer == [ip(2)]).count(), 1);
        assert_eq!(script.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_answer_serves_for_a_day_while_the_name_server_is_away() {
        let script = Script::answering(&[ip(1)]);
        let resolver = Resolver::new(script.clone());
        ask(&resolver).await.unwrap();
        script.fail();
        for _ in 0..23 {
            advance(Duration::from_secs(60 * 60)).await;
            assert_eq!(*ask(&resolver).await.unwrap(), [ip(1)]);
        }
        advance(Duration::from_secs(60 * 60)).await;
        assert_eq!(ask(&resolver).await, Err(ResolveError::Failed));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_name_server_delays_a_request_by_a_moment_only() {
        let script = Script::answering(&[ip(1)]);
        let resolver = Resolver::new(script.clone());
        ask(&resolver).await.unwrap();
        advance(FRESH).await;
        script.take(Duration::from_secs(3600));
        let began = Instant::now();
        assert_eq!(*ask(&resolver).await.unwrap(), [ip(1)]);
        assert!(began.elapsed() < REFRESH + Duration::from_millis(50), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_remembered_for_a_second() {
        let script = Script::answering(&[ip(1)]);
        script.fail();
        let resolver = Resolver::new(script.clone());
        for _ in 0..5 {
            assert_eq!(ask(&resolver).await, Err(ResolveError::Failed));
        }
        assert_eq!(script.asked(), 1);
        script.answer(&[ip(1)]);
        advance(FAILED).await;
        assert!(ask(&resolver).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_its_patience_and_a_late_answer_is_not_lost() {
        let script = Script::answering(&[ip(1)]);
        script.take(Duration::from_secs(4));
        let resolver = Resolver::new(script.clone());
        let began = Instant::now();
        let patience = Duration::from_secs(1);
        assert_eq!(resolver.resolve(&host(), patience).await, Err(ResolveError::Failed));
        assert!(began.elapsed() < Duration::from_millis(1100), "{:?}", began.elapsed());
        assert!(ask(&resolver).await.is_ok());
        assert_eq!(script.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_without_an_address_is_no_answer() {
        let resolver = Resolver::new(Script::answering(&[]));
        assert_eq!(ask(&resolver).await, Err(ResolveError::Empty));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_refused_is_tried_last_until_the_next_look_up() {
        let script = Script::answering(&[ip(1), ip(2), ip(3)]);
        let resolver = Resolver::new(script.clone());
        ask(&resolver).await.unwrap();
        resolver.demote(&host(), ip(1));
        assert_eq!(*ask(&resolver).await.unwrap(), [ip(2), ip(3), ip(1)]);
        advance(FRESH).await;
        assert_eq!(*ask(&resolver).await.unwrap(), [ip(1), ip(2), ip(3)]);
    }

    #[tokio::test]
    async fn the_systems_resolver_knows_this_machine() {
        let found = Resolver::default().resolve(&Arc::from("localhost"), PATIENCE).await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback));
    }
}
