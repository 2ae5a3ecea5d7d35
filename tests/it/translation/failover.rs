//! The next route may speak another dialect: the same request is translated anew.

use serde_json::{Value, json};

use super::{
    client::Client,
    vendor::{Kind, Vendor},
};
use crate::support::{Answer, Gateway, MockVendor, Org, Reply};

/// Google's answer to a key that is not valid.
const REFUSED_KEY: &str = r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.",
    "status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",
    "reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#;

/// Asserts that `second` answered `client` after `first` had failed.
fn fell_over(client: Client, first: &Vendor, second: &Vendor, answer: &Answer, stream: bool) {
    let pair = format!("{client:?} from {:?} to {:?}, stream {stream}", first.kind, second.kind);
    assert_eq!(answer.status, 200, "{pair}: {}", answer.tell());
    if client != Client::Responses {
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"), "{pair}");
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"), "{pair}");
    }
    assert!(!answer.text().contains("no capacity"), "{pair}: {}", answer.text());
    let (model, text) = client.reads(answer, stream);
    assert_eq!(model, second.kind.dated(), "{pair}");
    assert!(text.starts_with("Hello"), "{pair}: {}", answer.text());
    second.kind.was_asked(&second.mock.saw().pop().expect("it was asked"), stream);
}

/// `metadata` of a chat completion.
fn metadata(answer: &Answer, stream: bool) -> Value {
    if !stream {
        return answer.json()["metadata"].clone();
    }
    let events = answer.events();
    let last = events.iter().rev().find(|event| *event != "[DONE]").expect("a chunk");
    serde_json::from_str::<Value>(last).unwrap()["metadata"].clone()
}

async fn pairs_of(acme: &Org, vendors: &[Vendor]) -> Vec<(String, usize, usize)> {
    let mut pairs = Vec::new();
    for (one, first) in vendors.iter().enumerate() {
        for (two, second) in vendors.iter().enumerate().filter(|(two, _)| *two != one) {
            let alias = format!("{}-then-{}", first.kind.name(), second.kind.name());
            acme.alias(&alias, &[first.route(), second.route()]).await;
            pairs.push((alias, one, two));
        }
    }
    pairs
}

#[tokio::test]
async fn a_failed_vendor_is_followed_by_one_of_another_dialect_in_every_pair() {
    let gateway = Gateway::configured().never_ejects().start().await;
    let acme = gateway.org("acme");
    let vendors = Vendor::of_each_kind(&acme).await;
    let key = acme.key().await;
    for (alias, one, two) in pairs_of(&acme, &vendors).await {
        let (first, second) = (&vendors[one], &vendors[two]);
        for client in Client::ALL {
            for (stream, status) in [(false, 500), (true, 503)] {
                first.mock.always(Reply::status(status));
                let id = format!("{alias}-{client:?}-{status}");
                let answer = client.asks(&key, &alias, stream, &id).await;
                fell_over(client, first, second, &answer, stream);
                if client == Client::Chat {
                    let metadata = metadata(&answer, stream);
                    assert_eq!(
                        metadata["routing"],
                        json!([
                            {"provider": first.kind.name(), "model": first.kind.model(),
                                "status_code": status, "error_type": "upstream_error"},
                            {"provider": second.kind.name(), "model": second.kind.model(),
                                "status_code": 200, "error_type": ""},
                        ]),
                        "{id}"
                    );
                    assert_eq!(metadata["used_provider"], second.kind.name(), "{id}");
                    assert_eq!(metadata["requested_model"], alias, "{id}");
                    assert_eq!(metadata["used_model"], second.kind.dated(), "{id}");
                    assert_eq!(metadata["underlying_used_model"], second.kind.model(), "{id}");
                }
            }
        }
        first.recovers();
    }
}

#[tokio::test]
async fn an_error_as_the_first_event_of_a_stream_fails_over_to_another_dialect() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendors = Vendor::of_each_kind(&acme).await;
    let key = acme.key().await;
    for (alias, one, two) in pairs_of(&acme, &vendors).await {
        let (first, second) = (&vendors[one], &vendors[two]);
        first.mock.always(first.kind.error_at_once());
        // OpenAI's Responses have error events of their own.
        for client in Client::ALL {
            if client != Client::Chat && first.kind == Kind::OpenAi {
                continue;
            }
            let id = format!("{alias}-{client:?}");
            let answer = client.asks(&key, &alias, true, &id).await;
            fell_over(client, first, second, &answer, true);
            if client == Client::Chat {
                let routing = &metadata(&answer, true)["routing"];
                assert_eq!(routing[0]["provider"], first.kind.name(), "{id}: {routing}");
                assert_eq!(routing[0]["error_type"], "upstream_error", "{id}: {routing}");
                assert_eq!(routing[1]["provider"], second.kind.name(), "{id}: {routing}");
                assert_eq!(routing[1]["error_type"], "", "{id}: {routing}");
            }
            let record = acme.record_of(&id).await;
            assert_eq!(record["attempts"].as_array().map(Vec::len), Some(2), "{id}: {record}");
            assert_eq!(record["provider_name"], second.kind.name(), "{id}: {record}");
        }
        first.recovers();
    }
}

#[tokio::test]
async fn where_every_vendor_fails_all_are_told_in_the_clients_dialect() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendors = Vendor::of_each_kind(&acme).await;
    let routes: Vec<_> = vendors.iter().map(Vendor::route).collect();
    acme.alias("all", &routes).await;
    let key = acme.key().await;
    for vendor in &vendors {
        vendor.mock.always(Reply::status(500));
    }
    for client in Client::ALL {
        let answer = client.asks(&key, "all", false, &format!("{client:?}")).await.has_status(502);
        let error = if client == Client::Messages {
            answer.anthropic_error()
        } else {
            answer.openai_error()
        };
        let tried: Vec<_> = error["attempts"].as_array().expect("attempts").iter().collect();
        let names: Vec<_> = tried.iter().map(|attempt| &attempt["provider"]).collect();
        assert_eq!(names, Kind::ALL.map(Kind::name));
        for attempt in tried {
            assert_eq!(attempt["status"], 500, "{attempt}");
            let message = attempt["message"].as_str().unwrap();
            assert!(message.contains("the vendor's own words for 500"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_callers_mistake_is_told_in_the_clients_dialect_and_does_not_fail_over() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendors = Vendor::of_each_kind(&acme).await;
    let key = acme.key().await;
    for (alias, one, two) in pairs_of(&acme, &vendors).await {
        let before = vendors[two].mock.saw().len();
        for client in Client::ALL {
            vendors[one].mock.will(Reply::status(400));
            let answer = client.asks(&key, &alias, false, "mistaken").await.has_status(400);
            let error = if client == Client::Messages {
                answer.anthropic_error()
            } else {
                answer.openai_error()
            };
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("the vendor's own words for 400"), "{alias}: {message}");
        }
        assert_eq!(vendors[two].mock.saw().len(), before, "{alias}");
    }
}

#[tokio::test]
async fn faults_that_bedrock_tells_with_a_clients_status_are_its_own() {
    let gateway = Gateway::configured().never_ejects().start().await;
    let acme = gateway.org("acme");
    let bedrock = Vendor::of(&acme, Kind::Bedrock).await;
    let openai = Vendor::of(&acme, Kind::OpenAi).await;
    acme.alias("aws-first", &[bedrock.route(), openai.route()]).await;
    acme.alias("openai-first", &[openai.route(), bedrock.route()]).await;
    let key = acme.key().await;
    for status in [408, 424] {
        bedrock.mock.will(Reply::status(status));
        let answer = key.chat("aws-first").await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"), "{status}");
        openai.mock.will(Reply::status(status));
        key.chat("openai-first").await.has_status(status);
    }
    bedrock.mock.will(Reply::status(400));
    key.chat("aws-first").await.has_status(400);
}

#[tokio::test]
async fn what_bedrocks_model_said_itself_decides_what_its_failure_is() {
    let gateway = Gateway::configured().start().await;
    let acme = gateway.org("acme");
    let openai = Vendor::of(&acme, Kind::OpenAi).await;
    let key = acme.key().await;
    for (status, times, state) in
        [(400, 12, "healthy"), (429, 1, "ejected"), (529, 1, "ejected"), (500, 10, "ejected")]
    {
        let mock = MockVendor::start().await;
        let name = format!("bedrock-{status}");
        let settings = json!({
            "model_provider": "bedrock", "auth_type": "bedrock_api_key", "api_key": "k",
            "settings": {"region": "eu-west-1", "model_api_family": "bedrock_converse"},
        });
        let model = Kind::Bedrock.model();
        let bedrock = acme.provider(&name).at(&mock).model(model).with(settings).await;
        acme.alias(&name, &[(&bedrock, model), openai.route()]).await;
        let error = json!({"message": "the model failed", "originalStatusCode": status});
        mock.always(Reply::status_with(424, error.to_string()));
        for _ in 0..times {
            key.chat(&name).await.has_status(200);
        }
        let shown = acme.get("/admin/llm-gw/route-health").await.has_status(200).json();
        let routes = shown["routes"].as_array().expect("routes");
        let own = routes.iter().find(|route| route["provider_id"] == bedrock.id.as_str());
        assert_eq!(own.expect("it is listed")["state"], state, "{status}");
    }
}

#[tokio::test]
async fn what_one_vendor_signed_is_not_sent_to_another_that_would_refuse_it() {
    let gateway = Gateway::configured().never_ejects().start().await;
    let acme = gateway.org("acme");
    let gemini = Vendor::of(&acme, Kind::Gemini).await;
    let anthropic = Vendor::of(&acme, Kind::Anthropic).await;
    acme.alias("mixed", &[gemini.route(), anthropic.route()]).await;
    let key = acme.key().await;
    let body = json!({"model": "mixed", "max_tokens": 50, "messages": [
        {"role": "user", "content": "How warm is it?"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "I had better look.", "signature": ""},
            {"type": "redacted_thinking", "data": "turnpike.google.U2ln"},
            {"type": "tool_use", "id": "c1", "name": "look", "input": {}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "20"}]},
    ]});
    gemini.mock.will(Reply::status(500));
    key.post("/v1/messages", body.to_string()).await.has_status(200);
    let sent = anthropic.mock.saw_one().json();
    let call = json!([{"type": "tool_use", "id": "c1", "name": "look", "input": {}}]);
    assert_eq!(sent["messages"][1]["content"], call);
}

#[tokio::test]
async fn googles_400_for_a_key_is_the_gateways_fault_and_no_callers() {
    let gateway = Gateway::configured().never_ejects().start().await;
    let acme = gateway.org("acme");
    let gemini = Vendor::of(&acme, Kind::Gemini).await;
    let openai = Vendor::of(&acme, Kind::OpenAi).await;
    acme.alias("google-first", &[gemini.route(), openai.route()]).await;
    let key = acme.key().await;
    gemini.mock.will(Reply::status_with(400, REFUSED_KEY));
    let answer = key.chat("google-first").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    // A caller's own mistake is told to the caller, by Google and by others.
    gemini.mock.will(Reply::status(400));
    key.chat("google-first").await.has_status(400);
}
