//! The API's description is one: served, printed and kept in the repository.

use crate::support::Gateway;

#[tokio::test]
async fn what_is_served_printed_and_kept_is_the_same() {
    let builder = Gateway::configured();
    let printed = builder.command().arg("openapi").output().unwrap();
    assert!(printed.status.success());
    let printed = String::from_utf8(printed.stdout).unwrap();
    let gateway = builder.start().await;
    let served = gateway.stranger().get("/api/llm-gateway/openapi.json").await.has_status(200);
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert_eq!(printed.trim_end(), served.text());
    assert_eq!(printed, include_str!("../../../docs/openapi.json"));
}
