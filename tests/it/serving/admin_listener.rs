//! `admin.listen`: the admin and user API leave the public port.

use serde_json::Value;

use crate::support::{Admin, Caller, Gateway};

#[tokio::test]
async fn the_admin_api_moves_to_a_listener_of_its_own_and_traffic_stays() {
    let gateway = Gateway::configured().set("admin.listen", "127.0.0.1:0").start().await;
    let lines = gateway.log();
    let spoken = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["message"] == "admin listening")
        .expect("the log names the admin listener");
    let private = spoken["address"].as_str().unwrap().parse().unwrap();
    let token = gateway.token("acme", "admin@acme.test", "admin", &[]);

    let inside = Admin::new(Caller::bearer(private, &token));
    inside.caller.get("/api/llm-gateway/admin/providers").await.has_status(200);
    Caller::nobody(private).get("/healthz").await.has_status(200);

    let outside = gateway.caller(&token);
    outside.get("/api/llm-gateway/admin/providers").await.has_status(404);
    gateway.stranger().get("/healthz").await.has_status(200);
    gateway.stranger().get("/v1/models").await.has_status(401);
    Caller::nobody(private).get("/v1/models").await.has_status(404);
}
