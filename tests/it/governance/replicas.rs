//! Limits hold over all replicas, and while Redis is away.

use std::{
    future::IntoFuture as _,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::json;

use super::{
    costing,
    fleet::{Fleet, passed, sum},
};
use crate::support::{Forwarder, RedisServer, until};

#[tokio::test]
async fn a_limit_of_600_a_minute_admits_600_over_four_replicas() {
    let redis = RedisServer::start().await;
    let fleet = Fleet::patient(&redis.url()).await;
    let limit = json!({"name": "600", "scope_type": "model_alias", "scope_value": "fast",
        "requests_per_minute": 600});
    fleet.policy("rate-limits", limit).await;
    let before = fleet.openai.saw().len();
    assert_eq!(passed(&fleet.ask(1000, 256).await), 600);
    assert_eq!(fleet.openai.saw().len(), before + 600);
}

#[tokio::test]
async fn a_token_budget_overdraws_by_no_more_than_what_is_in_flight() {
    let redis = RedisServer::start().await;
    let fleet = Fleet::patient(&redis.url()).await;
    fleet.openai.always(costing(60, 40));
    // What such requests use is learnt on every replica.
    fleet.ask(240, 8).await;
    let used: u64 = sum(&fleet.acme.records(244).await);
    let budget = json!({"name": "day", "scope_type": "org", "period": "daily",
        "token_limit": used + 20_000, "action_on_exhaust": "block"});
    fleet.policy("budgets", budget).await;
    let answers = fleet.ask(600, 256).await;
    let admitted = passed(&answers);
    assert!((199..=201).contains(&admitted), "{admitted}");
}

#[tokio::test]
async fn strict_budgets_of_tokens_and_of_money_are_never_exceeded_and_used_to_the_last_request() {
    let redis = RedisServer::start().await;
    let fleet = Fleet::patient(&redis.url()).await;
    // A dollar for a token.
    let price = json!({"model_pattern": "gpt-4o", "model_provider": "openai",
        "input_cost_per_million_tokens": 1_000_000, "output_cost_per_million_tokens": 1_000_000});
    fleet.acme.create("model-pricing", price).await;
    fleet.acme.alias("exact", &[(&fleet.provider, "gpt-4o")]).await;
    let body = json!({"model": "exact", "max_completion_tokens": 40,
        "messages": [{"role": "user", "content": "Hi"}]})
    .to_string();
    // As much as such a request may use.
    let input = u64::try_from(body.len()).unwrap();
    let most = input + 40;
    fleet.openai.always(costing(input, 40));
    let burst = async || {
        let ask = |n: usize| fleet.keys[n % 4].post("/v1/chat/completions", body.clone());
        passed(&join_all((0..256).map(|n| ask(n).into_future())).await)
    };
    let budget = |more: serde_json::Value| {
        let mut budget = json!({"name": "exact", "scope_type": "model_alias", "scope_value": "exact",
            "period": "monthly", "strict": true, "action_on_exhaust": "block"});
        budget.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        budget
    };
    let budget_of_tokens = budget(json!({"token_limit": 50 * most + 7}));
    let path = fleet.policy("budgets", budget_of_tokens).await;
    assert_eq!(all_of(&burst).await, 50, "what is reserved and not used is free again");
    fleet.acme.delete(&path).await.has_status(200);

    // Each has cost a dollar for each of its tokens.
    let budget_of_money = budget(json!({"token_limit": 0, "cost_limit": 80 * most + 7}));
    fleet.policy("budgets", budget_of_money).await;
    assert_eq!(all_of(&burst).await, 30);
}

/// How many requests bursts serve, until several in a row serve none: what one has freed, other replicas know a moment
/// later.
async fn all_of(burst: &impl AsyncFn() -> usize) -> usize {
    let (mut served, mut in_vain) = (0, 0);
    while in_vain < 5 {
        let more = burst().await;
        served += more;
        in_vain = if more == 0 { in_vain + 1 } else { 0 };
    }
    served
}

#[tokio::test]
async fn a_raised_limit_is_in_force_on_every_replica_within_a_second() {
    let redis = RedisServer::start().await;
    let fleet = Fleet::patient(&redis.url()).await;
    let limit = json!({"name": "one", "scope_type": "org", "requests_per_minute": 1});
    let first = fleet.policy("rate-limits", limit).await;
    let budget = json!({"name": "little", "scope_type": "org", "period": "daily", "token_limit": 1,
        "action_on_exhaust": "block"});
    let second = fleet.policy("budgets", budget).await;
    fleet.ask(8, 4).await;
    for path in [first, second] {
        fleet.keys[3].chat("fast").await.has_status(429);
        let higher = json!({"requests_per_minute": 1000, "token_limit": 1_000_000});
        fleet.acme.put(&path, higher).await.has_status(200);
    }
    let raised = Instant::now();
    until("the last replica serves", async || {
        (fleet.keys[3].chat("fast").await.status == 200).then_some(())
    })
    .await;
    assert!(raised.elapsed() < Duration::from_secs(1), "{:?}", raised.elapsed());
}

#[tokio::test]
async fn replicas_that_start_while_redis_is_away_hold_no_more_than_their_shares() {
    let redis = RedisServer::start().await;
    let mut fleet = Fleet::new(&redis.url(), "local").await;
    fleet.openai.always(costing(60, 40));
    let limit = json!({"name": "ten", "scope_type": "org", "requests_per_minute": 10});
    fleet.policy("rate-limits", limit).await;
    let budget = json!({"name": "used up", "scope_type": "model_alias", "scope_value": "fast",
        "period": "daily", "token_limit": 1, "action_on_exhaust": "block"});
    fleet.all_are_counted().await;
    fleet.all_is_delivered().await;
    redis.freeze();
    for which in 0..4 {
        fleet.kill_and_restart(which).await;
    }
    for replica in &fleet.replicas {
        assert_eq!(replica.metrics().await.sum("turnpike_replicas", &[]), 4);
    }
    let before = fleet.openai.saw().len();
    let admitted = passed(&fleet.ask(80, 8).await);
    assert!(admitted <= 10, "{admitted}");
    assert_eq!(fleet.openai.saw().len(), before + admitted);
    // And of budgets what the database knows is left.
    let used = sum(&fleet.acme.usage().await);
    assert!(used > 1, "{used}");
    fleet.acme.create("budgets", budget).await;
    for which in 0..4 {
        fleet.kill_and_restart(which).await;
    }
    assert_eq!(passed(&fleet.ask(40, 8).await), 0);
    redis.thaw();
}

#[tokio::test]
async fn what_a_replica_has_used_when_it_ends_is_known_to_the_others_at_once() {
    let redis = RedisServer::start().await;
    let mut fleet = Fleet::patient(&redis.url()).await;
    fleet.openai.always(costing(60, 40));
    let limit = json!({"name": "tokens", "scope_type": "org", "tokens_per_minute": 1000});
    fleet.policy("rate-limits", limit).await;
    let [leaves, stays, ..] = &fleet.keys[..] else { panic!("there are four") };
    let answers = join_all((0..10).map(|_| leaves.chat("fast").into_future())).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    fleet.replicas[0].ask_to_end();
    assert!(fleet.replicas[0].ended().await.success());
    let refused = stays.chat("fast").await;
    assert_eq!((refused.status, refused.header("x-ratelimit-remaining-tokens")), (429, Some("0")));
}

#[tokio::test]
async fn counters_are_right_again_after_redis_forgot_everything() {
    let redis = RedisServer::start().await;
    let fleet = Fleet::patient(&redis.url()).await;
    fleet.openai.always(costing(60, 40));
    let used = sum(&fleet.acme.records(4).await);
    let budget = json!({"name": "day", "scope_type": "org", "period": "daily",
        "token_limit": used + 4000, "action_on_exhaust": "block"});
    fleet.policy("budgets", budget).await;
    assert_eq!(passed(&fleet.ask(20, 4).await), 20);
    redis.flush();
    let flushed = Instant::now();
    let before = fleet.openai.saw().len();
    until("the budget is used up", async || (passed(&fleet.ask(4, 4).await) == 0).then_some(()))
        .await;
    let more = fleet.openai.saw().len() - before;
    // 20 are left; until the database was read again, some pass unseen.
    assert!((19..=80).contains(&more), "{more} after {:?}", flushed.elapsed());
}

#[tokio::test]
async fn a_frozen_redis_costs_one_bounded_wait_and_no_error() {
    let redis = RedisServer::start().await;
    let fleet = Fleet::new(&redis.url(), "local").await;
    let limit = json!({"name": "many", "scope_type": "org", "requests_per_minute": 100_000});
    fleet.policy("rate-limits", limit).await;
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
    redis.freeze();
    for answer in fleet.ask(40, 4).await {
        answer.has_status(200);
    }
    for replica in &fleet.replicas {
        until("the replica says so", async || {
            let ready = replica.readiness().await.has_status(200).json();
            (ready["status"] == "degraded" && ready["checks"]["redis"] == "failing").then_some(())
        })
        .await;
        let metrics = replica.metrics().await;
        assert_eq!(metrics.sum("turnpike_limiter_state", &[("state", "degraded")]), 1);
        assert_eq!(metrics.sum("turnpike_limiter_state", &[]), 1, "and in no other");
        // A busy machine may have kept a replica from its Redis for a moment before: then it came back, too.
        let (away, there) = ("redis is away", "redis is there");
        assert_eq!(
            replica.times_logged(away),
            replica.times_logged(there),
            "a line for each change"
        );
    }
    redis.thaw();
    for replica in &fleet.replicas {
        until("the replica is ready again", async || {
            (replica.readiness().await.json()["status"] == "ready").then_some(())
        })
        .await;
    }
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
}

#[tokio::test]
async fn without_redis_each_replica_enforces_its_share() {
    let mut redis = RedisServer::start().await;
    let fleet = Fleet::new(&redis.url(), "local").await;
    let limit = json!({"name": "four hundred", "scope_type": "org", "requests_per_minute": 400});
    fleet.policy("rate-limits", limit).await;
    fleet.all_are_counted().await;
    let before = fleet.openai.saw().len();
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
    redis.kill();
    assert_eq!(passed(&fleet.ask(800, 16).await), 400 - 8);
    assert_eq!(fleet.openai.saw().len(), before + 400);
    redis.again().await;
    fleet.is_degraded(false).await;
    until("what was used meanwhile counts", async || {
        (passed(&fleet.ask(4, 4).await) == 0).then_some(())
    })
    .await;
    assert_eq!(passed(&fleet.ask(40, 4).await), 0);
}

#[tokio::test]
async fn where_the_operator_wants_it_nothing_limited_passes_without_redis() {
    let mut redis = RedisServer::start().await;
    let fleet = Fleet::new(&redis.url(), "deny").await;
    let limit = json!({"name": "many", "scope_type": "org", "requests_per_minute": 100_000});
    fleet.policy("rate-limits", limit).await;
    redis.kill();
    fleet.is_degraded(true).await;
    let before = fleet.openai.saw().len();
    for answer in fleet.ask(8, 4).await {
        let answer = answer.has_status(503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(answer.openai_error()["message"].as_str().unwrap().contains("redis.on_failure"));
    }
    assert_eq!(fleet.openai.saw().len(), before);
    redis.again().await;
    fleet.is_degraded(false).await;
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
}

#[tokio::test]
async fn a_cluster_of_three_holds_every_limit_of_every_organization() {
    let nodes = RedisServer::cluster().await;
    let url = nodes[0].url().replacen("redis", "redis+cluster", 1);
    let fleet = Fleet::patient(&url).await;
    let mut others = Vec::new();
    for name in ["globex", "initech", "umbrella"] {
        let org = fleet.replicas[0].org(name);
        let provider = org.provider("openai").at(&fleet.openai).model("gpt-4o").await;
        org.alias("fast", &[(&provider, "gpt-4o")]).await;
        let limit = json!({"name": "thirty", "scope_type": "org", "requests_per_minute": 30});
        org.create("rate-limits", limit).await;
        let secret = org.key().await.secret;
        others.push(fleet.replicas.iter().map(|one| one.caller(&secret)).collect::<Vec<_>>());
    }
    let limit = json!({"name": "sixty", "scope_type": "api_key", "requests_per_minute": 60});
    fleet.policy("rate-limits", limit).await;
    assert_eq!(passed(&fleet.ask(200, 40).await), 60);
    for keys in others {
        let asked = (0..80).map(|n| keys[n % keys.len()].chat("fast").into_future());
        assert_eq!(passed(&join_all(asked).await), 30);
    }
}

#[tokio::test]
async fn a_promoted_copy_of_redis_goes_on_where_the_first_one_ended() {
    let mut first = RedisServer::start().await;
    let copy = RedisServer::copy_of(&first).await;
    let road = Forwarder::to(first.port()).await;
    let fleet = Fleet::patient(&format!("redis://127.0.0.1:{}", road.port())).await;
    let limit = json!({"name": "four hundred", "scope_type": "org", "requests_per_minute": 400});
    fleet.policy("rate-limits", limit).await;
    assert_eq!(passed(&fleet.ask(100, 20).await), 100);
    copy.has_all_of(&first).await;
    fleet.all_are_counted().await;
    first.kill();
    fleet.is_degraded(true).await;
    copy.promote();
    road.lead_to(copy.port());
    fleet.is_degraded(false).await;
    fleet.ask(800, 40).await;
    // What a replica admitted on its own meanwhile is told to the copy within milliseconds.
    let admitted = fleet.openai.saw().len();
    assert!((400..=412).contains(&admitted), "{admitted}");
}

/// Nothing reaches Redis after `cut`, and everything after `mend`: no request notices.
async fn a_cut_costs_one_bounded_wait(url: &str, cut: impl FnOnce(), mend: impl FnOnce()) {
    let fleet = Fleet::new(url, "local").await;
    let limit = json!({"name": "many", "scope_type": "org", "requests_per_minute": 100_000});
    fleet.policy("rate-limits", limit).await;
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
    cut();
    for answer in fleet.ask(40, 4).await {
        answer.has_status(200);
    }
    fleet.is_degraded(true).await;
    mend();
    fleet.is_degraded(false).await;
    assert_eq!(passed(&fleet.ask(8, 4).await), 8);
}

#[tokio::test]
async fn bytes_that_are_swallowed_on_the_way_to_redis_cost_one_bounded_wait_and_no_error() {
    let redis = RedisServer::start().await;
    let road = Forwarder::to(redis.port()).await;
    let url = format!("redis://127.0.0.1:{}", road.port());
    a_cut_costs_one_bounded_wait(&url, || road.cut(), || road.lead_to(redis.port())).await;
}

#[tokio::test]
async fn a_cut_network_costs_one_bounded_wait_and_no_error() {
    let Some((redis, island)) = RedisServer::on_an_island().await else {
        eprintln!("not shown: this machine lets nobody have a network of their own");
        return;
    };
    a_cut_costs_one_bounded_wait(&redis.url(), || island.cut_off(), || island.mend()).await;
}

#[tokio::test]
async fn what_other_replicas_have_counted_is_told_where_nobody_is_asked() {
    let redis = RedisServer::start().await;
    let fleet = Fleet::patient(&redis.url()).await;
    let limit = json!({"name": "many", "scope_type": "org", "requests_per_minute": 1000});
    fleet.policy("rate-limits", limit).await;
    for _ in 0..3 {
        fleet.keys[0].chat("fast").await.has_status(200);
    }
    for key in [&fleet.keys[1], &fleet.keys[0]] {
        let served = key.chat("fast").await.has_status(200);
        let left = served.header("x-ratelimit-remaining-requests").unwrap().to_owned();
        let listed = key.get("/v1/models").await.has_status(200);
        assert_eq!(listed.header("x-ratelimit-remaining-requests"), Some(left.as_str()));
    }
}
