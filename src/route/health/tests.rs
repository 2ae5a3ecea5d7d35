//! Breakers, places and budgets as requests meet them, and replicas that share cool-downs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use uuid::Uuid;

use super::*;
use crate::{
    domain::{AttemptOutcome, Endpoint, OrgId},
    route::{
        Failure, Plan, Resolution,
        tests::{alias, provider, route},
    },
    snapshot::{Caps, Route},
};

const SECOND: Duration = Duration::from_secs(1);

/// One route and its health, at a time that the test sets.
struct Scene {
    health: Arc<RouteHealth>,
    told: Arc<Mutex<Vec<Event>>>,
    org: OrgId,
    route: Route,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let health = RouteHealth::new(Tuning::default(), move |event: &Event| {
            tell.lock().unwrap().push(event.clone());
        });
        let route = route(&provider("openai", "openai"), "fast", "gpt-4o");
        Self { health: Arc::new(health), told, org: OrgId::random(), route, now: Instant::now() }
    }

    fn capped(caps: Caps) -> Self {
        let scene = Self::new();
        Self { route: Route { caps, ..scene.route }, ..scene }
    }

    fn enter(&self, turn: Turn) -> Result<Lease, Closed> {
        self.health.enter(self.org, &self.route, turn, self.now)
    }

    /// An attempt that ends so.
    fn attempt(&self, end: &Failure) -> State {
        self.enter(Turn::First)
            .unwrap_or_else(|closed| panic!("{closed:?}"))
            .end(end, None, self.now)
    }

    fn fails(&self, times: usize) {
        for _ in 0..times {
            self.attempt(&status(503));
        }
    }

    fn answers(&self, times: usize) {
        for _ in 0..times {
            self.attempt(&Failure::of(AttemptOutcome::Ok, ""));
        }
    }

    fn status(&self) -> Status {
        self.health.status(self.route.provider.id, &self.route.upstream_model, self.now)
    }

    fn remaining(&self) -> Option<Duration> {
        self.status().remaining
    }

    fn key(&self) -> RouteKey {
        let (provider, model) = (self.route.provider.id, Arc::clone(&self.route.upstream_model));
        RouteKey { org: self.org, provider, model }
    }

    fn told(&self) -> Vec<(State, State, Cause)> {
        let told = self.told.lock().unwrap();
        told.iter().map(|event| (event.change.from, event.change.to, event.change.cause)).collect()
    }
}

fn status(status: u16) -> Failure {
    Failure::of_status(status, None).expect("a failure")
}

fn rate_limited(wait: Option<Duration>) -> Failure {
    Failure::of_status(429, wait).expect("a failure")
}

#[test]
fn ten_failures_eject_for_half_a_minute_and_three_probes_bring_it_back() {
    let mut scene = Scene::new();
    scene.fails(9);
    assert_eq!((scene.status().state, scene.status().consecutive_failures), (State::Healthy, 9));
    scene.fails(1);
    assert_eq!(scene.status().reason, Some(Reason::RollingFailures));
    assert_eq!(scene.remaining(), Some(30 * SECOND));
    let shut = Shut { remaining: 30 * SECOND };
    assert_eq!(scene.enter(Turn::First).err(), Some(Closed::Shut(shut)));
    scene.now += 30 * SECOND;
    for _ in 0..3 {
        assert_eq!(scene.status().state, State::HalfOpen);
        let probe = scene.enter(Turn::First).expect("a probe is due");
        let busy = Closed::Shut(Shut { remaining: Duration::ZERO });
        assert_eq!(scene.enter(Turn::First).err(), Some(busy), "one at a time");
        probe.end(&Failure::of(AttemptOutcome::Ok, ""), None, scene.now);
    }
    assert_eq!(scene.status().state, State::Healthy);
    let causes: Vec<_> = scene.told().into_iter().map(|(_, _, cause)| cause.as_str()).collect();
    assert_eq!(causes, ["rolling_failures", "cooldown_over", "probes_answered"]);
    let transitions = scene.status().transitions;
    assert_eq!(transitions.len(), 3);
    assert_eq!(transitions[2].window, Some(60 * SECOND), "{transitions:?}");
    assert_eq!(transitions[2].age, 30 * SECOND);
}

#[test]
fn a_busy_route_with_a_few_failures_is_not_ejected() {
    let scene = Scene::new();
    for _ in 0..50 {
        scene.answers(19);
        scene.fails(1);
    }
    assert_eq!(scene.status().state, State::Healthy);
}

#[test]
fn failures_that_are_long_ago_do_not_add_up() {
    let mut scene = Scene::new();
    for _ in 0..100 {
        scene.fails(1);
        scene.now += 7 * SECOND;
    }
    assert_eq!(scene.status().state, State::Healthy);
}

#[test]
fn a_probe_that_fails_doubles_the_cool_down_up_to_five_minutes() {
    let mut scene = Scene::new();
    scene.fails(10);
    for (seconds, multiplier) in [(30, 1), (60, 2), (120, 4), (240, 8), (300, 8), (300, 8)] {
        assert_eq!(scene.remaining(), Some(seconds * SECOND));
        assert_eq!(scene.status().multiplier, multiplier);
        scene.now += seconds * SECOND;
        scene.fails(1);
    }
    scene.now += 300 * SECOND;
    scene.answers(3);
    scene.now += 299 * SECOND;
    assert_eq!(scene.status().multiplier, 8);
    scene.now += SECOND;
    assert_eq!(scene.status().multiplier, 1, "that was long ago");
    scene.fails(10);
    assert_eq!(scene.remaining(), Some(30 * SECOND));
}

#[test]
fn one_429_whose_retries_are_spent_ejects_for_as_long_as_the_vendor_says() {
    for (wait, lasts) in
        [(Some(7), Some(7)), (None, Some(30)), (Some(4000), Some(300)), (Some(0), None)]
    {
        let scene = Scene::new();
        scene.attempt(&rate_limited(wait.map(Duration::from_secs)));
        assert_eq!(scene.remaining(), lasts.map(Duration::from_secs), "{wait:?}");
        let reason = lasts.map(|_| Reason::RateLimited);
        assert_eq!(scene.status().reason, reason);
    }
    let scene = Scene::new();
    scene.attempt(&status(529));
    assert_eq!(scene.remaining(), Some(10 * SECOND));
}

#[test]
fn what_is_the_clients_fault_never_ejects_and_a_refused_credential_does() {
    let scene = Scene::new();
    for outcome in [AttemptOutcome::ClientError, AttemptOutcome::ClientGone] {
        for _ in 0..100 {
            scene.attempt(&Failure::of(outcome, ""));
        }
    }
    for _ in 0..100 {
        drop(scene.enter(Turn::First));
    }
    assert_eq!(scene.status(), Status::default());
    for _ in 0..10 {
        scene.attempt(&status(401));
    }
    assert_eq!(scene.status().state, State::Ejected);
}

#[test]
fn an_answer_to_the_last_resort_ends_the_cool_down() {
    let scene = Scene::new();
    scene.fails(10);
    let resort = scene.enter(Turn::LastResort { first: true }).expect("there is no other route");
    assert_eq!(resort.end(&status(503), None, scene.now), State::Ejected);
    assert_eq!(scene.remaining(), Some(30 * SECOND), "which a failure does not lengthen");
    let mut resort = scene.enter(Turn::LastResort { first: true }).expect("as before");
    resort.answered(scene.now);
    assert_eq!(scene.status().state, State::HalfOpen, "though the stream goes on");
    assert_eq!(scene.status().in_flight, 1);
    resort.end(&Failure::of(AttemptOutcome::Ok, ""), None, scene.now);
    scene.answers(2);
    assert_eq!(scene.status().state, State::Healthy);
}

#[test]
fn what_began_before_an_ejection_says_nothing_after_it() {
    let mut scene = Scene::new();
    let (old, older) = (scene.enter(Turn::First).unwrap(), scene.enter(Turn::First).unwrap());
    scene.fails(10);
    old.end(&Failure::of(AttemptOutcome::Ok, ""), None, scene.now);
    assert_eq!(scene.status().state, State::Ejected);
    scene.now += 30 * SECOND;
    scene.answers(1);
    older.end(&status(503), None, scene.now);
    assert_eq!(scene.status().state, State::HalfOpen);
}

#[test]
fn a_reset_forgets_everything() {
    let scene = Scene::new();
    scene.fails(10);
    let (provider, model) = (scene.route.provider.id, &scene.route.upstream_model);
    assert!(scene.health.reset(provider, model, Origin::Here, scene.now));
    assert!(!scene.health.reset(provider, model, Origin::Here, scene.now));
    assert_eq!((scene.status().state, scene.status().multiplier), (State::Healthy, 1));
    scene.fails(9);
    assert_eq!(scene.status().state, State::Healthy);
}

#[test]
fn nothing_ejects_where_that_is_switched_off() {
    let tuning = Tuning { failures: 0, ..Tuning::default() };
    let scene = Scene { health: Arc::new(RouteHealth::new(tuning, |_| {})), ..Scene::new() };
    scene.fails(100);
    scene.attempt(&rate_limited(None));
    scene.attempt(&status(529));
    assert_eq!(scene.status().state, State::Healthy);
}

#[test]
fn a_cap_bounds_what_is_under_way_until_each_attempt_ends() {
    let scene = Scene::capped(Caps { model: Some(2), alias: None });
    let (one, two) = (scene.enter(Turn::First).unwrap(), scene.enter(Turn::First).unwrap());
    assert_eq!(scene.enter(Turn::First).err(), Some(Closed::Full));
    assert_eq!(scene.enter(Turn::LastResort { first: true }).err(), Some(Closed::Full));
    one.end(&Failure::of(AttemptOutcome::Ok, ""), None, scene.now);
    let third = scene.enter(Turn::First).expect("one has ended");
    drop(two);
    third.pause(&rate_limited(None), scene.now);
    assert_eq!(scene.status().in_flight, 0);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _lease = scene.enter(Turn::First).unwrap();
        panic!("as a filter might");
    }));
    assert!(panicked.is_err());
    assert_eq!(scene.status().in_flight, 0);
}

#[test]
fn an_alias_has_a_cap_of_its_own_within_the_models() {
    let scene = Scene::capped(Caps { model: Some(3), alias: Some(1) });
    let other = Route { caps: Caps { model: Some(3), alias: None }, ..plain(&scene) };
    let first = scene.enter(Turn::First).unwrap();
    assert_eq!(scene.enter(Turn::First).err(), Some(Closed::Full));
    let enter = || scene.health.enter(scene.org, &other, Turn::First, scene.now);
    let (_one, _two) = (enter().unwrap(), enter().unwrap());
    assert_eq!(enter().err(), Some(Closed::Full));
    drop(first);
    assert!(enter().is_ok());
    assert!(scene.enter(Turn::First).is_ok());
}

fn plain(scene: &Scene) -> Route {
    route(&scene.route.provider, "other", "gpt-4o")
}

#[test]
fn failover_to_a_failing_route_is_paid_for_and_to_another_one_free() {
    let scene = Scene::new();
    scene.answers(20);
    for _ in 0..100 {
        drop(scene.enter(Turn::Failover).expect("it is not failing"));
    }
    let tuning = Tuning { failures: 10_000, ..Tuning::default() };
    let scene = Scene { health: Arc::new(RouteHealth::new(tuning, |_| {})), ..Scene::new() };
    scene.fails(3);
    let mut paid = 0;
    let closed = loop {
        match scene.enter(Turn::Failover) {
            Ok(lease) => drop(lease),
            Err(closed) => break closed,
        }
        paid += 1;
    };
    assert_eq!((paid, closed), (10, Closed::Spent));
    assert!(scene.enter(Turn::First).is_ok(), "a request's first attempt is its own");
    assert!(!scene.enter(Turn::First).unwrap().may_retry(scene.now));
}

fn plan(routes: Vec<Route>) -> Plan {
    Plan::new(Resolution::Alias(alias("fast", routes)), Endpoint::ChatCompletions)
}

fn shut(seconds: u64) -> Closed {
    Closed::Shut(Shut { remaining: Duration::from_secs(seconds) })
}

#[test]
fn of_ejected_routes_the_one_nearest_recovery_is_tried_and_no_other() {
    let openai = provider("openai", "openai");
    let mut plan = plan(["a", "b", "c"].map(|model| route(&openai, "fast", model)).into());
    assert!(!plan.resort(), "while there are others");
    for seconds in [30, 10, 20] {
        assert_eq!(plan.turn(), Turn::First);
        plan.pass_over(shut(seconds));
    }
    assert!(plan.current().is_none());
    assert!(plan.resort());
    assert_eq!(plan.turn(), Turn::LastResort { first: true });
    assert_eq!((plan.position(), plan.route_count()), (2, 3));
    assert!(!plan.has_next());
    plan.fail_route(&status(503));
    assert!(plan.current().is_none() && !plan.resort());
    assert_eq!(plan.attempts.len(), 1);
}

#[test]
fn an_ejected_route_is_what_is_left_after_another_one_failed() {
    let openai = provider("openai", "openai");
    let mut plan = plan(["a", "b"].map(|model| route(&openai, "fast", model)).into());
    plan.pass_over(shut(30));
    assert_eq!(plan.turn(), Turn::First);
    assert!(plan.has_next());
    plan.fail_route(&status(503));
    assert!(plan.current().is_none() && plan.resort());
    assert_eq!(plan.turn(), Turn::LastResort { first: false });
    assert_eq!(plan.position(), 1);
    plan.pass_over(Closed::Spent);
    assert!(plan.current().is_none() && !plan.resort());
}

#[test]
fn routes_without_room_are_passed_over_and_remembered_where_nothing_was_tried() {
    let openai = provider("openai", "openai");
    let routes = || ["a", "b"].map(|model| route(&openai, "fast", model)).into();
    let mut full = plan(routes());
    full.pass_over(Closed::Full);
    full.pass_over(Closed::Full);
    assert!(full.is_full() && !full.resort());
    let mut mixed = plan(routes());
    mixed.pass_over(Closed::Full);
    mixed.fail_route(&status(503));
    assert!(!mixed.is_full());
}

/// What replicas share, in memory.
#[derive(Default)]
struct Shared {
    all: Mutex<HashMap<RouteKey, Cooldown>>,
    away: Mutex<bool>,
}

#[async_trait]
impl Cooldowns for Shared {
    async fn publish(&self, cooldown: &Cooldown) -> Result<Uuid, CooldownError> {
        if *self.away.lock().unwrap() {
            return Err(CooldownError("away".to_owned()));
        }
        let mut all = self.all.lock().unwrap();
        let stands = all.entry(cooldown.key.clone()).or_insert_with(|| cooldown.clone());
        if stands.ejection.is_none() {
            *stands = cooldown.clone();
        }
        Ok(stands.id)
    }

    async fn publish_late(&self, cooldown: &Cooldown) -> Result<Uuid, CooldownError> {
        if *self.away.lock().unwrap() {
            return Err(CooldownError("away".to_owned()));
        }
        let mut all = self.all.lock().unwrap();
        Ok(all.entry(cooldown.key.clone()).or_insert_with(|| cooldown.clone()).id)
    }

    async fn reset(&self, key: &RouteKey, id: Uuid) -> Result<bool, CooldownError> {
        let mut all = self.all.lock().unwrap();
        let (key, provider_name) = (key.clone(), Arc::from(""));
        let reset = Cooldown { id, key: key.clone(), provider_name, ejection: None };
        Ok(all.insert(key, reset).is_some_and(|before| before.ejection.is_some()))
    }

    async fn read(&self) -> Result<Vec<Cooldown>, CooldownError> {
        if *self.away.lock().unwrap() {
            return Err(CooldownError("away".to_owned()));
        }
        Ok(self.all.lock().unwrap().values().cloned().collect())
    }
}

/// Two replicas with the same route.
fn replicas() -> [(Scene, Sharing); 2] {
    replicas_of(&Arc::default())
}

/// Two that share this.
fn replicas_of(shared: &Arc<Shared>) -> [(Scene, Sharing); 2] {
    let (one, two) = (Scene::new(), Scene::new());
    let two = Scene { org: one.org, route: plain(&one), ..two };
    [one, two].map(|scene| {
        let sharing = Sharing::new(Arc::clone(&scene.health), Arc::<Shared>::clone(shared));
        (scene, sharing)
    })
}

async fn publishes(scene: &Scene, sharing: &Sharing) -> Uuid {
    let status = scene.status();
    let ejection = Ejection {
        reason: status.reason.expect("it is ejected"),
        lasts: status.remaining.expect("it is ejected"),
        multiplier: status.multiplier,
    };
    sharing.publish(&scene.key(), &scene.route.provider.name, ejection).await.unwrap()
}

#[tokio::test]
async fn what_one_replica_ejects_the_other_skips_and_a_reset_on_either_is_one_on_both() {
    let [(one, tells), (two, hears)] = replicas();
    one.fails(10);
    publishes(&one, &tells).await;
    hears.round().await.unwrap();
    tells.round().await.unwrap();
    assert_eq!(two.status().state, State::Ejected);
    assert_eq!(two.told().len(), 1);
    assert_eq!(one.told().len(), 1, "its own is no news to it");
    let origin = two.told.lock().unwrap()[0].origin;
    assert_eq!(origin, Origin::Elsewhere);
    assert!(hears.reset(&two.key()).await.unwrap());
    let (provider, model) = (two.route.provider.id, &two.route.upstream_model);
    assert!(two.health.reset(provider, model, Origin::Here, two.now));
    for (scene, sharing) in [(&one, &tells), (&two, &hears)] {
        sharing.round().await.unwrap();
        assert_eq!(scene.status().state, State::Healthy);
    }
    assert!(!tells.reset(&one.key()).await.unwrap());
}

#[tokio::test]
async fn a_replica_that_came_back_by_itself_is_not_ejected_by_old_news() {
    let [(mut one, tells), (mut two, hears)] = replicas();
    one.fails(10);
    publishes(&one, &tells).await;
    hears.round().await.unwrap();
    for scene in [&mut one, &mut two] {
        scene.now = Instant::now() + 31 * SECOND;
        scene.answers(3);
    }
    tells.round().await.unwrap();
    hears.round().await.unwrap();
    assert_eq!((one.status().state, two.status().state), (State::Healthy, State::Healthy));
}

#[tokio::test]
async fn replicas_that_find_out_at_the_same_time_speak_of_one_ejection() {
    let [(one, first), (two, second)] = replicas();
    one.fails(10);
    two.fails(10);
    assert_eq!(publishes(&one, &first).await, publishes(&two, &second).await);
}

/// Ejects the route of one while nothing can be told.
async fn ejects_untold(shared: &Shared, scene: &Scene, sharing: &Sharing) {
    *shared.away.lock().unwrap() = true;
    scene.fails(10);
    let ejection = Ejection { reason: Reason::RollingFailures, lasts: SECOND, multiplier: 1 };
    let provider_name = &scene.route.provider.name;
    assert!(sharing.publish(&scene.key(), provider_name, ejection).await.is_err());
    assert!(sharing.round().await.is_err());
    assert_eq!(scene.status().state, State::Ejected);
    *shared.away.lock().unwrap() = false;
}

#[tokio::test]
async fn what_was_ejected_while_nothing_could_be_told_is_told_when_it_can_for_the_time_that_is_left()
 {
    let shared = Arc::default();
    let [(one, tells), (two, hears)] = replicas_of(&shared);
    ejects_untold(&shared, &one, &tells).await;
    hears.round().await.unwrap();
    assert_eq!(two.status().state, State::Healthy);
    tells.round().await.unwrap();
    hears.round().await.unwrap();
    assert_eq!(two.status().state, State::Ejected);
    let (left, has) = (two.status().remaining.unwrap(), one.status().remaining.unwrap());
    assert!(left <= has && left + SECOND > has, "{left:?} of {has:?}");
    shared.all.lock().unwrap().clear();
    tells.round().await.unwrap();
    assert!(shared.all.lock().unwrap().is_empty(), "it is told once");
}

#[tokio::test]
async fn what_is_over_when_it_could_be_told_is_told_nobody() {
    let shared = Arc::default();
    let [(one, tells), _] = replicas_of(&shared);
    ejects_untold(&shared, &one, &tells).await;
    let (provider, model) = (one.route.provider.id, &one.route.upstream_model);
    assert!(one.health.reset(provider, model, Origin::Here, one.now));
    tells.round().await.unwrap();
    assert!(shared.all.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_reset_before_it_could_be_told_stays_reset() {
    let shared: Arc<Shared> = Arc::default();
    let [(one, tells), (two, resets)] = replicas_of(&shared);
    ejects_untold(&shared, &one, &tells).await;
    resets.reset(&two.key()).await.unwrap();
    tells.round().await.unwrap();
    resets.round().await.unwrap();
    assert_eq!((one.status().state, two.status().state), (State::Healthy, State::Healthy));
    ejects_untold(&shared, &one, &tells).await;
    tells.reset(&one.key()).await.unwrap();
    tells.round().await.unwrap();
    let ejection = shared.all.lock().unwrap()[&one.key()].ejection;
    assert!(ejection.is_none(), "though this process has not yet made it healthy");
}
