//! Files that a client names by URL, for vendors that want their bytes.

use serde_json::{Value, json};

use super::vendor::{Kind, Vendor};
use crate::support::{
    Answer, Caller, Gateway, GatewayBuilder, MockVendor, Org, Reply, mock::Faces,
};

/// What the server of files has: as far as anybody looks, a picture.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
/// How it begins in base64.
const PNG: &str = "iVBORw0KGgo";

/// The organization, two vendors that take no URLs, and a server of files.
struct Scene {
    /// Holds the process.
    _gateway: Gateway,
    acme: Org,
    gemini: Vendor,
    bedrock: Vendor,
    files: MockVendor,
    key: Caller,
}

/// Files may be fetched from this machine.
fn with_files_here() -> GatewayBuilder {
    Gateway::configured().set("upstream.allow_addresses", r#"["127.0.0.1/32","::1/128"]"#)
}

impl Scene {
    async fn on(builder: GatewayBuilder) -> Self {
        let gateway = builder.start().await;
        let acme = gateway.org("acme");
        let gemini = Vendor::of(&acme, Kind::Gemini).await;
        let bedrock = Vendor::of(&acme, Kind::Bedrock).await;
        for vendor in [&gemini, &bedrock] {
            acme.alias(vendor.kind.name(), &[vendor.route()]).await;
        }
        acme.alias("both", &[gemini.route(), bedrock.route()]).await;
        let files = MockVendor::facing(Faces::Tls).await;
        files.answers_probes(Reply::says(PICTURE).header("content-type", "image/png"));
        let key = acme.key().await;
        Self { _gateway: gateway, acme, gemini, bedrock, files, key }
    }

    async fn asks_about(&self, model: &str, url: &str) -> Answer {
        let body = json!({"model": model, "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]}]});
        self.key.post("/v1/chat/completions", body.to_string()).await
    }

    fn url(&self) -> String {
        format!("{}/pixel.png", self.files.url())
    }

    /// Asserts that the request is refused before any vendor sees it; gives the message.
    async fn refuses(&self, model: &str, url: &str) -> String {
        let answer = self.asks_about(model, url).await;
        assert_eq!(answer.status, 400, "{url}: {}", answer.tell());
        self.gemini.mock.saw_nothing();
        self.bedrock.mock.saw_nothing();
        answer.openai_error()["message"].as_str().unwrap().to_owned()
    }
}

fn picture(vendor: &Vendor) -> Value {
    let body = vendor.mock.saw().pop().expect("it was asked").json();
    match vendor.kind {
        Kind::Gemini => body["contents"][0]["parts"][1]["inlineData"].clone(),
        _ => body["messages"][0]["content"][1]["image"].clone(),
    }
}

#[tokio::test]
async fn a_picture_is_fetched_and_sent_along() {
    let scene = Scene::on(with_files_here()).await;
    let url = scene.url();
    scene.asks_about("gemini", &url).await.has_status(200);
    let sent = picture(&scene.gemini);
    assert_eq!(sent["mimeType"], "image/png", "{sent}");
    assert!(sent["data"].as_str().unwrap().starts_with(PNG), "{sent}");
    scene.asks_about("bedrock", &url).await.has_status(200);
    let sent = picture(&scene.bedrock);
    assert_eq!(sent["format"], "png", "{sent}");
    assert!(sent["source"]["bytes"].as_str().unwrap().starts_with(PNG), "{sent}");
    let fetched = scene.files.probes();
    assert_eq!(fetched.len(), 2, "once for each request");
    assert_eq!(fetched[0].path, "/pixel.png");
    assert_eq!(fetched[0].header("authorization"), None, "nobody's key goes there");
}

#[tokio::test]
async fn it_is_fetched_once_although_two_routes_are_tried() {
    let scene = Scene::on(with_files_here()).await;
    scene.gemini.mock.always(Reply::status(500));
    scene.asks_about("both", &scene.url()).await.has_status(200);
    assert_eq!((scene.gemini.mock.saw().len(), scene.bedrock.mock.saw().len()), (1, 1));
    assert!(picture(&scene.bedrock)["source"]["bytes"].as_str().unwrap().starts_with(PNG));
    assert_eq!(scene.files.probes().len(), 1);
}

#[tokio::test]
async fn a_vendor_that_takes_urls_gets_the_url() {
    let scene = Scene::on(with_files_here()).await;
    let openai = Vendor::of(&scene.acme, Kind::OpenAi).await;
    let anthropic = Vendor::of(&scene.acme, Kind::Anthropic).await;
    for vendor in [&openai, &anthropic] {
        scene.acme.alias(vendor.kind.name(), &[vendor.route()]).await;
        scene.asks_about(vendor.kind.name(), &scene.url()).await.has_status(200);
        assert!(vendor.mock.saw_one().text().contains(&scene.url()), "{:?}", vendor.kind);
    }
    assert_eq!(scene.files.connections(), 0);
}

#[tokio::test]
async fn private_addresses_and_plain_http_are_refused_by_name_and_not_fetched() {
    let scene = Scene::on(Gateway::configured()).await;
    let port = scene.files.address().port();
    for host in ["localhost", "127.0.0.1", "[::1]", "0.0.0.0", "2130706433", "10.0.0.1"] {
        let message = scene.refuses("both", &format!("https://{host}:{port}/pixel.png")).await;
        assert!(message.contains("deny_addresses"), "{host}: {message}");
        assert!(message.contains("data URL"), "the remedy is told: {message}");
    }
    let message = scene.refuses("both", &format!("http://localhost:{port}/pixel.png")).await;
    assert!(message.contains("not https"), "{message}");
    assert_eq!(scene.files.connections(), 0);
}

#[tokio::test]
async fn nothing_is_fetched_where_fetching_is_off() {
    let scene = Scene::on(with_files_here().set("media.fetch", "off")).await;
    let message = scene.refuses("both", &scene.url()).await;
    assert!(message.contains("media.fetch"), "{message}");
    assert_eq!(scene.files.connections(), 0);
}

#[tokio::test]
async fn a_file_that_is_too_large_missing_or_elsewhere_is_refused() {
    let scene = Scene::on(with_files_here()).await;
    let huge = vec![0_u8; 20 * 1024 * 1024 + 1];
    let elsewhere = scene.url().replace("pixel", "other");
    for (reply, words) in [
        (Reply::says(huge).header("content-type", "image/png"), "larger than"),
        (Reply::status(404), "404"),
        (Reply::status_with(302, "").header("location", &elsewhere), "302"),
    ] {
        scene.files.answers_probes(reply);
        let message = scene.refuses("gemini", &scene.url()).await;
        assert!(message.contains(words), "{words}: {message}");
        assert!(!message.contains("localhost"), "no address is repeated: {message}");
    }
    assert!(scene.files.probes().iter().all(|call| call.path == "/pixel.png"));
}
