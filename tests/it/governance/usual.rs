//! What requests usually use: it is known after a restart, and a guess about those that were never met takes but
//! a small part of a budget.

use std::time::Duration;

use futures_util::future::join_all;

use super::{costing, tokens_a_day};
use crate::support::{Caller, Scene};

/// Callers who go on until they are refused; how many requests were served.
async fn served_until_refused(key: &Caller, callers: usize) -> usize {
    let one = async || {
        let mut served = 0;
        while key.chat("fast").await.status == 200 {
            served += 1;
        }
        served
    };
    join_all((0..callers).map(|_| one())).await.into_iter().sum()
}

async fn passed(key: &Caller, requests: usize) -> usize {
    let answers = join_all((0..requests).map(|_| async { key.chat("fast").await })).await;
    answers.iter().filter(|answer| answer.status == 200).count()
}

/// A gateway that was killed after twenty requests of 100 tokens, and knows a budget of `limit` more.
async fn restarted_with(limit: u64) -> (Scene, Caller) {
    let mut scene = Scene::new().await;
    scene.openai.always(costing(60, 40).after(Duration::from_millis(20)));
    for _ in 0..20 {
        scene.key.chat("fast").await.has_status(200);
    }
    scene.acme.create("budgets", tokens_a_day(20 * 100 + limit)).await;
    scene.gateway = scene.gateway.killed_and_restarted().await;
    let key = scene.gateway.caller(&scene.key.secret);
    (scene, key)
}

#[tokio::test]
async fn after_a_restart_a_small_budget_serves_all_of_itself_to_many_at_once() {
    let (_scene, key) = restarted_with(5_000).await;
    let served = served_until_refused(&key, 16).await;
    // 16 guesses of 1000 tokens would have refused before the first was answered.
    assert!((50..=50 + 16).contains(&served), "{served} of 50");
}

#[tokio::test]
async fn after_a_restart_a_burst_overdraws_by_no_more_than_is_in_flight() {
    let (scene, key) = restarted_with(1_000).await;
    let passed = passed(&key, 64).await;
    assert!((10..=11).contains(&passed), "{passed}");
    assert_eq!(scene.openai.saw().len(), 20 + passed);
}

#[tokio::test]
async fn a_first_burst_is_served_as_long_as_a_small_budget_has_something_left() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", tokens_a_day(500)).await;
    scene.openai.always(costing(6, 4).after(Duration::from_millis(50)));
    assert_eq!(passed(&scene.key, 32).await, 32, "of 320 tokens in a budget of 500");
    // What such requests use is known by now: what is left is served to the last token.
    let served = served_until_refused(&scene.key, 4).await;
    assert!((18..=18 + 4).contains(&served), "{served}");
}
