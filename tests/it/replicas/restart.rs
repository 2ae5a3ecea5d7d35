//! The database is restarted: every pooled connection is stale, and nobody notices.

use super::fleet::Fleet;
use crate::support::{Admin, PostgresServer};

#[tokio::test]
async fn stale_connections_cost_no_call() {
    let server = PostgresServer::start_safe();
    let fleet = Fleet::on(&server, "").await;
    for round in 0..3 {
        // Several connections of each pool are open.
        futures_util::future::join_all((0..30).map(|n| {
            let caller = fleet.replicas[n % 3].caller(&fleet.acme.admin.caller.secret);
            async move { Admin::new(caller).get("/admin/providers").await.has_status(200) }
        }))
        .await;
        server.stop();
        server.start_again();
        for number in 0..3 {
            let admin = Admin::new(fleet.replicas[number].caller(&fleet.acme.admin.caller.secret));
            for _ in 0..10 {
                admin.get("/admin/providers").await.has_status(200);
                admin.get("/admin/usage").await.has_status(200);
            }
            let body = serde_json::json!({"name": format!("key {round} {number}")});
            let made = admin.create("api-keys", body).await;
            for caller in fleet.callers(made["key"].as_str().unwrap()) {
                caller.chat("fast").await.has_status(200);
            }
        }
    }
}
