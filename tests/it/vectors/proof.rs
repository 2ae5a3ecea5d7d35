//! The runner itself: what it cannot find fault with proves nothing.

use serde_json::{Value, json};

use super::{Cut, Played, Vector, judge, play_all};

/// Where expectations stand.
const SECTIONS: [&str; 3] =
    ["expected_upstream_request", "expected_client_response", "expected_client_stream_facts"];

/// Members that nothing can be wrong with: words for people, and the words to them.
const SAID_TO_PEOPLE: [&str; 3] = ["notes", "ignore_events", "preferred"];

/// The same expectation, made wrong; none where any answer fits it.
fn wrong(name: &str, said: &Value) -> Option<Value> {
    match name {
        _ if SAID_TO_PEOPLE.contains(&name) => None,
        // The whole body is always there, and every text holds the empty one.
        "body_absent" | "never_in_content_or_reasoning" => Some(json!([""])),
        // A name that is wrong is absent, which some of these sentences are content with.
        "constraints" => Some(json!(["/none > 1"])),
        // A subset may wholly be what alternatives take the place of.
        "query" | "body_subset" => Some(json!({"none": "such"})),
        "alternatives" if said[0]["pointer"].is_null() => None,
        "alternatives" => {
            let mut wrong = said.clone();
            for one in wrong.as_array_mut()? {
                one["any_of"] = json!(["something else"]);
            }
            Some(wrong)
        }
        _ => {
            let mut wrong = said.clone();
            spoil(&mut wrong).then_some(wrong)
        }
    }
}

/// Changes every scalar; false where there is none.
fn spoil(value: &mut Value) -> bool {
    match value {
        Value::Object(object) => object.values_mut().filter_map(spoiled_too).count() > 0,
        Value::Array(items) => items.iter_mut().filter_map(spoiled_too).count() > 0,
        Value::String(text) => {
            text.push('~');
            true
        }
        Value::Number(number) => {
            *value = json!(number.as_f64().unwrap_or_default() + 1.0);
            true
        }
        Value::Bool(flag) => {
            *flag = !*flag;
            true
        }
        Value::Null => {
            *value = json!("~");
            true
        }
    }
}

fn spoiled_too(value: &mut Value) -> Option<()> {
    spoil(value).then_some(())
}

/// Every way to spoil one scalar of an expectation and leave the others.
fn each_scalar(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(object) => {
            let members = object.iter().flat_map(|(name, one)| {
                each_scalar(one).into_iter().map(move |one| (name.clone(), one))
            });
            members
                .map(|(name, one)| {
                    let mut object = object.clone();
                    object.insert(name, one);
                    Value::Object(object)
                })
                .collect()
        }
        Value::Array(items) => {
            let spoiled = items
                .iter()
                .enumerate()
                .flat_map(|(index, one)| each_scalar(one).into_iter().map(move |one| (index, one)));
            spoiled
                .map(|(index, one)| {
                    let mut items = items.clone();
                    items[index] = one;
                    Value::Array(items)
                })
                .collect()
        }
        scalar => {
            let mut scalar = scalar.clone();
            spoil(&mut scalar);
            vec![scalar]
        }
    }
}

/// Expectations in which every scalar counts for itself.
const EACH_COUNTS: [&str; 8] = [
    "body_subset",
    "headers",
    "blocks",
    "tool_calls",
    "function_calls",
    "usage_subset",
    "flattened_text",
    "json_string_equals",
];

/// Wrong versions of a vector that holds, each with what was made wrong.
fn spoiled(vector: &Vector) -> Vec<(String, Vector)> {
    let mut all = Vec::new();
    for section in SECTIONS {
        for (name, said) in vector.expected(section).into_iter().flatten() {
            let place = format!("/{section}/{}", name.replace('/', "~1"));
            let mut versions: Vec<Value> = wrong(name, said).into_iter().collect();
            // What stands where alternatives do is not compared.
            let has_alternatives =
                vector.expected(section).is_some_and(|all| all.contains_key("alternatives"));
            if EACH_COUNTS.contains(&name.as_str()) && !has_alternatives {
                versions.extend(each_scalar(said));
            }
            for version in versions {
                let what = format!("{place} is {version}");
                all.push((what, vector.saying(&place, version)));
            }
        }
        if vector.expected(section).is_some() {
            let place = format!("/{section}");
            all.push((
                format!("{place} has an unknown rule"),
                vector.adding(&place, "body_like", json!({})),
            ));
        }
    }
    all.push(("an unknown field".to_owned(), vector.adding("", "upstream_trailers", json!({}))));
    all
}

fn unseen(vector: &Vector, played: &Played) -> Vec<String> {
    let all = spoiled(vector);
    let unseen = all.into_iter().filter(|(_, wrong)| judge(wrong, played).is_empty());
    unseen.map(|(what, _)| format!("{}: not seen: {what}", vector.file)).collect()
}

#[tokio::test]
async fn a_wrong_expectation_is_seen() {
    let played = play_all(|_| vec![Cut::AsWritten]).await;
    let right: Vec<_> =
        played.iter().filter(|(vector, _, one)| judge(vector, one).is_empty()).collect();
    assert!(!right.is_empty(), "no vector holds");
    let unseen: Vec<String> =
        right.iter().flat_map(|(vector, _, one)| unseen(vector, one)).collect();
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}
