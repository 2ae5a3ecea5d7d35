//! Whose counters a process holds.

use std::{collections::HashSet, sync::Arc};

use super::scene::{ORG, Scene, amount, denied, granted, requests, settle, tokens};
use crate::{
    domain::{OrgId, Timestamp},
    govern::Check,
};

#[tokio::test]
async fn a_counter_is_held_from_the_moment_in_which_a_request_is_under_way() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![requests(1, 1), requests(2, 5)].into();
    let limits = |limits: &[usize]| -> HashSet<_> {
        limits.iter().map(|at| checks[*at].counter.policy).collect()
    };
    assert!(scene.governor.held(ORG, &limits(&[0, 1])).is_empty());
    let _under_way = granted(scene.ask(&checks).await);
    denied(scene.ask(&checks).await);
    assert_eq!(scene.governor.held(ORG, &limits(&[0, 1])).len(), 2);
    assert_eq!(scene.governor.held(ORG, &limits(&[1])), [checks[1].counter.clone()]);
    assert!(scene.governor.held(OrgId::random(), &limits(&[0, 1])).is_empty());
}

#[tokio::test]
async fn tokens_are_held_from_their_settlement_however_long_ago_the_request_came() {
    let scene = Scene::here();
    let checks: Arc<[Check]> = vec![tokens(1, 1000)].into();
    let limits = HashSet::from([checks[0].counter.policy]);
    let long_ago = Timestamp(Timestamp::now().0 - 120_000_000);
    let grant = granted(scene.ask_at(&checks, long_ago).await);
    assert!(scene.governor.held(ORG, &limits).is_empty());
    settle(grant, amount(10), None);
    assert_eq!(scene.governor.held(ORG, &limits), [checks[0].counter.clone()]);
}
