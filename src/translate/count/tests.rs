use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{
        Platform, Target,
        form::{
            Media, Part, PartKind, PartPath, Reasoning, Request, Role, Source, Tool, ToolKind, Turn,
        },
    },
    CountApi, estimate,
    estimate::{SAMPLE, WINDOW, length, sample},
    guess,
};
use crate::domain::{ModelFacts, Quirks};

fn wrapped(api: CountApi, platform: Platform, body: &Value) -> Value {
    let (facts, quirks) = (ModelFacts::default(), Quirks::default());
    let target = Target { model: "the-model", facts: &facts, platform, quirks: &quirks };
    let written = api.wrap(body.to_string().as_bytes(), &target, &[]).unwrap();
    serde_json::from_slice(&written).unwrap()
}

fn asked(kinds: Vec<PartKind<'_>>) -> Request<'_> {
    let parts = kinds.into_iter().map(|kind| Part::new(kind, PartPath::default())).collect();
    Request { turns: vec![Turn { role: Role::User, name: None, parts }], ..Request::default() }
}

fn of_text(words: &str) -> u64 {
    estimate(&asked(vec![PartKind::Text(words.into())]))
}

#[test]
fn a_guess_goes_by_the_bytes_of_texts_and_not_by_those_of_pictures() {
    let text = |words: &'static str| guess(&asked(vec![PartKind::Text(words.into())]));
    let around = text("");
    assert_eq!(text("12345678") - around, 2);
    assert_eq!(text("语言模型") - around, 3);
    let picture = |data: String| {
        let source = Source::Base64(data.into());
        let mime = Some("image/png".into());
        guess(&asked(vec![PartKind::Image(Media { mime, ..Media::at(source) })]))
    };
    assert_eq!(picture("A".repeat(4_000_000)), picture("AAAA".to_owned()));
    assert!(picture("A".repeat(4_000_000)) < 1_000 + around);
}

#[test]
fn gemini_is_asked_with_the_whole_request_or_on_vertex_with_what_it_takes() {
    let body = json!({"contents": [], "systemInstruction": {}, "tools": [], "toolConfig": {}, "generationConfig": {}});
    assert_eq!(
        wrapped(CountApi::Gemini, Platform::Own, &body),
        json!({"generateContentRequest": {"model": "models/the-model", "contents": [], "systemInstruction": {},
            "tools": [], "toolConfig": {}, "generationConfig": {}}})
    );
    assert_eq!(
        wrapped(CountApi::Gemini, Platform::Vertex, &body),
        json!({"contents": [], "systemInstruction": {}, "tools": [], "generationConfig": {}})
    );
}

#[test]
fn claude_on_bedrock_is_asked_with_its_body_in_base64() {
    let inner = |body: &Value| -> Value {
        let written = wrapped(CountApi::AnthropicBedrock, Platform::Bedrock, body);
        let inner = written["input"]["invokeModel"]["body"].as_str().unwrap();
        serde_json::from_slice(&STANDARD.decode(inner).unwrap()).unwrap()
    };
    let messages = json!([{"role": "user", "content": "é"}]);
    assert_eq!(
        inner(&json!({"model": "x", "messages": messages, "stream": true})),
        json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1024, "messages": messages})
    );
    let whole = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "messages": messages, "system": "s"});
    assert_eq!(inner(&whole), whole);
    // A budget has to be below the limit.
    let thinks =
        json!({"messages": messages, "thinking": {"type": "enabled", "budget_tokens": 9000}});
    assert_eq!(inner(&thinks)["max_tokens"], 10_024);
}

#[test]
fn a_counter_on_bedrock_is_told_the_clients_betas() {
    let (facts, quirks) = (ModelFacts::default(), Quirks::default());
    let model = "anthropic.claude-sonnet-4-6";
    let target = Target { model, facts: &facts, platform: Platform::Bedrock, quirks: &quirks };
    let body = br#"{"model":"x","messages":[]}"#;
    let betas = ["claude-code-20250219", "context-1m-2025-08-07"];
    let written = CountApi::AnthropicBedrock.wrap(body, &target, &betas).unwrap();
    let written: Value = serde_json::from_slice(&written).unwrap();
    let inner = STANDARD.decode(written["input"]["invokeModel"]["body"].as_str().unwrap()).unwrap();
    let inner: Value = serde_json::from_slice(&inner).unwrap();
    assert_eq!(inner["anthropic_beta"], json!(["context-1m-2025-08-07"]));
}

#[test]
fn claude_on_vertex_is_asked_by_its_name_with_what_the_counter_takes() {
    let body = json!({"model": "x", "max_tokens": 5, "temperature": 1, "stream": true, "system": "s", "messages": []});
    assert_eq!(
        wrapped(CountApi::AnthropicVertex, Platform::Vertex, &body),
        json!({"model": "the-model", "anthropic_version": "vertex-2023-10-16", "system": "s", "messages": []})
    );
}

#[test]
fn openai_is_asked_with_what_its_counter_takes() {
    let body = json!({"model": "m", "input": "x", "max_output_tokens": 5, "store": false, "stream": true, "tools": []});
    let expected = json!({"model": "m", "input": "x", "tools": []});
    assert_eq!(wrapped(CountApi::OpenAi, Platform::Own, &body), expected);
}

#[test]
fn converse_is_asked_with_what_the_model_reads() {
    let mut request = asked(vec![PartKind::Text("hi".into())]);
    request.max_tokens = Some(5);
    let (facts, quirks) = (ModelFacts::default(), Quirks::default());
    let model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    let target = Target { model, facts: &facts, platform: Platform::Bedrock, quirks: &quirks };
    let written = CountApi::Converse.write(request.clone(), &target).unwrap();
    let messages = json!([{"role": "user", "content": [{"text": "hi"}]}]);
    assert_eq!(
        serde_json::from_slice::<Value>(&written).unwrap(),
        json!({"input": {"converse": {"messages": messages}}})
    );
    // A budget has to be below a limit that the counter does not know.
    request.reasoning = Some(Reasoning { max_tokens: Some(9000), ..Reasoning::default() });
    request.max_tokens = None;
    let written = CountApi::Converse.write(request.clone(), &target).unwrap();
    let thinking = json!({"type": "enabled", "budget_tokens": 1024});
    let written = serde_json::from_slice::<Value>(&written).unwrap();
    let told = &written["input"]["converse"]["additionalModelRequestFields"];
    assert_eq!(told["thinking"], thinking);
}

#[test]
fn every_answer_is_read_in_its_own_words() {
    for (api, body, count) in [
        (CountApi::Gemini, r#"{"totalTokens":31,"promptTokensDetails":[]}"#, Some(31)),
        (CountApi::Converse, r#"{"inputTokens":16}"#, Some(16)),
        (CountApi::AnthropicBedrock, r#"{"inputTokens":16}"#, Some(16)),
        (CountApi::AnthropicVertex, r#"{"input_tokens":14}"#, Some(14)),
        (CountApi::OpenAi, r#"{"object":"response.input_tokens","input_tokens":11}"#, Some(11)),
        (CountApi::OpenAi, r#"{"inputTokens":11}"#, None),
        (CountApi::Gemini, "[]", None),
        (CountApi::Gemini, "", None),
        (CountApi::Converse, r#"{"inputTokens":-1}"#, None),
    ] {
        assert_eq!(api.read(body.as_bytes()).ok(), count, "{body}");
    }
}

#[test]
fn what_is_no_object_is_refused() {
    let (facts, quirks) = (ModelFacts::default(), Quirks::default());
    let target = Target { model: "m", facts: &facts, platform: Platform::Own, quirks: &quirks };
    for body in ["", "[]", "1", "{"] {
        assert!(CountApi::OpenAi.wrap(body.as_bytes(), &target, &[]).is_err(), "{body}");
    }
}

/// The counts are those of <https://platform.openai.com/tokenizer>; 6 tokens stand around them.
#[test]
fn text_is_cut_as_openai_cuts_it() {
    assert_eq!(of_text("hello world"), 6 + 2);
    assert_eq!(of_text("tiktoken is great!"), 6 + 6);
    assert_eq!(of_text(""), 6);
    assert_eq!(estimate(&Request::default()), 3);
}

#[test]
fn tools_pictures_and_documents_count() {
    let plain = of_text("hello world");
    let mut request = asked(vec![PartKind::Text("hello world".into())]);
    let kind = ToolKind::Function {
        name: "hello".into(),
        description: Some("world".into()),
        parameters: None,
        strict: None,
    };
    request.tools = vec![Tool { kind, cache: None }];
    assert_eq!(estimate(&request), plain + 12 + 7 + 2);
    let of = |kind| estimate(&asked(vec![kind]));
    let empty = of_text("");
    let media = |data: &'static str| Media::at(Source::Base64(data.into()));
    assert_eq!(of(PartKind::Image(media("AAAA"))), empty + 765);
    let low = Media { detail: Some("low".into()), ..media("AAAA") };
    assert_eq!(of(PartKind::Image(low)), empty + 85);
    assert_eq!(of(PartKind::Document(media("AAAA"))), empty + 2250);
    let words = Media::at(Source::Text("hello world".into()));
    assert_eq!(of(PartKind::Document(words)), plain);
}

#[test]
fn of_a_long_request_a_part_is_cut_and_stands_for_all() {
    let words = "The quick brown fox jumps over the lazy dog. ".repeat(2000);
    let one = of_text(&words) - 6;
    let many = (0..20).map(|_| PartKind::Text(words.as_str().into())).collect();
    let all = estimate(&asked(many)) - 6;
    let exact = one * 20;
    assert!(all.abs_diff(exact) < exact / 100, "{all} of {exact}");
}

/// Texts made to be slow cost a bounded time, since a bounded part of them is cut.
#[test]
fn no_more_is_cut_than_the_sample() {
    let most = SAMPLE + WINDOW as u64;
    let long = "=".repeat(5_000_000);
    let mixed: Vec<&str> =
        (0..3000).map(|n| if n % 2 == 0 { "=" } else { &long[..WINDOW] }).collect();
    for texts in [vec![long.as_str()], mixed, vec!["=="; 1_000_000]] {
        let all = length(texts.iter().copied());
        let cut = length(sample(&texts, all));
        assert!((SAMPLE / 2..=most).contains(&cut), "{cut} of {all}");
    }
    let short = ["a", "", "bc"];
    assert_eq!(sample(&short, 3).collect::<Vec<_>>(), ["a", "bc"]);
}

proptest! {
    #[test]
    fn no_text_is_too_odd(words in any::<String>()) {
        let count = of_text(&words);
        prop_assert!(count >= 6 && count <= 6 + words.len() as u64);
    }
}

/// Nothing is gone on with where tokens are counted.
#[test]
fn what_ends_with_the_model_is_counted_though_the_model_goes_on_with_no_answer() {
    let mut request = asked(vec![PartKind::Text("Hi".into())]);
    let begun = Part::new(PartKind::Text("Well".into()), PartPath::default());
    request.turns.push(Turn { role: Role::Assistant, name: None, parts: vec![begun] });
    let facts = ModelFacts { lacks_begun_answers: true, ..ModelFacts::default() };
    let quirks = Quirks::default();
    let target = Target { model: "m", facts: &facts, platform: Platform::Own, quirks: &quirks };
    let written = CountApi::Gemini.write(request, &target).unwrap();
    assert!(String::from_utf8(written).unwrap().contains("Well"));
}
