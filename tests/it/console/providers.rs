//! Signing in at an identity provider: authorization code, PKCE, state, nonce.

use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{Browser, browser::complaint};
use crate::{
    identity::IdScene,
    support::{
        Answer, Caller,
        oidc::{CLIENT_ID, CLIENT_SECRET},
        scan::Canary,
    },
};

async fn scene() -> IdScene {
    scene_with(json!({})).await
}

async fn scene_with(more: Value) -> IdScene {
    let mut client = json!({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET});
    client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    IdScene::with(client).await
}

/// Where the console says that one can sign in.
async fn login_url(scene: &IdScene) -> String {
    let path = "/api/llm-gateway/auth/issuers";
    let issuers = scene.gateway.stranger().get(path).await.has_status(200).json();
    assert_eq!(issuers.as_array().map(Vec::len), Some(1), "{issuers}");
    assert!(scene.provider.issuer().ends_with(issuers[0]["name"].as_str().unwrap()));
    issuers[0]["login_url"].as_str().unwrap().to_owned()
}

/// Goes to the provider and comes back with what it says: the path of the callback.
async fn visit(scene: &IdScene, to_provider: &Answer) -> String {
    let url = Url::parse(to_provider.header("location").unwrap()).unwrap();
    let provider = Caller::nobody(scene.provider.address());
    let path = format!("{}?{}", url.path(), url.query().unwrap());
    let back = provider.get(&path).await.has_status(302);
    let back = Url::parse(back.header("location").unwrap()).unwrap();
    assert_eq!(back.authority(), scene.gateway.address().to_string());
    assert_eq!(back.path(), "/auth/callback");
    format!("{}?{}", back.path(), back.query().unwrap())
}

/// Signs in from beginning to end; what the callback answers.
async fn sign_in(scene: &IdScene, browser: &mut Browser, more: &str) -> Answer {
    let url = format!("{}{more}", login_url(scene).await);
    let gone = browser.open(&url).await.has_status(303);
    let back = visit(scene, &gone).await;
    browser.open(&back).await
}

#[tokio::test]
async fn whoever_signs_in_at_the_provider_is_who_their_tokens_say() {
    let scene = scene().await;
    let mut browser = Browser::at(&scene.gateway);
    let done = sign_in(&scene, &mut browser, "&return_to=/reporting/usage%3Fby%3Dday").await;
    assert_eq!(done.header("location"), Some("/reporting/usage?by=day"), "{}", done.tell());
    let session = browser.session().await.has_status(200).json();
    assert_eq!(session["user"]["subject"], "9c0b6c1e-ann");
    assert_eq!(session["user"]["email"], "ann@acme.test");
    assert_eq!(session["org"]["name"], "acme");
    assert_eq!(session["role"], "admin");
    let token = scene.provider.token().sign();
    let entry = scene.entry(&token, "9c0b6c1e-ann").await;
    assert_eq!(entry["id"], session["user"]["id"], "the same user as by token");
    assert_eq!(entry["groups"], json!(["research", "research/llm"]));
    assert!(!browser.has_cookie("turnpike_sign_in"), "the attempt is over");
}

#[tokio::test]
async fn a_role_is_what_the_issuer_may_give_and_what_it_gives_now() {
    let scene = scene_with(json!({"max_role": "user"})).await;
    let mut browser = Browser::at(&scene.gateway);
    sign_in(&scene, &mut browser, "").await;
    assert_eq!(browser.session().await.json()["role"], "user");

    let scene = self::scene().await;
    let mut browser = Browser::at(&scene.gateway);
    sign_in(&scene, &mut browser, "").await;
    scene.provider.says("realm_access", json!({"roles": ["user"]}));
    assert_eq!(browser.session().await.json()["role"], "admin", "until the next sign-in");
    sign_in(&scene, &mut browser, "").await;
    assert_eq!(browser.session().await.json()["role"], "user");
}

#[tokio::test]
async fn an_answer_to_another_browser_or_question_is_refused() {
    let scene = scene().await;
    let (mut ann, mut eve) = (Browser::at(&scene.gateway), Browser::at(&scene.gateway));
    let login = login_url(&scene).await;
    let (of_ann, of_eve) = (ann.open(&login).await, eve.open(&login).await);
    let (to_ann, to_eve) = (visit(&scene, &of_ann).await, visit(&scene, &of_eve).await);
    // Eve's code in ann's browser would sign ann in as eve.
    assert_eq!(complaint(&ann.clone().open(&to_eve).await), "expired");
    let stranger = Browser::at(&scene.gateway).open(&to_ann).await;
    assert_eq!(complaint(&stranger), "expired");
    let code = to_ann.split('&').next().unwrap();
    complaint(&ann.clone().open(code).await);
    complaint(&ann.clone().open(&format!("{code}&state=guessed")).await);
    let other_issuer = format!("{to_ann}&iss=https%3A%2F%2Fevil.test");
    complaint(&ann.clone().open(&other_issuer).await);
    let denied = state_only(&to_ann, "access_denied");
    assert_eq!(complaint(&ann.clone().open(&denied).await), "refused");
    let done = ann.open(&to_ann).await;
    assert_eq!(done.header("location"), Some("/"), "{}", done.tell());
    let again = Browser::clone(&ann).open(&to_ann).await;
    complaint(&again);
}

/// The callback with an error in place of the code.
fn state_only(callback: &str, error: &str) -> String {
    let (path, query) = callback.split_once('?').unwrap();
    let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
    format!("{path}?error={error}&state={}", state.unwrap().1)
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_the_verifier_of_its_browser() {
    let scene = scene().await;
    let (mut ann, mut eve) = (Browser::at(&scene.gateway), Browser::at(&scene.gateway));
    let login = login_url(&scene).await;
    let (of_ann, of_eve) = (ann.open(&login).await, eve.open(&login).await);
    let to_ann = visit(&scene, &of_ann).await;
    let stolen = to_ann.split('&').next().unwrap().to_owned();
    let to_eve = visit(&scene, &of_eve).await;
    let state = to_eve.split('&').nth(1).unwrap();
    let refused = eve.open(&format!("{stolen}&{state}")).await;
    assert_eq!(complaint(&refused), "token_refused");
    eve.session().await.has_status(401);
}

#[tokio::test]
async fn a_token_that_is_not_the_answer_signs_nobody_in() {
    for (claim, value) in [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("aud", json!("https://turnpike.test")),
        ("azp", json!("another-client")),
        ("iss", json!("https://evil.test")),
        ("exp", json!(1)),
        ("organization", json!({"globex": {}})),
        ("sub", Value::Null),
    ] {
        let scene = scene().await;
        scene.provider.says(claim, value.clone());
        let mut browser = Browser::at(&scene.gateway);
        complaint(&sign_in(&scene, &mut browser, "").await);
        let session = browser.session().await;
        assert_eq!(session.status, 401, "{claim} = {value}: {}", session.tell());
    }
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_afterwards() {
    let scene = scene().await;
    for path in ["//evil.test", "https%3A%2F%2Fevil.test", "%2F%5Cevil.test", "evil"] {
        let mut browser = Browser::at(&scene.gateway);
        let done = sign_in(&scene, &mut browser, &format!("&return_to={path}")).await;
        assert_eq!(done.header("location"), Some("/"), "{path}");
    }
}

#[tokio::test]
async fn a_provider_without_a_client_or_out_of_reach_is_told_as_such() {
    let scene = IdScene::new().await;
    let path = "/api/llm-gateway/auth/issuers";
    assert_eq!(scene.gateway.stranger().get(path).await.json(), json!([]));
    let issuer: String =
        form_urlencoded::byte_serialize(scene.provider.issuer().as_bytes()).collect();
    let login = format!("/auth/login?issuer={issuer}");
    let refused = Browser::at(&scene.gateway).open(&login).await;
    assert_eq!(complaint(&refused), "no_provider");

    let scene = self::scene().await;
    scene.provider.answer(500);
    let refused = Browser::at(&scene.gateway).open(&login_url(&scene).await).await;
    assert_eq!(complaint(&refused), "provider_unreachable");
}

#[tokio::test]
async fn an_issuer_that_is_not_trusted_any_more_ends_its_sessions() {
    let scene = scene().await;
    let mut browser = Browser::at(&scene.gateway);
    sign_in(&scene, &mut browser, "").await;
    browser.session().await.has_status(200);
    let gateway = scene.gateway.reconfigured("auth.issuers", "[]").await;
    let cookie = format!("turnpike_session={}", browser.cookie("turnpike_session"));
    let caller = gateway.stranger().with("cookie", &cookie);
    caller.get("/api/llm-gateway/auth/session").await.has_status(401);
    caller.get("/api/llm-gateway/user/api-keys").await.has_status(401);
    caller.get("/v1/models").await.has_status(401);
}

#[tokio::test]
async fn the_clients_secret_is_the_providers_to_see_alone() {
    let scene = scene().await;
    let mut browser = Browser::at(&scene.gateway);
    let done = sign_in(&scene, &mut browser, "").await;
    let canary = Canary::new("the client's secret", CLIENT_SECRET.as_bytes());
    canary.is_not_in("the log", scene.gateway.log().join("\n").as_bytes());
    canary.is_not_in("the answer", done.tell().as_bytes());
}
