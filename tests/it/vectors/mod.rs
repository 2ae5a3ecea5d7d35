//! Every file of `tests/vectors`: one request, what a vendor must get, what the client must get.
//! What the fields mean is told in `tests/vectors/README.md`.

mod constraints;
mod json;
mod judge;
mod play;
mod proof;
mod rules;
mod setup;
mod stream;
mod vector;

use std::sync::Arc;

use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

use self::{
    judge::judge,
    play::{Cut, Played, play},
    stream::Events,
    vector::Vector,
};
use crate::support::{Gateway, MockCloud};

/// How many vectors are carried out at a time.
const AT_ONCE: usize = 8;

/// A gateway that has Google's metadata server at hand, for vectors about Vertex.
async fn gateway() -> Arc<Gateway> {
    let google = MockCloud::start().await;
    google.says(
        "/computeMetadata/",
        200,
        json!({"access_token": "sk-of-google", "expires_in": 3599, "token_type": "Bearer"}),
    );
    let gateway = Gateway::configured()
        .env("GCE_METADATA_HOST", google.address())
        .env("HOME", "/nonexistent")
        .set("upstream.trusted_hosts", r#"["127.0.0.1"]"#);
    Arc::new(gateway.start().await)
}

/// Carries out each vector with each of its cuts, several at a time; gives them with what happened,
/// in the order of their files.
async fn play_all(cuts: fn(&Vector) -> Vec<Cut>) -> Vec<(Vector, Cut, Played)> {
    let (gateway, turns) = (gateway().await, Arc::new(Semaphore::new(AT_ONCE)));
    let (mut set, mut count) = (JoinSet::new(), 0_usize);
    for vector in Vector::all() {
        for cut in cuts(&vector) {
            let (gateway, turns) = (Arc::clone(&gateway), Arc::clone(&turns));
            let (vector, place) = (vector.clone(), count);
            count += 1;
            set.spawn(async move {
                let _turn = turns.acquire().await.expect("it is never closed");
                let played = play(&gateway, &format!("org-{place}"), &vector, cut).await;
                (place, (vector, cut, played))
            });
        }
    }
    let mut all = set.join_all().await;
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, one)| one).collect()
}

/// Panics with everything that is wrong, vector by vector.
fn all_hold(faults: Vec<(String, Vec<String>)>) {
    let count = faults.len();
    let wrong: Vec<String> = faults
        .into_iter()
        .filter(|(_, faults)| !faults.is_empty())
        .map(|(name, faults)| format!("{name}\n    {}", faults.join("\n    ")))
        .collect();
    assert!(wrong.is_empty(), "{} of {count} fail:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_vector_holds() {
    let played = play_all(|_| vec![Cut::AsWritten]).await;
    all_hold(
        played.iter().map(|(vector, _, one)| (vector.file.clone(), judge(vector, one))).collect(),
    );
}

#[tokio::test]
async fn every_stream_is_the_same_however_it_is_cut() {
    let cuts = |vector: &Vector| {
        let all = [Cut::AsWritten, Cut::Transport, Cut::EveryByte, Cut::NotAtAll];
        if vector.is_streamed() { all.to_vec() } else { Vec::new() }
    };
    let (mut faults, mut as_written) = (Vec::new(), Vec::new());
    for (vector, cut, one) in play_all(cuts).await {
        let mut found = judge(&vector, &one);
        let told = Events::read(&one.answer.body).map(|events| events.lasting());
        if cut == Cut::AsWritten {
            as_written = told.unwrap_or_default();
        } else if found.is_empty() && told.as_ref() != Ok(&as_written) {
            found.push(format!("as written, it was {as_written:#?}\nbut now {told:#?}"));
        }
        faults.push((format!("{} cut {cut:?}", vector.file), found));
    }
    all_hold(faults);
}
