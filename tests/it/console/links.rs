//! Links that sign someone in, once.

use super::{
    Browser,
    browser::{complaint, cookies_of, link, path_of},
};
use crate::support::Gateway;

const COOKIE: &str = "turnpike_session";

#[tokio::test]
async fn the_link_that_quickstart_prints_signs_in_its_admin_once() {
    let (gateway, banner) = Gateway::configured().quickstart().await;
    let url = banner.split_whitespace().find(|word| word.contains("/auth/link")).unwrap();
    assert!(url.starts_with(&format!("http://{}/", gateway.address())), "{url}");
    let mut browser = Browser::at(&gateway);
    let answer = browser.open(&path_of(url)).await.has_status(303);
    assert_eq!(answer.header("location"), Some("/"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let session = browser.session().await.has_status(200);
    assert_eq!(session.header("cache-control"), Some("no-store"));
    let session = session.json();
    assert_eq!(session["org"]["name"], "default");
    assert_eq!(session["user"]["subject"], "admin");
    assert_eq!(session["role"], "admin");
    for field in ["csrf_token", "expires_at"] {
        assert!(session[field].as_str().unwrap().len() >= 20, "{session}");
    }

    let mut second = Browser::at(&gateway);
    assert_eq!(complaint(&second.open(&path_of(url)).await), "link_used");
    second.session().await.refusal(401, "Unauthorized");
}

#[tokio::test]
async fn a_link_that_is_made_up_or_only_looked_at_signs_nobody_in() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::at(&gateway);
    for path in ["/auth/link", "/auth/link?token=", "/auth/link?token=abc"] {
        complaint(&browser.open(path).await);
        assert!(!browser.has_cookie(COOKIE));
    }
    let path = link(&gateway, "acme", "ann@acme.test", "admin");
    let looked = gateway.stranger().ask("HEAD", &path).await;
    assert!(cookies_of(&looked).is_empty(), "{}", looked.tell());
    browser.open(&path).await;
    assert!(browser.has_cookie(COOKIE), "the link is still good");
}

#[tokio::test]
async fn a_link_signs_in_whom_it_was_made_for() {
    let gateway = Gateway::start().await;
    let browser = Browser::of(&gateway, "acme", "ann@acme.test", "user").await;
    let session = browser.session().await.json();
    assert_eq!(session["user"]["email"], "ann@acme.test");
    assert_eq!(session["org"]["name"], "acme");
    assert_eq!(session["role"], "user");
}

#[tokio::test]
async fn a_cookie_is_for_this_host_alone_and_for_no_script() {
    let gateway = Gateway::start().await;
    let path = link(&gateway, "acme", "ann", "user");
    let answer = gateway.stranger().get(&path).await.has_status(303);
    let cookies = cookies_of(&answer);
    let session = cookies.iter().find(|set| set.starts_with("turnpike_session=")).unwrap();
    let (value, attributes) = session["turnpike_session=".len()..].split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Max-Age=86400");
    let (random, tag) = value.split_once('.').unwrap();
    assert!(random.len() == 43 && random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(tag.len(), 43, "256 bits in base64url");
}

#[tokio::test]
async fn a_cookie_never_travels_in_the_clear_where_there_is_tls() {
    let gateway = Gateway::configured().with_tls().start().await;
    let path = link(&gateway, "acme", "ann", "user");
    let answer = gateway.stranger().over_tls().get(&path).await.has_status(303);
    let cookies = cookies_of(&answer);
    let session = cookies.iter().find(|set| set.contains("turnpike_session=")).unwrap();
    assert!(session.starts_with("__Host-turnpike_session="), "{session}");
    assert!(session.ends_with("; Secure") && session.contains("Path=/;"), "{session}");
    assert!(!session.contains("Domain"), "{session}");

    let proxied = Gateway::configured().set("server.public_url", "https://llm.test").start().await;
    let path = link(&proxied, "acme", "ann", "user");
    let answer = proxied.stranger().get(&path).await.has_status(303);
    assert!(cookies_of(&answer)[0].contains("; Secure"), "{}", answer.tell());
}
