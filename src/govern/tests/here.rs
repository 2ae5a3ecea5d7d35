use std::{sync::Arc, time::Duration};

use super::scene::{
    ORG, Scene, amount, budget, budget_of, check, denied, granted, none, policies, requests,
    settle, strict, throttle, tokens, until,
};
use crate::{
    domain::{Endpoint, Money, Period, Position, Price, Timestamp},
    govern::{Amount, Ask, Bound, Check, Kind, Moved, Reason, RouteAsk, Rule, Verdict},
};

fn bound(input: u64, wanted: Option<u64>, most: u64) -> Bound {
    // A dollar per million tokens: 1000 units of money per token.
    let output_price = Price::from_units(1_000_000_000_000);
    Bound { input: amount(input), wanted, most, answers: 1, output_price, for_an_hour: false }
}

fn route(checks: &Arc<[Check]>, bound: Option<Bound>) -> RouteAsk<'_> {
    RouteAsk { checks, bound }
}

#[tokio::test]
async fn a_burst_is_admitted_up_to_the_limit_and_then_told_when_to_come_back() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![requests(1, 600)].into();
    for number in 0..600 {
        let grant = granted(scene.ask(&checks).await);
        let room = grant.standing.requests.unwrap();
        assert_eq!((room.limit, room.remaining), (600, 599 - number));
        assert_eq!(room.reset, Duration::from_secs(61));
    }
    let denied = denied(scene.ask(&checks).await);
    assert_eq!(denied.by.reason, Reason::Requests);
    assert!(denied.by.retry_after > Duration::from_secs(55), "{:?}", denied.by);
    assert!(denied.by.retry_after <= Duration::from_secs(61), "{:?}", denied.by);
    assert_eq!(denied.standing.requests.unwrap().remaining, 0);
}

#[tokio::test]
async fn a_request_that_one_policy_denies_is_counted_by_none() {
    let scene = Scene::here();
    let narrow: Arc<[Check]> = vec![requests(1, 3), requests(2, 1)].into();
    let wide: Arc<[Check]> = vec![requests(1, 3)].into();
    let _first = granted(scene.ask(&narrow).await);
    for _ in 0..10 {
        assert_eq!(denied(scene.ask(&narrow).await).by.check.counter, narrow[1].counter);
    }
    let _second = granted(scene.ask(&wide).await);
    let _third = granted(scene.ask(&wide).await);
    denied(scene.ask(&wide).await);
}

#[tokio::test]
async fn tokens_are_admitted_while_what_was_really_used_is_below_the_limit() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![tokens(1, 1000)].into();
    assert!(scene.use_up(&checks, amount(999)).await);
    assert!(scene.use_up(&checks, amount(5000)).await);
    let denied = denied(scene.ask(&checks).await);
    assert_eq!(denied.by.reason, Reason::Tokens);
    assert_eq!(denied.standing.tokens.unwrap().remaining, 0);
}

#[tokio::test]
async fn a_limit_of_zero_admits_nothing() {
    let scene = Scene::here();
    for check in [requests(1, 0), tokens(2, 0), budget(3, 0), strict(4, 0)] {
        let checks: Arc<[Check]> = vec![check].into();
        let denied = denied(scene.ask(&checks).await);
        assert!(denied.by.retry_after > Duration::ZERO);
    }
}

#[tokio::test]
async fn requests_in_flight_count_by_what_is_expected_of_them() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget(1, 250)].into();
    // 100 are expected of each: the third is still below 250.
    let flying = [
        granted(scene.ask(&checks).await),
        granted(scene.ask(&checks).await),
        granted(scene.ask(&checks).await),
    ];
    assert_eq!(denied(scene.ask(&checks).await).by.reason, Reason::BudgetTokens);
    for grant in flying {
        settle(grant, amount(10), None);
    }
    for _ in 0..3 {
        drop(granted(scene.ask(&checks).await));
    }
    assert!(scene.use_up(&checks, amount(220)).await);
    let denied = denied(scene.ask(&checks).await);
    assert!(denied.by.retry_after > Duration::from_secs(1), "until the period ends");
}

#[tokio::test]
async fn a_budget_smaller_than_what_is_expected_still_admits_one() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget(1, 1)].into();
    let grant = granted(scene.ask(&checks).await);
    denied(scene.ask(&checks).await);
    drop(grant);
    granted(scene.ask(&checks).await).lease.unwrap().settle(Amount::ZERO, None);
}

#[tokio::test]
async fn budgets_that_do_not_block_only_count() {
    let scene = Scene::here();
    let rule = Rule::Budget {
        period: Period::Daily,
        tokens: Some(10),
        cost: None,
        blocks: false,
        marks: false,
        strict: false,
    };
    let checks: Arc<[Check]> = vec![check(1, rule)].into();
    scene.governor.in_force(ORG, &policies(&checks));
    for _ in 0..5 {
        assert!(scene.use_up(&checks, amount(8)).await);
    }
    let told: Vec<u8> = scene.told.lock().unwrap().iter().map(|told| told.percent).collect();
    assert_eq!(told, [80, 90, 100]);
}

#[tokio::test]
async fn a_strict_budget_caps_the_output_at_what_is_left() {
    let scene = Scene::here();
    let checks: Arc<[Check]> =
        vec![strict(1, 1000), budget_of(2, None, Some(700_000), true)].into();
    let none = none();
    let at = Timestamp::now();
    // 100 of input leave 900 tokens, and money for 600.
    let routes = [route(&none, Some(bound(100, None, 8000)))];
    let grant = granted(scene.ask_routes(&checks, &routes, at).await);
    assert_eq!(grant.output_cap, Some(600));
    let by = denied(scene.ask_routes(&checks, &routes, at).await).by;
    assert_eq!((by.check.counter, by.reason), (checks[1].counter.clone(), Reason::BudgetCost));
    settle(grant, amount(150), None);
    let grant = granted(scene.ask_routes(&checks, &routes, at).await);
    assert_eq!(grant.output_cap, Some(450));
}

#[tokio::test]
async fn a_strict_budget_refuses_a_maximum_that_it_does_not_afford() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![strict(1, 1000)].into();
    let (none, at) = (none(), Timestamp::now());
    let ask = |wanted| [route(&none, Some(bound(100, Some(wanted), 8000)))];
    let by = denied(scene.ask_routes(&checks, &ask(901), at).await).by;
    let short = by.short.clone().unwrap();
    assert_eq!(
        (by.reason, short.needs.tokens, short.left.tokens),
        (Reason::BudgetTokens, 1001, 1000)
    );
    assert!(by.retry_after > Duration::from_secs(1), "not before the period ends: {by:?}");
    let grant = granted(scene.ask_routes(&checks, &ask(900), at).await);
    assert_eq!(grant.output_cap, None);
    denied(scene.ask_routes(&checks, &ask(1), at).await);
}

#[tokio::test]
async fn routes_whose_budget_is_used_up_are_passed_over() {
    let scene = Scene::here();
    let (one, two): (Arc<[Check]>, Arc<[Check]>) =
        (vec![budget(1, 50)].into(), vec![requests(2, 2)].into());
    let (caller, at) = (none(), Timestamp::now());
    let routes = [route(&one, None), route(&two, None)];
    let first = granted(scene.ask_routes(&caller, &routes, at).await);
    assert_eq!((first.route, first.blocked.len()), (Some(0), 0));
    let second = granted(scene.ask_routes(&caller, &routes, at).await);
    assert_eq!((second.route, second.blocked[0].route), (Some(1), 0));
    let _third = granted(scene.ask_routes(&caller, &routes, at).await);
    // The budget is only filled by a request in flight, so it recovers first.
    let denied = denied(scene.ask_routes(&caller, &routes, at).await);
    assert_eq!((denied.route, denied.by.reason), (Some(0), Reason::BudgetTokens));
}

#[tokio::test]
async fn a_request_that_moves_to_another_route_is_held_to_that_routes_checks() {
    let scene = Scene::here();
    let caller: Arc<[Check]> = vec![requests(1, 10), strict(2, 1000)].into();
    let one: Arc<[Check]> = vec![budget(3, 50)].into();
    let two: Arc<[Check]> = vec![requests(4, 1)].into();
    let at = Timestamp::now();
    let bounds = Some(bound(100, Some(400), 8000));
    let grant = granted(scene.ask_routes(&caller, &[route(&one, bounds)], at).await);
    let mut lease = grant.lease.unwrap();
    let moved = lease.move_to(route(&two, Some(bound(100, Some(900), 8000)))).await;
    assert!(matches!(moved, Moved::Granted { output_cap: None, .. }), "{moved:?}");
    // What the first route had reserved is free; the strict budget is all reserved now.
    let other: Arc<[Check]> = none();
    let free = granted(scene.ask_routes(&other, &[route(&one, None)], at).await);
    denied(scene.ask_routes(&caller, &[route(&one, Some(bound(1, Some(1), 1)))], at).await);
    drop(free);
    let full: Arc<[Check]> = vec![requests(5, 0)].into();
    let moved = lease.move_to(route(&full, bounds)).await;
    assert!(matches!(&moved, Moved::Blocked(block) if block.check == full[0]), "{moved:?}");
    lease.settle(amount(300), None);
    let grant = granted(scene.ask_routes(&caller, &[route(&one, bounds)], at).await);
    assert_eq!(grant.standing.requests.unwrap().remaining, 8);
}

#[tokio::test]
async fn a_request_that_is_only_looked_at_counts_nowhere() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![requests(1, 1)].into();
    let ask = Ask {
        org: ORG,
        at: Timestamp::now(),
        caller: &checks,
        routes: &[],
        expected: amount(1),
        counts: false,
    };
    for _ in 0..5 {
        let grant = granted(scene.governor.admit(&ask).await);
        assert!(grant.lease.is_none());
        assert_eq!(grant.standing.requests.unwrap().remaining, 1);
    }
    let _counted = granted(scene.ask(&checks).await);
    denied(scene.governor.admit(&ask).await);
}

#[tokio::test]
async fn a_budget_begins_with_what_was_used_before_and_anew_with_its_period() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget(1, 1000)].into();
    let now = Timestamp::now();
    scene.database.keep(scene.ledger, now, &checks, amount(400));
    scene.database.deliver_all();
    // Kept by now, but not in the database: it is known here alone.
    assert!(scene.use_up(&checks, amount(550)).await);
    scene.governor.policies(ORG, policies(&checks));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let task = tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    assert!(scene.governor.wait_begun(Duration::from_secs(5)).await);
    let last = granted(scene.ask(&checks).await);
    denied(scene.ask(&checks).await);
    let next = now.after(Duration::from_secs(32 * 86_400));
    drop(granted(scene.ask_at(&checks, next).await));
    drop(last);
    // A raised limit is in force with the next request.
    let raised: Arc<[Check]> = vec![budget(1, 1200)].into();
    let (_one, _two) = (granted(scene.ask(&raised).await), granted(scene.ask(&raised).await));
    stop.send(true).unwrap();
    task.await.unwrap();
}

#[tokio::test]
async fn idle_counters_become_what_the_database_holds() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget(1, 1000)].into();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    // Settled, but its record was lost.
    settle(granted(scene.ask(&checks).await), amount(2000), Some(Position(1)));
    denied(scene.ask(&checks).await);
    scene.database.keep(scene.ledger, Timestamp::now(), &checks, amount(30));
    scene.database.deliver_all();
    let begun = std::time::Instant::now();
    until("the counter is right", async || matches!(scene.ask(&checks).await, Verdict::Granted(_)))
        .await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn limits_begin_with_what_was_used_in_the_last_minute() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![requests(1, 3)].into();
    scene.governor.policies(ORG, policies(&checks));
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    let ask = Ask {
        org: ORG,
        at: Timestamp::now(),
        caller: &checks,
        routes: &[],
        expected: amount(1),
        counts: false,
    };
    until("the last minute is known", async || {
        granted(scene.governor.admit(&ask).await).standing.requests.unwrap().remaining == 1
    })
    .await;
}

#[tokio::test]
async fn passing_a_threshold_is_told_once() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget_of(1, Some(1000), Some(4_000_000), false)].into();
    scene.governor.in_force(ORG, &policies(&checks));
    for _ in 0..10 {
        scene.use_up(&checks, amount(95)).await;
    }
    let told = scene.told.lock().unwrap();
    let percents: Vec<_> =
        told.iter().map(|one| (one.percent, one.tokens_percent, one.cost_percent)).collect();
    assert_eq!(percents, [(80, Some(85), Some(21)), (90, Some(95), Some(23))]);
    assert_eq!(told[0].used, Amount { tokens: 855, cost: Money(855_000) });
}

/// The percents that were told, in order.
fn told(scene: &Scene) -> Vec<u8> {
    scene.told.lock().unwrap().iter().map(|told| told.percent).collect()
}

#[tokio::test]
async fn one_request_that_passes_several_thresholds_has_each_of_them_told() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget(1, 1000)].into();
    scene.governor.in_force(ORG, &policies(&checks));
    assert!(scene.use_up(&checks, amount(1200)).await);
    assert_eq!(told(&scene), [80, 90, 100]);
}

#[tokio::test]
async fn a_raised_limit_has_its_thresholds_told_again() {
    let scene = Scene::here();
    for (limit, used) in [(100, 100), (300, 170), (300, 30)] {
        let checks: Arc<[Check]> = vec![budget(1, limit)].into();
        scene.governor.in_force(ORG, &policies(&checks));
        assert!(scene.use_up(&checks, amount(used)).await);
    }
    assert_eq!(told(&scene), [80, 90, 100, 80, 90, 100]);
    let limits: Vec<_> = scene.told.lock().unwrap().iter().map(|told| told.limits.tokens).collect();
    assert_eq!(limits[2..4], [Some(100), Some(300)]);
}

#[tokio::test]
async fn a_limit_below_what_is_used_is_told_without_a_request() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget(1, 1000)].into();
    scene.database.keep(scene.ledger, Timestamp::now(), &checks, amount(400));
    scene.database.deliver_all();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    for (limit, percents) in [(450, vec![80]), (300, vec![80, 80, 90, 100])] {
        let policies = policies(&[budget(1, limit)]);
        scene.governor.policies(ORG, policies.clone());
        scene.governor.in_force(ORG, &policies);
        until("it is told", async || told(&scene) == percents).await;
    }
}

/// Requests that fail over between routes of one alias.
pub(super) async fn moves_on_what_routes_share(scene: &Scene) {
    let alias = [requests(1, 3), budget(2, 1000), strict(3, 1000)];
    let [first, second]: [Arc<[Check]>; 2] =
        [Some(requests(4, 3)), None].map(|own| alias.iter().cloned().chain(own).collect());
    let bounds = Some(bound(10, Some(90), 8000));
    for left in [2, 1, 0] {
        let routes = [route(&first, bounds), route(&second, bounds)];
        let mut grant = granted(scene.ask_routes(&none(), &routes, Timestamp::now()).await);
        assert_eq!(grant.standing.requests.unwrap().remaining, left);
        let lease = grant.lease.as_mut().unwrap();
        for next in [&second, &first] {
            match lease.move_to(route(next, bounds)).await {
                Moved::Granted { standing, .. } => {
                    assert_eq!(standing.requests.unwrap().remaining, left, "it is counted once");
                }
                other => panic!("{other:?}"),
            }
        }
        settle(grant, amount(100), None);
    }
    denied(scene.ask_routes(&none(), &[route(&second, bounds)], Timestamp::now()).await);
    // 300 are spent of either budget, and nothing is reserved.
    for (limit, fits) in [(300, false), (301, true)] {
        let verdict = scene.ask(&vec![budget(2, limit), strict(3, limit)].into()).await;
        assert_eq!(matches!(verdict, Verdict::Granted(_)), fits, "{limit}");
    }
}

#[tokio::test]
async fn what_routes_share_counts_a_request_once_that_moves_between_them() {
    moves_on_what_routes_share(&Scene::here()).await;
}

#[tokio::test]
async fn what_an_exhausted_throttle_serves_is_marked_on_whichever_route() {
    let scene = Scene::here();
    let (first, none): (Arc<[Check]>, _) = (vec![throttle(1, 10)].into(), none());
    let routes = [route(&first, None), route(&none, None)];
    let ask = async || granted(scene.ask_routes(&none, &routes, Timestamp::now()).await);
    let grant = ask().await;
    assert_eq!(grant.throttled_by, None);
    settle(grant, amount(10), None);
    let mut grant = ask().await;
    assert_eq!(grant.throttled_by, Some(first[0].counter.policy));
    let moved = grant.lease.as_mut().unwrap().move_to(routes[1]).await;
    assert!(matches!(moved, Moved::Granted { throttled_by: None, .. }), "{moved:?}");
    let moved = grant.lease.as_mut().unwrap().move_to(routes[0]).await;
    assert!(matches!(moved, Moved::Granted { throttled_by: Some(_), .. }), "{moved:?}");
}

#[tokio::test]
async fn what_only_requests_in_flight_leave_no_room_for_is_told_to_come_back_in_a_moment() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![strict(1, 1000)].into();
    let (none, at) = (none(), Timestamp::now());
    let routes = [route(&none, Some(bound(100, Some(500), 8000)))];
    let flying = granted(scene.ask_routes(&checks, &routes, at).await);
    let by = denied(scene.ask_routes(&checks, &routes, at).await).by;
    assert_eq!(by.short.clone().unwrap().left.tokens, 400);
    assert!(by.retry_after <= Duration::from_secs(1), "{by:?}");
    settle(flying, amount(600), None);
    let by = denied(scene.ask_routes(&checks, &routes, at).await).by;
    assert!(by.retry_after > Duration::from_secs(1), "{by:?}");
}

/// A strict budget of 1000, of which 750 are used at last and nobody has room for 200 more.
pub(super) async fn is_told_when_it_refuses(scene: &Scene) {
    let checks: Arc<[Check]> = vec![strict(1, 1000)].into();
    scene.governor.in_force(ORG, &policies(&checks));
    settle(granted(ask_strict(scene, &checks, 500).await), amount(450), None);
    // Less than half is used: it is the request that is large.
    denied(ask_strict(scene, &checks, 600).await);
    let flying = granted(ask_strict(scene, &checks, 400).await);
    // It may fit when the other is through.
    denied(ask_strict(scene, &checks, 100).await);
    assert_eq!(told(scene), [0; 0]);
    settle(flying, amount(300), None);
    for _ in 0..2 {
        denied(ask_strict(scene, &checks, 200).await);
    }
    assert_eq!(told(scene), [100]);
    assert_eq!(scene.told.lock().unwrap()[0].used.tokens, 750);
}

async fn ask_strict(scene: &Scene, checks: &Arc<[Check]>, wanted: u64) -> Verdict {
    let none = none();
    let routes = [route(&none, Some(bound(100, Some(wanted), 8000)))];
    scene.ask_routes(checks, &routes, Timestamp::now()).await
}

#[tokio::test]
async fn a_strict_budget_is_told_to_be_used_up_when_it_refuses_for_the_rest_of_its_period() {
    let scene = Scene::here();
    is_told_when_it_refuses(&scene).await;
    // Its thresholds are told as ever, and its end not again.
    let checks: Arc<[Check]> = vec![strict(1, 1000)].into();
    settle(granted(ask_strict(&scene, &checks, 150).await), amount(250), None);
    assert_eq!(told(&scene), [100, 80, 90]);
    assert_eq!(scene.told.lock().unwrap()[2].tokens_percent, Some(100));
}

#[tokio::test]
async fn what_requests_used_before_is_known_when_their_budget_has_begun() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget(1, 1000)].into();
    scene.database.keep(scene.ledger, Timestamp::now(), &checks, amount(40));
    scene.database.deliver_all();
    let (endpoint, alias) = (Some(Endpoint::ChatCompletions), "fast");
    let expected = || {
        let kind = Kind { org: ORG, alias, endpoint };
        scene.governor.expectations().of(kind, checks.iter()).tokens
    };
    assert_eq!(expected(), 10, "a guess");
    scene.governor.policies(ORG, policies(&checks));
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let _task = tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    until("it is known", async || expected() == 40).await;
}

#[tokio::test]
async fn what_was_served_here_is_known_better_than_by_the_ledger() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![budget(1, 1000)].into();
    scene.database.keep(scene.ledger, Timestamp::now(), &checks, amount(40));
    scene.database.deliver_all();
    let kind = Kind { org: ORG, alias: "fast", endpoint: Some(Endpoint::ChatCompletions) };
    scene.governor.expectations().learn(kind, amount(90));
    scene.governor.policies(ORG, policies(&checks));
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let _task = tokio::spawn(Arc::clone(&scene.governor).run(stopped));
    until("the ledger was asked", async || scene.governor.periods().unmet().is_empty()).await;
    assert_eq!(scene.governor.expectations().of(kind, checks.iter()).tokens, 90);
}
