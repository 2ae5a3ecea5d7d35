//! Resolution, the plan's walk, and what follows a failure, over a small organization.

use std::{net::IpAddr, sync::Arc, time::Duration};

use hashbrown::HashMap;

use bytes::Bytes;

use super::{Failure, Next, Plan, Resolution, decide, resolve};
use crate::{
    domain::{AttemptOutcome, Endpoint, ModelFacts, OrgId, ProviderId, RouteId},
    pricing::Timeline,
    provider::catalog,
    snapshot::{
        Alias, Auth, BaseUrl, Caps, OrgSnapshot, Pinned, Policies, Provider, ProviderParts, Route,
    },
};

pub(super) fn provider(name: &str, vendor: &str) -> Arc<Provider> {
    let vendor = catalog().vendor(vendor).unwrap();
    let parts = ProviderParts {
        id: ProviderId::random(),
        name: Arc::from(name),
        vendor,
        catalog: &vendor.slug,
        base: BaseUrl::parse("http://127.0.0.1").unwrap(),
        api_key: None,
        auth: Auth::Headers,
        endpoints: vendor.endpoints.clone(),
        setting: &|_| None,
    };
    Arc::new(Provider::new(parts).unwrap())
}

pub(super) fn route(provider: &Arc<Provider>, alias: &str, upstream: &str) -> Route {
    Route {
        id: RouteId::random(),
        provider: Arc::clone(provider),
        alias: Arc::from(alias),
        priority: 0,
        upstream_model: Arc::from(upstream),
        base_model: Arc::from(upstream),
        upstream_model_json: Bytes::from(format!("\"{upstream}\"")),
        retry_on_429_count: 0,
        retry_on_429_max_wait: Duration::ZERO,
        request_timeout: Duration::from_secs(120),
        stream_idle_timeout: Duration::from_secs(180),
        caps: Caps::default(),
        prices: Timeline::default(),
        facts: ModelFacts::default(),
    }
}

pub(super) fn alias(name: &str, routes: Vec<Route>) -> Arc<Alias> {
    let routes = routes.into_iter().map(Arc::new).collect();
    Arc::new(Alias { name: Arc::from(name), routes, has_equals: false })
}

fn org() -> OrgSnapshot {
    let openai = provider("OpenAI", "openai");
    let pinned = Pinned {
        provider: Arc::clone(&openai),
        routes: HashMap::from([("gpt-4o".into(), Arc::new(route(&openai, "gpt-4o", "gpt-4o")))]),
    };
    OrgSnapshot {
        id: OrgId::random(),
        name: "acme".to_owned(),
        aliases: HashMap::from([
            ("fast".into(), alias("fast", vec![route(&openai, "fast", "gpt-4o")])),
            ("meta/llama".into(), alias("meta/llama", vec![route(&openai, "meta/llama", "llama")])),
        ]),
        prefixes: HashMap::from([("openai".into(), Arc::new(pinned))]),
        listing: Vec::new(),
        policies: Policies::default(),
        smart: HashMap::new(),
        serial: 0,
    }
}

fn upstream_of(org: &OrgSnapshot, name: &str) -> Option<(String, bool)> {
    let plan = |resolution, pinned| {
        let plan = Plan::new(resolution, Endpoint::ChatCompletions);
        (plan.current().unwrap().upstream_model.to_string(), pinned)
    };
    match resolve(org, name)? {
        Resolution::Pinned(route) => Some(plan(Resolution::Pinned(route), true)),
        alias @ Resolution::Alias(_) => Some(plan(alias, false)),
    }
}

#[test]
fn a_name_is_a_bare_alias_first_and_a_pinned_one_after() {
    let org = org();
    let found = |name| upstream_of(&org, name);
    assert_eq!(found("fast"), Some(("gpt-4o".to_owned(), false)));
    assert_eq!(found("meta/llama"), Some(("llama".to_owned(), false)));
    assert_eq!(found("openai/gpt-4o"), Some(("gpt-4o".to_owned(), true)));
    assert_eq!(found("OPENAI/gpt-4o"), Some(("gpt-4o".to_owned(), true)));
    for unknown in ["gpt-4o", "openai/fast", "openai/", "/gpt-4o", "azure/gpt-4o", "", "FAST"] {
        assert_eq!(found(unknown), None, "{unknown}");
    }
}

fn two_routes(retries: u32, max_wait_secs: u64) -> Plan {
    let openai = provider("OpenAI", "openai");
    let first = Route {
        retry_on_429_count: retries,
        retry_on_429_max_wait: Duration::from_secs(max_wait_secs),
        ..route(&openai, "fast", "one")
    };
    let alias = alias("fast", vec![first, route(&openai, "fast", "two")]);
    Plan::new(Resolution::Alias(alias), Endpoint::ChatCompletions)
}

fn rate_limited(after_secs: u64) -> Failure {
    Failure::of_status(429, Some(Duration::from_secs(after_secs))).unwrap()
}

#[test]
fn a_429_is_retried_in_place_as_often_as_the_route_says() {
    let mut plan = two_routes(2, 10);
    for _ in 0..2 {
        let next = decide(&plan, &rate_limited(3), 1.0);
        assert_eq!(next, Next::RetryHere(Duration::from_secs(3)));
        plan.retry_here(Duration::from_secs(3));
    }
    assert_eq!(decide(&plan, &rate_limited(3), 1.0), Next::NextRoute);
    plan.fail_route(&rate_limited(3));
    assert_eq!((plan.retry_count, plan.retry_sleep), (2, Duration::from_secs(6)));
    assert_eq!(plan.attempts.first().map(|attempt| attempt.retries), Some(2));
    assert_eq!(decide(&plan, &rate_limited(3), 1.0), Next::GiveUp);
}

#[test]
fn a_failure_takes_the_next_route_and_the_last_one_ends() {
    let mut plan = two_routes(5, 10);
    let failure = Failure::of_status(503, None).unwrap();
    assert_eq!(decide(&plan, &failure, 0.5), Next::NextRoute);
    plan.fail_route(&failure);
    assert_eq!((plan.position(), plan.route_count()), (2, 2));
    assert_eq!(decide(&plan, &failure, 0.5), Next::GiveUp);
    plan.fail_route(&failure);
    assert!(plan.current().is_none() && !plan.all_rate_limited());
}

#[test]
fn a_dead_pooled_connection_is_replaced_once_and_then_counts() {
    let mut plan = two_routes(0, 0);
    let stale = Failure { stale_connection: true, ..Failure::of(AttemptOutcome::NetworkError, "") };
    assert_eq!(decide(&plan, &stale, 0.5), Next::Reconnect);
    plan.reconnected = true;
    assert_eq!(decide(&plan, &stale, 0.5), Next::NextRoute);
}

#[test]
fn the_smallest_retry_after_is_kept_when_all_were_rate_limited() {
    let mut plan = two_routes(0, 0);
    plan.fail_route(&rate_limited(30));
    plan.fail_route(&rate_limited(7));
    assert!(plan.all_rate_limited());
    assert_eq!(plan.retry_after, Some(Duration::from_secs(7)));
}

#[test]
fn every_address_of_a_host_is_tried_before_its_route_has_failed() {
    let mut plan = two_routes(0, 0);
    let mut refused = Failure::of(AttemptOutcome::NetworkError, "refused");
    refused.unreached = true;
    let (first, second) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));

    plan.addresses.current = Some(first);
    plan.addresses.more = true;
    assert_eq!(decide(&plan, &refused, 0.5), Next::NextAddress);
    plan.next_address();
    assert!(plan.attempts.is_empty(), "nothing has failed yet");
    assert_eq!(plan.addresses.unreached.as_slice(), [first]);

    let broken = Failure::of(AttemptOutcome::TlsError, "no handshake");
    assert_eq!(decide(&plan, &broken, 0.5), Next::NextRoute, "the host was reached");
    plan.addresses.current = Some(second);
    plan.addresses.more = false;
    assert_eq!(decide(&plan, &refused, 0.5), Next::NextRoute);
    plan.fail_route(&refused);
    assert_eq!(plan.attempts.len(), 1);
    assert!(plan.addresses.unreached.is_empty(), "the next route has its own host");
}

#[test]
fn routes_that_do_not_speak_the_endpoint_are_skipped_and_still_counted() {
    let (openai, anthropic) = (provider("o", "openai"), provider("a", "anthropic"));
    let routes = vec![route(&anthropic, "x", "claude"), route(&openai, "x", "gpt")];
    let plan = |endpoint| Plan::new(Resolution::Alias(alias("x", routes_of(&routes))), endpoint);
    let embeddings = plan(Endpoint::Embeddings);
    assert_eq!(embeddings.current().map(|route| &*route.upstream_model), Some("gpt"));
    assert_eq!((embeddings.position(), embeddings.route_count()), (2, 2));
    let chat = plan(Endpoint::ChatCompletions);
    assert_eq!(chat.position(), 1);
    assert!(chat.has_next(), "what one speaks, the other is translated to");
}

fn routes_of(routes: &[Route]) -> Vec<Route> {
    routes.iter().map(|one| route(&one.provider, &one.alias, &one.upstream_model)).collect()
}
