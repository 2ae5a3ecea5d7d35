//! What a session may do, and when it ends.

use serde_json::json;

use super::{Browser, browser::org_of};
use crate::support::{Gateway, scan::Canary};

const PROVIDERS: &str = "/api/llm-gateway/admin/providers";
const KEYS: &str = "/api/llm-gateway/user/api-keys";
const COOKIE: &str = "turnpike_session";

#[tokio::test]
async fn a_session_takes_the_place_of_a_token() {
    let gateway = Gateway::start().await;
    let browser = Browser::of(&gateway, "acme", "admin@acme.test", "admin").await;
    browser.visitor().get(PROVIDERS).await.has_status(200);
    let body = json!({"name": "mine"}).to_string();
    let made = browser.caller().post(KEYS, body).await.has_status(200).json();
    let by_token = gateway.token("acme", "admin@acme.test", "admin", &[]);
    let keys = gateway.caller(&by_token).get(KEYS).await.has_status(200).json();
    assert_eq!(keys[0]["id"], made["id"], "the same user");
}

#[tokio::test]
async fn a_change_without_the_sessions_token_is_refused_and_says_so() {
    let gateway = Gateway::start().await;
    let browser = Browser::of(&gateway, "acme", "ann", "admin").await;
    let other = Browser::of(&gateway, "acme", "bob", "admin").await;
    let body = || json!({"name": "forged"}).to_string();
    for token in ["", "wrong", other.csrf.as_deref().unwrap()] {
        let forged = browser.visitor().with("x-turnpike-csrf", token);
        let refused = forged.post(KEYS, body()).await;
        assert!(refused.refusal(403, "Forbidden").contains("x-turnpike-csrf"));
    }
    browser.visitor().post(KEYS, body()).await.refusal(403, "Forbidden");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
    ] {
        let foreign = browser.caller().with(name, value);
        foreign.post(KEYS, body()).await.refusal(403, "Forbidden");
        foreign.ask("POST", "/api/llm-gateway/auth/logout").await.refusal(403, "Forbidden");
    }
    let keys = browser.visitor().get(KEYS).await.has_status(200).json();
    assert_eq!(keys, json!([]), "nothing was made");
    let own = format!("http://{}", gateway.address());
    let page = browser.caller().with("origin", &own).with("sec-fetch-site", "same-origin");
    page.post(KEYS, body()).await.has_status(200);
}

#[tokio::test]
async fn a_token_goes_before_a_session() {
    let gateway = Gateway::start().await;
    let browser = Browser::of(&gateway, "acme", "ann", "admin").await;
    let user = gateway.token("acme", "bob", "user", &[]);
    let both = browser.caller().with("authorization", &format!("Bearer {user}"));
    both.get(PROVIDERS).await.refusal(403, "Forbidden");
    let broken = browser.caller().with("authorization", "Bearer nonsense");
    broken.get(PROVIDERS).await.refusal(401, "Unauthorized");
}

#[tokio::test]
async fn a_session_ends_with_its_sign_out() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::of(&gateway, "acme", "ann", "admin").await;
    let stolen = browser.clone();
    browser.visitor().ask("POST", "/api/llm-gateway/auth/logout").await.refusal(403, "Forbidden");
    browser.session().await.has_status(200);
    assert_eq!(browser.sign_out().await.has_status(200).json(), json!({"ok": true}));
    assert!(!browser.has_cookie(COOKIE), "the browser lets go of it");
    for caller in [stolen.visitor(), stolen.caller()] {
        caller.get(PROVIDERS).await.refusal(401, "Unauthorized");
        caller.get("/v1/models").await.has_status(401);
    }
    browser.sign_out().await.has_status(200);
}

#[tokio::test]
async fn a_role_and_an_organization_bind_a_session_as_they_bind_a_token() {
    let gateway = Gateway::start().await;
    let globex = gateway.org("globex");
    let provider = globex.provider("theirs").await;
    let user = Browser::of(&gateway, "acme", "ann", "user").await;
    user.visitor().get(PROVIDERS).await.refusal(403, "Forbidden");
    user.visitor().get(KEYS).await.has_status(200);

    let admin = Browser::of(&gateway, "acme", "ada", "admin").await;
    let theirs = format!("{PROVIDERS}/{}", provider.id);
    admin.visitor().get(&theirs).await.refusal(404, "NotFound");
    admin.caller().delete(&theirs).await.refusal(404, "NotFound");
    let named = admin.visitor().with("x-turnpike-org", "globex");
    named.get(PROVIDERS).await.refusal(403, "Forbidden");

    let root = Browser::of(&gateway, "acme", "root", "superadmin").await;
    let visiting = root.visitor().with("x-turnpike-org", "globex");
    let listed = visiting.get(PROVIDERS).await.has_status(200).json();
    assert_eq!(listed[0]["id"], provider.id.as_str());
    assert_eq!(org_of(&root).await["name"], "acme", "the session is at home");
}

#[tokio::test]
async fn a_session_outlives_the_process() {
    let gateway = Gateway::start().await;
    let browser = Browser::of(&gateway, "acme", "ann", "admin").await;
    let gateway = gateway.restarted().await;
    let after = browser.cookie(COOKIE).to_owned();
    let caller = gateway.stranger().with("cookie", &format!("{COOKIE}={after}"));
    caller.get(PROVIDERS).await.has_status(200);
    let with_token = caller.with("x-turnpike-csrf", browser.csrf.as_deref().unwrap());
    with_token.post(KEYS, json!({"name": "k"}).to_string()).await.has_status(200);
}

#[tokio::test]
async fn no_secret_of_a_session_is_logged_or_stored() {
    let gateway = Gateway::start().await;
    let path = super::browser::link(&gateway, "acme", "ann", "admin");
    let mut browser = Browser::at(&gateway);
    browser.open(&path).await.has_status(303);
    browser.learn_token().await;
    browser.caller().post(KEYS, json!({"name": "k"}).to_string()).await.has_status(200);
    browser.caller().get("/v1/models").await.has_status(200);
    browser.caller().with("origin", "null").post(KEYS, "{}").await.has_status(403);
    let (_, token) = path.split_once("token=").unwrap();
    let log = gateway.log().join("\n");
    for (name, secret) in [
        ("the cookie", browser.cookie(COOKIE)),
        ("the session's token", browser.csrf.as_deref().unwrap()),
        ("the link", token),
    ] {
        let canary = Canary::new(name, secret.as_bytes());
        canary.is_not_in("the log", log.as_bytes());
        canary.is_not_below(&gateway.data_dir(), &[]);
        if let Some(dump) = gateway.database_dump() {
            canary.is_not_in("the database", dump.as_bytes());
        }
    }
}
