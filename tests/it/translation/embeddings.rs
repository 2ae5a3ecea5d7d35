//! OpenAI's embeddings at vendors with an API of their own for them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::vendor::{Kind, Vendor};
use crate::support::{Answer, Caller, Gateway, Org, Reply};

const GEMINI: &str = "gemini-embedding-001";
const TITAN: &str = "amazon.titan-embed-text-v2:0";

async fn gemini(org: &Org) -> Vendor {
    Vendor::named(org, Kind::Gemini, "gemini", GEMINI).await
}

async fn titan(org: &Org) -> Vendor {
    Vendor::named(org, Kind::Bedrock, "titan", TITAN).await
}

async fn embed(key: &Caller, id: &str, format: &str) -> Answer {
    let body = json!({"model": "e", "input": ["one", "two", "three"], "encoding_format": format});
    key.post("/v1/embeddings", body.to_string()).header("x-request-id", id).await
}

/// What Titan says of one text.
fn of_titan(first: f64, tokens: u64) -> Reply {
    Reply::says(json!({"embedding": [first, -0.5], "inputTextTokenCount": tokens}).to_string())
}

/// What Gemini says of three.
fn of_gemini() -> Reply {
    let rows = [1, 2, 3].map(|first| json!({"values": [first, -0.25]}));
    let said = json!({"embeddings": rows, "usageMetadata": {"promptTokenCount": 9}});
    Reply::says(said.to_string())
}

fn vectors(answer: &Answer) -> Vec<Value> {
    let body = answer.json();
    assert_eq!(body["object"], "list", "{body}");
    let data = body["data"].as_array().expect("vectors");
    for (index, row) in data.iter().enumerate() {
        assert_eq!((&row["object"], &row["index"]), (&json!("embedding"), &json!(index)));
    }
    data.iter().map(|row| row["embedding"].clone()).collect()
}

fn floats(vector: &Value) -> Vec<f32> {
    if let Some(text) = vector.as_str() {
        let bytes = STANDARD.decode(text).expect("base64");
        return bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    }
    serde_json::from_value(vector.clone()).expect("numbers")
}

#[tokio::test]
async fn gemini_embeds_all_texts_in_one_call() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = gemini(&acme).await;
    acme.alias("e", &[(&vendor.provider, GEMINI)]).await;
    vendor.mock.will(of_gemini());
    let answer = embed(&acme.key().await, "batch", "float").await.has_status(200);
    assert_eq!(vectors(&answer), [json!([1, -0.25]), json!([2, -0.25]), json!([3, -0.25])]);
    assert_eq!(answer.json()["usage"], json!({"prompt_tokens": 9, "total_tokens": 9}));
    assert_eq!(answer.json()["model"], GEMINI);
    let call = vendor.mock.saw_one();
    assert_eq!(call.path, format!("/v1beta/models/{GEMINI}:batchEmbedContents"));
    let body = call.json();
    let texts: Vec<_> = body["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["content"]["parts"][0]["text"])
        .collect();
    assert_eq!(texts, ["one", "two", "three"]);
    let record = acme.record_of("batch").await;
    assert_eq!((&record["input_tokens"], &record["status"]), (&json!(9), &json!(200)));
}

#[tokio::test]
async fn tokens_that_gemini_does_not_tell_are_guessed_and_recorded_as_a_guess() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = gemini(&acme).await;
    acme.alias("e", &[(&vendor.provider, GEMINI)]).await;
    let rows = [1, 2, 3].map(|first| json!({"values": [first, -0.25]}));
    vendor.mock.will(Reply::says(json!({"embeddings": rows}).to_string()));
    let answer = embed(&acme.key().await, "guessed", "float").await.has_status(200);
    let tokens = answer.json()["usage"]["prompt_tokens"].as_u64().expect("a number");
    assert!(tokens > 0 && answer.json()["usage"]["total_tokens"] == tokens, "{}", answer.text());
    let record = acme.record_of("guessed").await;
    assert_eq!(record["input_tokens"], tokens, "{record}");
    assert_eq!(record["usage_source"], "estimated", "{record}");
}

#[tokio::test]
async fn titan_is_called_once_for_each_text_and_answers_as_one() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = titan(&acme).await;
    acme.alias("e", &[(&vendor.provider, TITAN)]).await;
    for (first, tokens) in [(1.5, 2), (2.5, 3), (3.5, 4)] {
        vendor.mock.will(of_titan(first, tokens));
    }
    let answer = embed(&acme.key().await, "series", "float").await.has_status(200);
    assert_eq!(vectors(&answer), [json!([1.5, -0.5]), json!([2.5, -0.5]), json!([3.5, -0.5])]);
    assert_eq!(answer.json()["usage"], json!({"prompt_tokens": 9, "total_tokens": 9}));
    let calls = vendor.mock.saw();
    let texts: Vec<_> = calls.iter().map(|call| call.json()["inputText"].clone()).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    for call in calls {
        assert_eq!(call.path, "/model/amazon.titan-embed-text-v2%3A0/invoke");
    }
    let record = acme.record_of("series").await;
    assert_eq!(record["input_tokens"], 9, "{record}");
    assert_eq!(record["attempts"].as_array().map(Vec::len), Some(1), "{record}");
}

#[tokio::test]
async fn a_call_that_fails_in_the_middle_leads_to_the_next_vendor_from_the_start() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (first, second) = (titan(&acme).await, gemini(&acme).await);
    acme.alias("e", &[(&first.provider, TITAN), (&second.provider, GEMINI)]).await;
    first.mock.will(of_titan(1.5, 2)).will(Reply::status(500));
    second.mock.will(of_gemini());
    let answer = embed(&acme.key().await, "moved", "float").await.has_status(200);
    assert_eq!(vectors(&answer), [json!([1, -0.25]), json!([2, -0.25]), json!([3, -0.25])]);
    assert_eq!(answer.json()["usage"]["prompt_tokens"], 9, "those of the answer alone");
    assert_eq!((first.mock.saw().len(), second.mock.saw().len()), (2, 1));
    let record = acme.record_of("moved").await;
    assert_eq!(record["attempts"].as_array().map(Vec::len), Some(2), "{record}");
    assert_eq!(record["provider_name"], "gemini");
    assert_eq!(
        record["input_tokens"],
        9 + 2,
        "what the first has told of its one answer is paid for"
    );
}

#[tokio::test]
async fn a_call_that_fails_in_the_middle_is_told_where_nothing_else_is_left() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = titan(&acme).await;
    acme.alias("e", &[(&vendor.provider, TITAN)]).await;
    vendor.mock.will(of_titan(1.5, 2)).will(Reply::status(500));
    let answer = embed(&acme.key().await, "failed", "float").await.has_status(502);
    let attempts = answer.openai_error()["attempts"].clone();
    assert_eq!(attempts.as_array().map(Vec::len), Some(1), "{attempts}");
    assert_eq!((&attempts[0]["provider"], &attempts[0]["status"]), (&json!("titan"), &json!(500)));
    assert_eq!(vendor.mock.saw().len(), 2, "the third text is not asked for");
    let record = acme.record_of("failed").await;
    assert_eq!((&record["status"], &record["usage_source"]), (&json!(502), &json!("reported")));
    assert_eq!(record["input_tokens"], 2, "{record}");
}

#[tokio::test]
async fn what_was_embedded_before_a_text_that_is_refused_is_paid_for() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = titan(&acme).await;
    acme.alias("e", &[(&vendor.provider, TITAN)]).await;
    vendor.mock.will(of_titan(1.5, 2)).will(of_titan(2.5, 3)).will(Reply::status(400));
    embed(&acme.key().await, "refused", "float").await.has_status(400);
    let record = acme.record_of("refused").await;
    assert_eq!((&record["status"], &record["usage_source"]), (&json!(400), &json!("reported")));
    assert_eq!(record["input_tokens"], 2 + 3, "{record}");
}

#[tokio::test]
async fn base64_says_what_the_numbers_say() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = gemini(&acme).await;
    acme.alias("e", &[(&vendor.provider, GEMINI)]).await;
    let key = acme.key().await;
    let numbers = vectors(&embed(&key, "numbers", "float").await.has_status(200));
    let coded = vectors(&embed(&key, "coded", "base64").await.has_status(200));
    assert_eq!(numbers.len(), 3);
    for (number, code) in numbers.iter().zip(&coded) {
        assert!(code.is_string() && number.is_array(), "{number} {code}");
        assert_eq!(floats(number), floats(code));
    }
}

#[tokio::test]
async fn embeddings_that_nobody_counted_are_told_as_they_are() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = Vendor::named(&acme, Kind::OpenAi, "local", "m").await;
    acme.alias("e", &[(&vendor.provider, "m")]).await;
    let key = acme.key().await;
    for (id, usage) in [("none", ""), ("null", r#","usage":null"#)] {
        let said = format!(r#"{{"object":"list","data":[],"model":"m"{usage}}}"#);
        vendor.mock.will(Reply::says(said.clone()));
        let answer = embed(&key, id, "float").await.has_status(200);
        assert_eq!(answer.text(), said);
        let record = acme.record_of(id).await;
        assert_eq!(
            (&record["status"], &record["error_type"]),
            (&json!(200), &Value::Null),
            "{record}"
        );
    }
}

#[tokio::test]
async fn no_texts_are_the_vendors_own_to_judge_and_refused_where_they_would_be_written_anew() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (gemini, openai) =
        (gemini(&acme).await, Vendor::named(&acme, Kind::OpenAi, "local", "m").await);
    acme.alias("e", &[(&gemini.provider, GEMINI)]).await;
    acme.alias("own", &[(&openai.provider, "m")]).await;
    let key = acme.key().await;
    for input in [json!([]), json!(""), json!([""])] {
        let body = |alias: &str| json!({"model": alias, "input": input}).to_string();
        let error = key.post("/v1/embeddings", body("e")).await.has_status(400).openai_error();
        assert_eq!(error["code"], "invalid_parameters", "{error}");
        assert!(error["param"].as_str().unwrap().starts_with("input"), "{error}");
        openai.mock.will(Reply::status(400));
        key.post("/v1/embeddings", body("own")).await.has_status(400);
    }
    gemini.mock.saw_nothing();
    assert_eq!(openai.mock.saw().len(), 3);
}
