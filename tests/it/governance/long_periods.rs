//! Budgets of long periods count what is older than the records that are kept.

use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, sqlite::SqliteConnectOptions};

use super::{costing, tokens_a_day};
use crate::support::{Gateway, Scene, until};

/// Moves all usage to the first day of this year, and what is kept for the retention only far back.
const AGED: &str = "
    UPDATE usage_records SET ts = 1000000;
    DELETE FROM usage_rollups WHERE width = 1;
    UPDATE usage_rollups SET start = unixepoch('now', 'start of year') * 1000000;
    UPDATE usage_series SET last_start = unixepoch('now', 'start of year') * 1000000;";

#[tokio::test]
async fn a_yearly_budget_that_was_used_up_before_the_retention_stays_used_up() {
    let mut scene =
        Scene::with(Gateway::configured().on_sqlite().set("ledger.retention_days", 1)).await;
    let mut budget = tokens_a_day(100);
    budget["period"] = json!("yearly");
    scene.acme.create("budgets", budget).await;
    scene.openai.always(costing(60, 60));
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(429);
    scene.acme.records(2).await;
    scene.gateway.kill();
    // What is delivered again would come with its own time.
    std::fs::remove_dir_all(scene.gateway.data_dir().join("spool")).unwrap();
    let file = scene.gateway.data_dir().join("turnpike.db");
    let mut database = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    database.execute(AGED).await.unwrap();
    database.close().await.unwrap();
    let gateway = scene.gateway.killed_and_restarted().await;
    let acme = gateway.org("acme");
    until("the records are gone", async || acme.usage().await.is_empty().then_some(())).await;
    gateway.caller(&scene.key.secret).chat("fast").await.has_status(429);
    let status = acme.get("/admin/budgets/status").await.json();
    assert_eq!(status[0]["tokens_used"], 120, "{status}");
}
