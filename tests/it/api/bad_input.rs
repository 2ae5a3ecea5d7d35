//! Bad input is told as such: 400 in the flat shape, naming the field; nothing is changed by it.

use serde_json::{Value, json};

use super::{Estate, Operation, estate::call, mutations::places};
use crate::support::Gateway;

/// The ids of the paths of what the estate owns.
fn id(estate: &Estate, operation: &Operation) -> String {
    if operation.has_id() { estate.id_for(operation) } else { String::new() }
}

fn with_bodies(estate: &Estate) -> impl Iterator<Item = (&Operation, Value)> {
    let bodies = |operation| Some((operation, estate.body(operation, "more")?));
    estate.operations.iter().filter_map(bodies)
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let before = acme.inventory().await;
    let mut faults = Vec::new();
    for (operation, body) in with_bodies(&acme) {
        for place in places(&operation.body) {
            for (why, wrong) in place.wrong() {
                let mutated = place.put(&body, wrong.clone());
                let answer =
                    call(acme.admin(), operation, &id(&acme, operation), Some(&mutated)).await;
                let what = format!("{} {} = {wrong} ({why})", operation.id, place.name());
                if answer.status != 400 {
                    faults.push(format!("{what}: {}", answer.tell()));
                    continue;
                }
                let message = answer.refusal(400, "BadRequest");
                if !message.contains(place.field()) {
                    faults.push(format!("{what} is not named: {message}"));
                }
                if why == "no UUID" && !message.contains("UUID parsing failed") {
                    faults.push(format!("{what}: {message}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(acme.inventory().await, before);
}

#[tokio::test]
async fn a_field_that_is_missing_is_named() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let before = acme.inventory().await;
    let mut missed = 0;
    for (operation, body) in with_bodies(&acme) {
        for place in places(&operation.body).iter().filter(|place| place.required) {
            for without in [place.take(&body), place.put(&body, Value::Null)] {
                let answer =
                    call(acme.admin(), operation, &id(&acme, operation), Some(&without)).await;
                let what = format!("{} without {}", operation.id, place.name());
                assert_eq!(answer.status, 400, "{what}: {}", answer.tell());
                let message = answer.refusal(400, "BadRequest");
                assert!(message.contains(place.field()), "{what}: {message}");
                missed += 1;
            }
        }
    }
    assert!(missed >= 20, "{missed} fields were left out");
    assert_eq!(acme.inventory().await, before);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let before = acme.inventory().await;
    let bodies: [&[u8]; 12] = [
        b"",
        b" ",
        b"{",
        b"}",
        b"[]",
        b"null",
        b"5",
        b"\"name\"",
        b"{\"name\":}",
        b"{} {}",
        b"{\"name\":\"\xff\"}",
        b"{\"name\":\"a\",\"name\":\"b\"",
    ];
    for (operation, _) in with_bodies(&acme) {
        for body in bodies {
            if body.is_empty() && operation.body_is_optional {
                continue;
            }
            let path = operation.at(&id(&acme, operation));
            let answer = acme.admin().ask(&operation.method, &path).json(body.to_vec()).await;
            let what = format!("{} {}", operation.id, String::from_utf8_lossy(body));
            assert_eq!(answer.status, 400, "{what}: {}", answer.tell());
            answer.refusal(400, "BadRequest");
        }
    }
    assert_eq!(acme.inventory().await, before);
}

#[tokio::test]
async fn a_body_of_another_type_or_too_large_is_refused() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let before = acme.inventory().await;
    for (operation, body) in with_bodies(&acme) {
        let ask = || acme.admin().ask(&operation.method, &operation.at(&id(&acme, operation)));
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            let answer = ask().header("content-type", kind).body(body.to_string()).await;
            assert_eq!(answer.status, 415, "{} {kind}: {}", operation.id, answer.tell());
            answer.refusal(415, "UnsupportedMediaType");
        }
        let answer = ask().body(body.to_string()).await;
        assert_eq!(answer.status, 415, "{} without a type: {}", operation.id, answer.tell());
        let mut large = body;
        large["padding"] = json!("x".repeat(9 << 20));
        let answer = ask().json(large.to_string()).await;
        assert_eq!(answer.status, 413, "{}: {}", operation.id, answer.tell());
        answer.refusal(413, "PayloadTooLarge");
    }
    assert_eq!(acme.inventory().await, before);
}

#[tokio::test]
async fn an_id_that_is_no_uuid_is_told_in_the_words_that_clients_look_for() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    for operation in acme.operations.iter().filter(|operation| operation.has_uuid()) {
        let body = acme.body(operation, "more");
        for wrong in ["nope", "0", "00000000-0000-0000-0000-00000000000", "%00", "a%2Fb", "%FF"] {
            let answer = call(acme.admin(), operation, wrong, body.as_ref()).await;
            assert_eq!(answer.status, 400, "{} {wrong}: {}", operation.id, answer.tell());
            let message = answer.refusal(400, "BadRequest");
            assert!(message.contains("UUID parsing failed") || wrong == "%FF", "{message}");
            assert!(message.contains(operation.id_name()) || wrong == "%FF", "{message}");
        }
    }
}

#[tokio::test]
async fn a_query_that_is_wrong_is_named() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let mut asked = 0;
    for operation in acme.operations.iter().filter(|operation| !operation.query.is_empty()) {
        for (name, schema) in &operation.query {
            let mut wrong = Vec::new();
            match (schema["type"].as_str(), schema["format"].as_str()) {
                (Some("integer"), _) => wrong.extend(["x", "1.5", "", "-99999999999999999999"]),
                (_, Some("uuid")) => wrong.extend(["nope", "", "0"]),
                (_, Some("date-time")) => wrong.extend(["yesterday", "", "2026-13-01T00:00:00Z"]),
                _ => {}
            }
            wrong.extend(schema["enum"].as_array().map(|_| "no-such-value"));
            let beyond = schema["maximum"].as_i64().map(|most| (most + 1).to_string());
            wrong.extend(beyond.as_deref());
            for wrong in wrong {
                let path = format!("{}?{name}={wrong}", operation.at(&id(&acme, operation)));
                let answer = acme.admin().ask(&operation.method, &path).await;
                let what = format!("{} ?{name}={wrong}", operation.id);
                assert_eq!(answer.status, 400, "{what}: {}", answer.tell());
                let message = answer.refusal(400, "BadRequest");
                assert!(message.contains(name.as_str()), "{what}: {message}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 20, "{asked} wrong queries were asked");
}
