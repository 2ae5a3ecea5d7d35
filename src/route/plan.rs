//! The ordered routes of one request, and what has been tried of them.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use smallvec::SmallVec;

use super::{
    Candidate, Choice, Failure, Resolution, RouteHealth,
    health::{Closed, Turn},
    order,
};
use crate::{
    domain::{Attempt, AttemptOutcome, Endpoint, Timestamp},
    snapshot::{Alias, Route},
};

enum Routes {
    Alias(Arc<Alias>),
    Pinned(Arc<Route>),
}

/// The addresses of the current route's host, as far as they were tried.
#[derive(Default)]
pub struct Addresses {
    /// The one being tried.
    pub current: Option<IpAddr>,
    /// Whether there is another one after it.
    pub more: bool,
    /// Those that could not be connected to.
    pub unreached: SmallVec<[IpAddr; 2]>,
    /// When the attempt must be over that all of them are tried for.
    pub deadline: Option<Instant>,
}

/// Walks the routes of a request, one attempt after the other.
pub struct Plan {
    routes: Routes,
    endpoint: Endpoint,
    /// The order of this request; empty for that of the alias.
    order: SmallVec<[Choice; 4]>,
    position: usize,
    /// Positions that this request may not take.
    closed: SmallVec<[usize; 4]>,
    tried: Option<usize>,
    /// Positions that were passed over, and why.
    passed: SmallVec<[(usize, Closed); 2]>,
    /// Whether only ejected routes are left.
    resorted: bool,
    /// Retries in place made on the current route.
    pub retries_here: u32,
    /// The failure after which the current route is tried again.
    pub retried: Option<Failure>,
    /// Whether the current route's one free retry after a dead pooled connection is spent.
    pub reconnected: bool,
    /// Where the current route has been tried.
    pub addresses: Addresses,
    /// What failed, in order.
    pub attempts: Vec<Attempt>,
    /// What the vendors said, by attempt.
    said: Vec<Option<String>>,
    /// Retries in place on all routes.
    pub retry_count: u32,
    /// Time slept before them.
    pub retry_sleep: Duration,
    /// The smallest Retry-After of routes that ended in 429.
    pub retry_after: Option<Duration>,
    all_rate_limited: bool,
}

impl Plan {
    /// A plan that stands before its first route that speaks `endpoint`.
    #[must_use]
    pub fn new(resolution: Resolution, endpoint: Endpoint) -> Self {
        let routes = match resolution {
            Resolution::Alias(alias) => Routes::Alias(alias),
            Resolution::Pinned(route) => Routes::Pinned(route),
        };
        let mut plan = Self {
            routes,
            endpoint,
            order: SmallVec::new(),
            position: 0,
            closed: SmallVec::new(),
            tried: None,
            passed: SmallVec::new(),
            resorted: false,
            retries_here: 0,
            retried: None,
            reconnected: false,
            addresses: Addresses::default(),
            attempts: Vec::new(),
            said: Vec::new(),
            retry_count: 0,
            retry_sleep: Duration::ZERO,
            retry_after: None,
            all_rate_limited: true,
        };
        plan.position = plan.next_from(0);
        plan
    }

    /// Orders routes of equal priority by how they have done and what they cost (contract 4.5). Does
    /// nothing where no two are equal.
    pub fn choose(&mut self, health: &RouteHealth, at: Timestamp, now: Instant) {
        let Routes::Alias(alias) = &self.routes else { return };
        if !alias.has_equals {
            return;
        }
        let candidates: SmallVec<[Candidate; 4]> = alias
            .routes
            .iter()
            .map(|route| Candidate {
                priority: route.priority,
                standing: health.standing(route.provider.id, &route.upstream_model, now),
                price: route.prices.at(at).map(|price| price.rates.mean()),
            })
            .collect();
        self.order = order(&candidates);
        self.position = self.next_from(0);
    }

    fn at(&self, position: usize) -> Option<&Arc<Route>> {
        let index = self.order.get(position).map_or(position, |choice| choice.index);
        self.routes().get(index)
    }

    /// What spoke for trying a route when it was; none where its priority alone did.
    #[must_use]
    pub fn choice_of(&self, route: &Route) -> Option<&Choice> {
        let index = self.routes().iter().position(|own| own.id == route.id)?;
        self.order.iter().find(|choice| choice.index == index && choice.reason.is_some())
    }

    /// The first position from `start` whose provider speaks the endpoint; the end if none does.
    fn next_from(&self, start: usize) -> usize {
        let speaks = |position: &usize| {
            self.at(*position).is_some_and(|route| route.way(self.endpoint).is_some())
                && !self.closed.contains(position)
        };
        (start..self.route_count()).find(speaks).unwrap_or(self.route_count())
    }

    /// The routes from the current one on that may be tried, with their positions.
    pub fn open(&self) -> impl Iterator<Item = (usize, &Arc<Route>)> {
        let mut next = self.position;
        std::iter::from_fn(move || {
            let position = self.next_from(next);
            next = position + 1;
            self.at(position).map(|route| (position, route))
        })
    }

    /// Closes positions: they count as routes of the alias and are not tried.
    pub fn close(&mut self, positions: impl IntoIterator<Item = usize>) {
        self.closed.extend(positions);
        self.position = self.next_from(self.position);
    }

    fn routes(&self) -> &[Arc<Route>] {
        match &self.routes {
            Routes::Alias(alias) => &alias.routes,
            Routes::Pinned(route) => std::slice::from_ref(route),
        }
    }

    /// The alias that the name resolved to.
    #[must_use]
    pub fn alias(&self) -> &Arc<str> {
        match &self.routes {
            Routes::Alias(alias) => &alias.name,
            Routes::Pinned(route) => &route.alias,
        }
    }

    /// The route that stands first, whether it is tried or not.
    #[must_use]
    pub fn first(&self) -> Option<&Arc<Route>> {
        self.at(0)
    }

    /// The route to try now; none when all were tried.
    #[must_use]
    pub fn current(&self) -> Option<&Arc<Route>> {
        self.at(self.position)
    }

    /// The route that an attempt of ended last; none where there was none.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<Route>> {
        self.at(self.tried?)
    }

    /// 1-based position of the current route in the alias's list, skipped ones counted.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position + 1
    }

    /// Routes of the alias; 1 when pinned.
    #[must_use]
    pub fn route_count(&self) -> usize {
        self.routes().len()
    }

    /// Whether another route may be tried after the current one.
    #[must_use]
    pub fn has_next(&self) -> bool {
        let follows = self.next_from(self.position + 1) < self.route_count();
        !self.resorted && (follows || self.ejected().next().is_some())
    }

    /// How the request comes to the current route.
    #[must_use]
    pub fn turn(&self) -> Turn {
        let first = self.attempts.is_empty();
        if self.retried.is_some() {
            Turn::Retry
        } else if self.resorted {
            Turn::LastResort { first }
        } else if first {
            Turn::First
        } else {
            Turn::Failover
        }
    }

    /// Leaves the current route, which cannot be tried now.
    pub fn pass_over(&mut self, closed: Closed) {
        self.passed.push((self.position, closed));
        self.skip();
    }

    /// The ejected routes that were passed over: their positions, and how long they are ejected yet.
    fn ejected(&self) -> impl Iterator<Item = (usize, Duration)> {
        self.passed.iter().filter_map(|(position, closed)| match closed {
            Closed::Shut(shut) => Some((*position, shut.remaining)),
            Closed::Full | Closed::Spent => None,
        })
    }

    /// Goes to the ejected route that is nearest to recovery, once no other is left. Whether there is one.
    pub fn resort(&mut self) -> bool {
        let nearest = self.ejected().min_by_key(|(_, remaining)| *remaining);
        let Some((nearest, _)) = nearest else { return false };
        self.passed.retain(|(position, _)| *position != nearest);
        self.position = nearest;
        self.resorted = true;
        true
    }

    /// Whether no route is left, ejected ones included.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.current().is_none() && self.ejected().next().is_none()
    }

    /// Whether nothing was tried for want of room on a route.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let full = |(_, closed): &(usize, Closed)| *closed == Closed::Full;
        self.attempts.is_empty() && self.passed.iter().any(full)
    }

    /// Whether at least one attempt failed and every one that did ended in 429.
    #[must_use]
    pub fn all_rate_limited(&self) -> bool {
        self.all_rate_limited && !self.attempts.is_empty()
    }

    /// The trail as the caller may see it: with the vendors' words, which the record does not keep.
    #[must_use]
    pub fn told(&self) -> Vec<Attempt> {
        let with_words = |(attempt, said): (&Attempt, &Option<String>)| Attempt {
            message: said.as_ref().unwrap_or(&attempt.message).clone(),
            ..attempt.clone()
        };
        self.attempts.iter().zip(&self.said).map(with_words).collect()
    }

    /// Leaves an address that could not be connected to; the attempt goes on at the next one.
    pub fn next_address(&mut self) {
        self.addresses.unreached.extend(self.addresses.current.take());
    }

    /// Notes the free retry after a dead pooled connection.
    pub fn reconnect(&mut self) {
        self.reconnected = true;
        self.addresses.deadline = None;
    }

    /// Notes a retry in place and its wait.
    pub fn retry_here(&mut self, wait: Duration) {
        self.addresses.deadline = None;
        self.retries_here += 1;
        self.retry_count += 1;
        self.retry_sleep += wait;
    }

    /// Leaves the current route, failed.
    pub fn fail_route(&mut self, failure: &Failure) {
        if failure.outcome == AttemptOutcome::RateLimited {
            self.retry_after = [self.retry_after, failure.retry_after].into_iter().flatten().min();
        } else {
            self.all_rate_limited = false;
        }
        self.note(failure);
        if self.resorted {
            // One attempt on an ejected route is enough.
            self.passed.clear();
        }
        self.skip();
    }

    /// Leaves the current route without having tried it, because it cannot do what is asked.
    pub fn skip(&mut self) {
        self.position =
            if self.resorted { self.route_count() } else { self.next_from(self.position + 1) };
        self.retries_here = 0;
        self.retried = None;
        self.reconnected = false;
        self.addresses = Addresses::default();
    }

    /// The provider that the client named, if it did.
    #[must_use]
    pub fn pinned_provider(&self) -> Option<&Arc<str>> {
        match &self.routes {
            Routes::Alias(_) => None,
            Routes::Pinned(route) => Some(&route.provider.name),
        }
    }

    /// Adds the current route's end to the trail.
    pub fn note(&mut self, failure: &Failure) {
        let Some(route) = self.current() else { return };
        let attempt = Attempt {
            provider: Arc::clone(&route.provider.name),
            upstream_model: Arc::clone(&route.upstream_model),
            status: failure.status,
            error_type: failure.outcome.as_str().into(),
            message: failure.message.clone(),
            retries: self.retries_here,
        };
        self.attempts.push(attempt);
        self.said.push(failure.said.clone());
        self.tried = Some(self.position);
    }
}
