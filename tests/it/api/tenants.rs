//! What belongs to one organization does not exist for another, whatever operation is asked: its ids
//! are answered as ids that nothing has, to the byte.

use serde_json::json;
use uuid::Uuid;

use super::{
    Estate,
    estate::call,
    mutations::{Place, places},
};
use crate::support::{Answer, Gateway};

/// What the asker gets to see, apart from what is new on every answer.
fn shown(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers =
        answer.headers.0.iter().filter(|(name, _)| name != "date" && name != "x-request-id");
    (answer.status, headers.cloned().collect(), answer.text().to_owned())
}

#[tokio::test]
async fn an_id_of_another_organization_in_the_path_is_as_one_that_nothing_has() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let globex = Estate::of(&gateway, "globex").await;
    let before = acme.inventory().await;
    let mut asked = 0;
    for operation in acme.operations.iter().filter(|operation| operation.has_uuid()) {
        let body = globex.body(operation, "stolen");
        let foreign = call(globex.admin(), operation, &acme.id_for(operation), body.as_ref()).await;
        let nothing = Uuid::new_v4().to_string();
        let unknown = call(globex.admin(), operation, &nothing, body.as_ref()).await;
        assert_eq!(shown(&foreign), shown(&unknown), "{}", operation.id);
        foreign.refusal(404, "NotFound");
        asked += 1;
    }
    assert!(asked >= 12, "{asked} operations have an id in their path");
    assert_eq!(acme.inventory().await, before, "nothing of acme's has changed");
}

#[tokio::test]
async fn an_id_of_another_organization_in_a_body_is_as_one_that_nothing_has() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let globex = Estate::of(&gateway, "globex").await;
    let before = acme.inventory().await;
    let mut asked = 0;
    for operation in globex.operations.iter().filter(|operation| operation.takes_body()) {
        let body = globex.body(operation, "stolen").expect("a body");
        let id = if operation.has_id() { globex.id_for(operation) } else { String::new() };
        let places = places(&operation.body).into_iter().filter(Place::is_uuid);
        for place in places.chain(Place::of_uuids_in(&body)) {
            let nothing = place.put(&body, json!(Uuid::new_v4()));
            let unknown = call(globex.admin(), operation, &id, Some(&nothing)).await;
            for foreign in acme.ids() {
                let stolen = place.put(&body, json!(foreign));
                let foreign = call(globex.admin(), operation, &id, Some(&stolen)).await;
                let what = format!("{} {}", operation.id, place.name());
                if unknown.status == 200 {
                    // Kept as any text is: it selects nothing here, and says nothing of there.
                    assert_eq!(foreign.status, 200, "{what}: {}", foreign.tell());
                } else {
                    assert_eq!(shown(&foreign), shown(&unknown), "{what}");
                }
            }
            asked += 1;
        }
    }
    assert!(asked >= 6, "{asked} fields hold ids");
    assert_eq!(acme.inventory().await, before, "nothing of acme's has changed");
}

#[tokio::test]
async fn an_id_of_another_organization_in_a_query_is_as_one_that_nothing_has() {
    let gateway = Gateway::start().await;
    let acme = Estate::of(&gateway, "acme").await;
    let globex = gateway.org("globex");
    for operation in acme.operations.iter().filter(|operation| !operation.query.is_empty()) {
        for (name, _) in &operation.query {
            let ask = async |value: &str| {
                let path = format!("{}?{name}={value}", operation.at(""));
                let (status, headers, body) = shown(&globex.admin.caller.get(&path).await);
                // A refusal may repeat what was sent.
                (status, headers, body.replace(value, "what was sent"))
            };
            let unknown = ask(&Uuid::new_v4().to_string()).await;
            for foreign in acme.ids() {
                assert_eq!(ask(&foreign).await, unknown, "{}?{name}", operation.id);
            }
        }
    }
}
