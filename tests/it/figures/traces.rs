//! Traces: what a collector gets, and what it never gets.

use serde_json::json;

use crate::{
    smart_models,
    support::{Collector, Gateway, GatewayBuilder, Reply, SeenSpan, TwoRoutes, mock, scan::Canary},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const PROMPT: &str = "canary-of-the-prompt-77a1";

pub fn traced_to(collector: &Collector) -> GatewayBuilder {
    Gateway::configured().env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
}

fn body(more: &str) -> String {
    format!(r#"{{"model":"fast","messages":[{{"role":"user","content":"{PROMPT}"}}]{more}}}"#)
}

#[track_caller]
fn says(span: &SeenSpan, attributes: &[(&str, &str)]) {
    for (name, value) in attributes {
        let found = span.attributes.get(*name).map(String::as_str);
        assert_eq!(found, Some(*value), "{name} of {span:?}");
    }
}

#[tokio::test]
async fn a_failover_is_a_span_of_the_request_with_one_for_each_attempt_below_it() {
    let collector = Collector::start().await;
    let builder = traced_to(&collector)
        .env("OTEL_SERVICE_NAME", "the-gateway")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=tests")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=acme");
    let scene = TwoRoutes::with(builder).await;
    scene.first.will(Reply::status(503));
    let ask = scene.key.post("/v1/chat/completions", body(""));
    let ask = ask.header("traceparent", &format!("00-{TRACE}-{CALLER}-01"));
    ask.header("x-request-id", "traced").await.has_status(200);

    let spans = collector.wait_for(3).await;
    let [request, failed, good] = spans.as_slice() else { panic!("{spans:?}") };
    assert!(spans.iter().all(|span| span.trace == TRACE && span.began <= span.ended));
    assert_eq!((request.parent.as_str(), request.is_server), (CALLER, true));
    assert_eq!(request.name, "POST /v1/chat/completions");
    says(
        request,
        &[
            ("http.request.method", "POST"),
            ("http.route", "/v1/chat/completions"),
            ("url.scheme", "http"),
            ("http.response.status_code", "200"),
            ("turnpike.alias", "fast"),
            ("turnpike.provider", "second"),
            ("turnpike.routes_tried", "2"),
            ("turnpike.request_id", "traced"),
        ],
    );
    assert!(!request.failed);

    for (span, vendor) in [(failed, &scene.first), (good, &scene.second)] {
        assert_eq!((span.parent.as_str(), span.is_server), (request.id.as_str(), false));
        let (host, port) = (vendor.address().ip().to_string(), vendor.address().port().to_string());
        says(span, &[("server.address", &host), ("server.port", &port)]);
        says(span, &[("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "openai")]);
        let told = vendor.saw_one().header("traceparent").unwrap().to_owned();
        assert_eq!(told, format!("00-{TRACE}-{}-01", span.id), "the vendor continues the attempt");
    }
    assert_eq!((failed.name.as_str(), failed.failed), ("chat gpt-4o", true));
    says(failed, &[("error.type", "upstream_error"), ("http.response.status_code", "503")]);
    assert!(!failed.attributes.contains_key("gen_ai.usage.input_tokens"));
    assert!(good.began >= failed.ended && !good.failed);
    says(
        good,
        &[
            ("gen_ai.request.model", "gpt-4o-mini"),
            ("gen_ai.usage.input_tokens", "19"),
            ("gen_ai.usage.output_tokens", "10"),
            ("gen_ai.usage.cache_read.input_tokens", "4"),
            ("gen_ai.usage.reasoning.output_tokens", "3"),
        ],
    );
    assert!(good.attributes["gen_ai.response.model"].starts_with("gpt-4o-mini"));

    let resource = collector.resource();
    assert_eq!(resource["service.name"], "the-gateway");
    assert_eq!(resource["deployment.environment.name"], "tests");
    assert!(collector.headers().iter().all(|headers| headers["x-tenant"] == "acme"));
}

#[tokio::test]
async fn retries_in_place_are_spans_too() {
    let collector = Collector::start().await;
    let scene = TwoRoutes::with(traced_to(&collector)).await;
    let patient = json!({"retry_on_429_count": 1});
    scene.acme.route("patient", &scene.first_provider, "gpt-4o", patient).await;
    scene.first.will(Reply::status(429));
    scene.key.chat("patient").await.has_status(200);
    let spans = collector.wait_for(3).await;
    says(&spans[0], &[("turnpike.retries", "1"), ("turnpike.routes_tried", "1")]);
    says(&spans[1], &[("error.type", "rate_limited"), ("http.response.status_code", "429")]);
    says(&spans[2], &[("http.request.resend_count", "1"), ("http.response.status_code", "200")]);
    assert_eq!(spans[0].parent, "", "a trace begins here");
}

#[tokio::test]
async fn an_attempt_that_reaches_nobody_is_a_span_without_a_status() {
    let collector = Collector::start().await;
    let scene = TwoRoutes::with(traced_to(&collector)).await;
    let (nowhere, _reserved) = mock::nobody();
    let gone = scene.acme.provider("gone").at_url(&nowhere).model("gpt-4o").await;
    scene
        .acme
        .alias("hopeful", &[(&gone, "gpt-4o"), (&scene.second_provider, "gpt-4o-mini")])
        .await;
    scene.key.chat("hopeful").await.has_status(200);
    let spans = collector.wait_for(3).await;
    says(&spans[1], &[("error.type", "network_error"), ("turnpike.provider", "gone")]);
    assert!(spans[1].failed && !spans[1].attributes.contains_key("http.response.status_code"));
    says(&spans[2], &[("turnpike.provider", "second"), ("http.response.status_code", "200")]);
}

#[tokio::test]
async fn a_stream_that_breaks_fails_its_attempt() {
    let collector = Collector::start().await;
    let scene = TwoRoutes::with(traced_to(&collector)).await;
    scene.first.will(Reply::answers().resets_after(3));
    scene.key.chat_stream("fast").await;
    let spans = collector.wait_for(2).await;
    assert!(spans[1].failed, "{spans:?}");
    says(&spans[1], &[("error.type", "network_error"), ("http.response.status_code", "200")]);
}

#[tokio::test]
async fn a_request_that_is_refused_is_one_span_that_says_why() {
    let collector = Collector::start().await;
    let gateway = traced_to(&collector).start().await;
    gateway.caller("bd-nobodys").chat("fast").await.has_status(401);
    let key = gateway.org("acme").key().await;
    key.get("/v1/chat/completions").await.has_status(405);
    let spans = collector.wait_for(2).await;
    says(&spans[0], &[("http.response.status_code", "401"), ("turnpike.denied_by", "api_key")]);
    says(&spans[1], &[("http.request.method", "GET"), ("http.response.status_code", "405")]);
    assert!(!spans[0].failed, "a fault of the client's is none of the server's");
}

#[tokio::test]
async fn the_determiner_of_a_smart_model_is_asked_below_the_request() {
    let collector = Collector::start().await;
    let stage = smart_models::Stage::with(traced_to(&collector), json!({})).await;
    let ask = stage.key.post("/v1/chat/completions", smart_models::chat("Hi"));
    ask.header("x-request-id", "mine").await.has_status(200);
    let spans = collector.wait_for(4).await;
    let request = |id: &str| {
        let found = |span: &&SeenSpan| {
            span.attributes.get("turnpike.request_id").is_some_and(|is| is == id)
        };
        spans.iter().find(found).unwrap_or_else(|| panic!("{id} in {spans:?}"))
    };
    let (mine, asked) = (request("mine"), request("mine.d"));
    assert_eq!((&asked.parent, &asked.trace), (&mine.id, &mine.trace));
    let below = |parent: &SeenSpan| {
        spans.iter().filter(|span| !span.is_server && span.parent == parent.id).count()
    };
    assert_eq!((below(mine), below(asked)), (1, 1), "{spans:?}");
}

#[tokio::test]
async fn a_stream_says_so_and_when_its_first_chunk_came() {
    let collector = Collector::start().await;
    let scene = TwoRoutes::with(traced_to(&collector)).await;
    scene.key.chat_stream("fast").await.has_status(200);
    let spans = collector.wait_for(2).await;
    says(&spans[1], &[("gen_ai.request.stream", "true")]);
    let first: f64 = spans[1].attributes["gen_ai.response.time_to_first_chunk"].parse().unwrap();
    assert!(first > 0.0 && first < 20.0, "{first}");
    says(
        &spans[1],
        &[
            ("gen_ai.usage.input_tokens", "19"),
            ("gen_ai.usage.output_tokens", "10"),
            ("gen_ai.usage.cache_read.input_tokens", "4"),
        ],
    );
}

#[tokio::test]
async fn neither_prompt_nor_answer_nor_credentials_are_exported() {
    let collector = Collector::start().await;
    let scene = TwoRoutes::with(traced_to(&collector)).await;
    scene
        .first
        .will(Reply::status_with(503, r#"{"error":{"message":"canary-of-a-vendors-error"}}"#));
    let refused = scene.gateway.caller("bd-canary-of-a-key-nobody-has");
    refused.chat("fast").header("user-agent", "canary-of-a-client").await.has_status(401);
    let key = scene.key.with("cookie", "canary-of-a-cookie");
    let answer =
        key.post("/v1/chat/completions?q=canary-of-a-query", body("")).await.has_status(200);
    let said = answer.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    key.post("/v1/canary-of-a-path", "{}").await.has_status(404);
    key.chat("canary-of-a-model").await.has_status(404);
    let streamed = key.post("/v1/chat/completions", body(r#","stream":true"#)).await;
    assert!(streamed.text().contains("[DONE]"));
    collector.wait_for(8).await;
    let exported = collector.bytes();
    for (name, canary) in [
        ("the prompt", PROMPT),
        ("the answer", &said),
        ("the key", &scene.key.secret),
        ("the refused key", "bd-canary-of-a-key-nobody-has"),
        ("the vendor's key", "sk-of-second"),
        ("the vendor's error", "canary-of-a-vendors-error"),
        ("the client", "canary-of-a-client"),
        ("the cookie", "canary-of-a-cookie"),
        ("the query", "canary-of-a-query"),
        ("the path", "canary-of-a-path"),
        ("the model", "canary-of-a-model"),
    ] {
        Canary::new(name, canary.as_bytes()).is_not_in("the export", &exported);
    }
}

#[tokio::test]
async fn a_trace_that_its_caller_does_not_record_goes_on_unrecorded() {
    let collector = Collector::start().await;
    let scene = TwoRoutes::with(traced_to(&collector)).await;
    let given = format!("00-{TRACE}-{CALLER}-00");
    scene.key.chat("fast").header("traceparent", &given).await.has_status(200);
    let told = scene.first.saw_one().header("traceparent").unwrap().to_owned();
    assert!(told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-00"), "{told}");
    scene.key.chat("fast").await.has_status(200);
    let spans = collector.wait_for(2).await;
    assert!(spans.iter().all(|span| span.trace != TRACE), "{spans:?}");
}
