//! Against a database that is in other hands.

use serde_json::json;

use super::*;
use crate::{
    domain::{AlertEvent, OrgId, WebhookId},
    store::{
        DeliveryRow, WebhookRow,
        testing::{on_both, org_with_user, postgres_store, temp_store},
    },
};

on_both! {
    alerts_that_meet_a_busy_database_are_queued_once_it_is_free_in_their_order_and_once,
}

/// An organization with a webhook for everything.
async fn org(store: &Store, name: &str) -> OrgId {
    let (org, _) = org_with_user(store, name).await;
    let row = WebhookRow {
        id: WebhookId::random(),
        org_id: org.id,
        name: "ops".to_owned(),
        url: "https://ops.example/hook".to_owned(),
        events: AlertEvent::ALL.to_vec(),
        enabled: true,
        sealed: vec![1],
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    };
    let mut tx = store.write().await.unwrap();
    tx.insert_webhook(&row).await.unwrap();
    tx.commit().await.unwrap();
    org.id
}

fn alert(org: OrgId, event: AlertEvent, key: &str) -> Alert {
    Alert { org, event, key: key.to_owned(), data: json!({"about": key}) }
}

/// The messages that are queued, oldest first, once there are so many.
async fn queued(store: &Store, count: usize) -> Vec<DeliveryRow> {
    let far = Timestamp::now().after(Duration::from_secs(3600));
    let mut rows = Vec::new();
    let waiting = async {
        while rows.len() < count {
            rows.extend(store.claim_deliveries(far, far.after(LONGEST_PAUSE), 9).await.unwrap());
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("alerts are queued");
    rows.sort_by_key(|row| row.created_at);
    rows
}

async fn alerts_that_meet_a_busy_database_are_queued_once_it_is_free_in_their_order_and_once(
    store: Store,
) {
    let org = org(&store, "acme").await;
    let metrics = Arc::new(Metrics::new().unwrap());
    let alarms = Alarms::start(store.clone(), Arc::clone(&metrics));
    // Nobody gets a connection to write while these are held.
    let held = store.stop_writing().await;
    for (at, key) in [(1, "half"), (2, "whole"), (3, "half")] {
        let event = AlertEvent::BudgetThreshold;
        assert!(alarms.raise(alert(org, event, key), Timestamp(at)), "it is kept");
    }
    // The clock leaps from one attempt to the next.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let none = r#"turnpike_alerts_total{kind="budget_threshold"} 0"#;
    assert!(metrics.encode().contains(none), "what nobody can be told is not counted");
    drop(held);
    tokio::time::advance(LONGEST_PAUSE).await;
    tokio::time::resume();
    assert!(alarms.raise(alert(org, AlertEvent::RouteEjected, "last"), Timestamp(4)));
    let bodies: Vec<serde_json::Value> = queued(&store, 3)
        .await
        .iter()
        .map(|row| serde_json::from_str(&row.body).unwrap())
        .collect();
    let about: Vec<_> = bodies.iter().map(|body| body["data"]["about"].as_str().unwrap()).collect();
    assert_eq!(about, ["half", "whole", "last"]);
    assert_eq!(bodies[0]["timestamp"], "1970-01-01T00:00:00.000001Z", "when it happened");
}

#[tokio::test]
async fn what_the_database_cannot_read_holds_up_nobody_elses_alerts() {
    let (_dir, store) = temp_store().await;
    let (spoilt, well) = (org(&store, "acme").await, org(&store, "beta").await);
    store.spoil_webhooks(spoilt).await;
    let alarms = Alarms::start(store.clone(), Arc::new(Metrics::new().unwrap()));
    assert!(alarms.raise(alert(spoilt, AlertEvent::RouteEjected, "lost"), Timestamp(1)));
    assert!(alarms.raise(alert(well, AlertEvent::RouteEjected, "told"), Timestamp(2)));
    let queued = queued(&store, 1).await;
    assert_eq!(queued.iter().map(|row| row.org_id).collect::<Vec<_>>(), [well]);
}
