//! The console's files and pages.

use crate::support::{Answer, Caller, Gateway};

/// What the page loads from its own host.
fn assets_of(page: &Answer) -> Vec<String> {
    let parts = page.text().split('"');
    parts.filter(|part| part.starts_with("/assets/")).map(str::to_owned).collect()
}

#[track_caller]
fn is_guarded(answer: &Answer) {
    let policy = answer.header("content-security-policy").unwrap();
    for part in ["default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn every_path_that_nothing_else_answers_opens_the_console() {
    let gateway = Gateway::start().await;
    let stranger = gateway.stranger();
    let page = stranger.get("/").await.has_status(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    is_guarded(&page);
    for path in ["/reporting/usage?by=day", "/controls/budgets/new", "/index.html"] {
        let deep = stranger.get(path).await.has_status(200);
        assert_eq!(deep.body, page.body, "{path}");
        is_guarded(&deep);
    }
    let head = stranger.ask("HEAD", "/reporting/usage").await.has_status(200);
    assert!(head.header("content-length").is_some());
}

#[tokio::test]
async fn a_page_that_a_browser_has_is_not_sent_again() {
    let gateway = Gateway::start().await;
    let stranger = gateway.stranger();
    let tag = stranger.get("/").await.header("etag").expect("an ETag").to_owned();
    let mut wire = stranger.connect().await;
    let again = stranger.get("/").header("if-none-match", &tag).on(&mut wire).await;
    assert_eq!((again.status, again.body.len()), (304, 0), "{}", again.tell());
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    stranger.get("/healthz").on(&mut wire).await.has_status(200);
}

#[tokio::test]
async fn what_its_name_identifies_is_kept_for_ever_and_travels_compressed() {
    let gateway = Gateway::start().await;
    let stranger = gateway.stranger();
    for path in assets_of(&stranger.get("/").await) {
        let plain = stranger.get(&path).await.has_status(200);
        assert_eq!(plain.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(plain.header("content-encoding"), None);
        is_guarded(&plain);
        let small = stranger.get(&path).header("accept-encoding", "gzip, br").await.has_status(200);
        if small.header("content-encoding") == Some("br") {
            assert!(small.body.len() < plain.body.len(), "{path}");
        }
        assert_eq!(small.header("vary"), Some("accept-encoding"));
    }
}

#[tokio::test]
async fn what_is_missing_of_the_apis_and_files_is_told_as_json() {
    let gateway = Gateway::start().await;
    let stranger = gateway.stranger();
    for path in ["/api/llm-gateway/nowhere", "/api/x", "/auth/nowhere", "/assets/gone-Ab12.js"] {
        stranger.get(path).await.refusal(404, "NotFound");
    }
    stranger.get("/v1/nowhere").await.has_status(401).openai_error();
    for method in ["POST", "PUT", "DELETE"] {
        stranger.ask(method, "/reporting/usage").await.refusal(404, "NotFound");
    }
    for path in ["/healthz", "/readyz"] {
        let answer = stranger.get(path).await.has_status(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn the_console_leaves_the_public_port_with_the_administration() {
    let gateway = Gateway::configured().set("admin.listen", "127.0.0.1:0").start().await;
    let spoken = gateway.log().into_iter().find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line).ok()?;
        (line["message"] == "admin listening").then(|| line["address"].as_str().unwrap().parse())
    });
    let private = Caller::nobody(spoken.unwrap().unwrap());
    is_guarded(&private.get("/reporting/usage").await.has_status(200));
    gateway.stranger().get("/").await.refusal(404, "NotFound");
    gateway.stranger().get("/auth/link?token=x").await.refusal(404, "NotFound");

    let path = super::browser::link(&gateway, "acme", "ann", "admin");
    let answer = private.get(&path).await.has_status(303);
    let set = super::browser::cookies_of(&answer)[0].split(';').next().unwrap().to_owned();
    let here = private.with("cookie", &set);
    let session = here.get("/api/llm-gateway/auth/session").await.has_status(200).json();
    let runtime = format!("http://{}/api/llm-gateway", gateway.address());
    assert_eq!(session["gateway_url"], runtime.as_str());
    // Cookies know no ports.
    gateway.stranger().with("cookie", &set).get("/v1/models").await.has_status(401);
}
