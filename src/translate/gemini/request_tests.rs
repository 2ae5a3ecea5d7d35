//! What Gemini is sent, but for tools.

use serde_json::json;

use super::{inlines, support::*};
use crate::{
    domain::{Efforts, ModelFacts, ReasoningMode},
    translate::{
        ClientApi, Platform,
        form::{
            Effort, Format, JsonSchema, Media, Origin, PartKind, Pictures, Reasoning, Request,
            Role, Sampling, Source, Text,
        },
    },
};

#[test]
fn instructions_history_and_sampling_have_their_places() {
    let request = Request {
        max_tokens: Some(80),
        sampling: Sampling {
            temperature: Some(0.3),
            top_p: Some(0.8),
            seed: Some(7),
            n: Some(1),
            presence_penalty: Some(0.0),
            ..Sampling::default()
        },
        stop: vec!["FIN".into()],
        user: Some("u-1".into()),
        ..asking([
            turn(Role::System, [text("Speak plainly.")]),
            user("Name a moon."),
            turn(Role::Assistant, [text("Io.")]),
            user("Another?"),
            turn(Role::Developer, [text("Be short."), text(" ")]),
        ])
    };
    assert_eq!(
        written(&request),
        json!({
            "systemInstruction": {"parts": [{"text": "Speak plainly."}, {"text": "Be short."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Name a moon."}]},
                {"role": "model", "parts": [{"text": "Io."}]},
                {"role": "user", "parts": [{"text": "Another?"}]},
            ],
            "generationConfig": {
                "temperature": 0.3, "topP": 0.8, "maxOutputTokens": 80, "stopSequences": ["FIN"],
                "seed": 7,
            },
        })
    );
}

#[test]
fn a_plain_question_is_nothing_but_contents() {
    let request = asking([user("Hi"), user(""), user("there")]);
    let contents = json!([{"role": "user", "parts": [{"text": "Hi"}, {"text": "there"}]}]);
    assert_eq!(written(&request), json!({"contents": contents}));
}

#[test]
fn instructions_alone_become_the_question() {
    let request = asking([turn(Role::System, [text("Say hello.")])]);
    assert_eq!(
        written(&request),
        json!({"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]})
    );
    assert_eq!(refused(&asking([user(" ")])).1, "messages");
}

#[test]
fn ranges_are_clamped_and_hints_cut() {
    let sampling = Sampling {
        temperature: Some(2.7),
        top_p: Some(1.5),
        top_k: Some(40),
        frequency_penalty: Some(-3.0),
        presence_penalty: Some(0.5),
        seed: Some(1 << 40 | 5),
        ..Sampling::default()
    };
    let request = Request { sampling, ..asking([user("Hi")]) };
    assert_eq!(
        written(&request)["generationConfig"],
        json!({"temperature": 2.0, "topP": 1.0, "topK": 40, "seed": 5, "presencePenalty": 0.5,
            "frequencyPenalty": -2.0})
    );
}

#[test]
fn what_gemini_cannot_do_is_refused_by_name() {
    let with = |sampling| Request { sampling, ..asking([user("Hi")]) };
    let none = Sampling::default;
    for (request, param) in [
        (with(Sampling { n: Some(2), ..none() }), "n"),
        (with(Sampling { logprobs: true, ..none() }), "logprobs"),
        (with(Sampling { logit_bias: Some(raw(r#"{"50256":-100}"#)), ..none() }), "logit_bias"),
        (Request { stop: vec!["x".into(); 6], ..asking([user("Hi")]) }, "stop"),
        (asking([turn(Role::System, [image(Source::Base64("AA==".into()))])]), "messages[1]"),
        (
            asking([turn(
                Role::User,
                [PartKind::Other { name: "search_result".into(), raw: raw("{}") }],
            )]),
            "messages[1]",
        ),
    ] {
        assert_eq!(refused(&request), ("unsupported_parameter", param.to_owned()));
    }
    assert!(
        written(&with(Sampling { logit_bias: Some(raw("{}")), ..none() }))["generationConfig"]
            .is_null()
    );
}

#[test]
fn json_goes_by_type_and_schema() {
    let object = Request { format: Some(Format::JsonObject), ..asking([user("Hi")]) };
    assert_eq!(
        written(&object)["generationConfig"],
        json!({"responseMimeType": "application/json"})
    );
    let schema = r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}"#;
    let format = JsonSchema {
        name: Some("person".into()),
        description: None,
        schema: raw(schema),
        strict: Some(true),
    };
    let request = Request { format: Some(Format::JsonSchema(format)), ..asking([user("Hi")]) };
    assert_eq!(
        written(&request)["generationConfig"],
        json!({"responseMimeType": "application/json",
            "responseJsonSchema": serde_json::from_str::<serde_json::Value>(schema).unwrap()})
    );
}

#[test]
fn thinking_is_a_budget_or_a_level_and_never_both() {
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let tokens = |tokens| Reasoning { max_tokens: Some(tokens), ..Reasoning::default() };
    let budget = |tokens| json!({"includeThoughts": true, "thinkingBudget": tokens});
    let level = |level| json!({"includeThoughts": true, "thinkingLevel": level});
    let off = json!({"thinkingBudget": 0});
    for (model, reasoning, expected) in [
        ("gemini-2.5-flash", effort(Effort::High), budget(24_576)),
        ("gemini-2.5-flash", effort(Effort::Low), budget(2048)),
        ("gemini-2.5-flash", effort(Effort::Max), budget(24_576)),
        ("gemini-2.5-flash", effort(Effort::None), off.clone()),
        ("gemini-2.5-flash", tokens(0), off),
        ("gemini-2.5-flash", tokens(4000), budget(4000)),
        ("gemini-2.5-flash", Reasoning::default(), budget(-1)),
        ("gemini-2.5-flash-lite", tokens(100), budget(512)),
        ("gemini-2.5-pro", effort(Effort::XHigh), budget(32_768)),
        ("gemini-2.5-pro", effort(Effort::None), json!({"thinkingBudget": 128})),
        ("gemini-3-pro-preview", effort(Effort::Low), level("low")),
        ("gemini-3-pro-preview", effort(Effort::Medium), level("high")),
        ("gemini-3.1-pro-preview", effort(Effort::Medium), level("medium")),
        ("gemini-3-pro-preview", effort(Effort::None), json!({"thinkingLevel": "low"})),
        ("gemini-3-flash-preview", effort(Effort::None), json!({"thinkingLevel": "minimal"})),
        ("gemini-3-flash-preview", effort(Effort::Max), level("high")),
        ("gemini-3-flash-preview", tokens(10_000), level("medium")),
        ("gemini-3-flash-preview", Reasoning::default(), json!({"includeThoughts": true})),
        ("gemini-2.0-flash-001", effort(Effort::None), json!(null)),
    ] {
        let request = Request { reasoning: Some(reasoning), ..asking([user("Hi")]) };
        let body = written_for(&request, model, Platform::Own, None).unwrap();
        assert_eq!(body["generationConfig"]["thinkingConfig"], expected, "{model} {reasoning:?}");
    }
}

#[test]
fn the_catalogue_knows_better_than_the_name() {
    let reasoning =
        Reasoning { effort: Some(Effort::High), visible: Some(false), max_tokens: None };
    let request = Request { reasoning: Some(reasoning), ..asking([user("Hi")]) };
    let level =
        written_for(&request, "tuned-1", Platform::Vertex, Some(ReasoningMode::Level)).unwrap();
    assert_eq!(level["generationConfig"]["thinkingConfig"], json!({"thinkingLevel": "HIGH"}));
    let budget =
        written_for(&request, "tuned-1", Platform::Vertex, Some(ReasoningMode::Budget)).unwrap();
    assert_eq!(budget["generationConfig"]["thinkingConfig"], json!({"thinkingBudget": 24_576}));
}

#[test]
fn a_level_that_the_model_does_not_know_is_its_nearest() {
    let newest = Efforts::named(["low", "medium", "high"]);
    let facts = ModelFacts { efforts: Some(newest), ..ModelFacts::default() };
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let tokens = |tokens| Reasoning { max_tokens: Some(tokens), ..Reasoning::default() };
    for (reasoning, level) in [
        (effort(Effort::None), "LOW"),
        (effort(Effort::Minimal), "LOW"),
        (tokens(0), "LOW"),
        (tokens(1024), "LOW"),
        (effort(Effort::Medium), "MEDIUM"),
        (effort(Effort::Max), "HIGH"),
    ] {
        let request = Request { reasoning: Some(reasoning), ..asking([user("Hi")]) };
        for (platform, level) in
            [(Platform::Vertex, level.to_owned()), (Platform::Own, level.to_lowercase())]
        {
            let body = written_knowing(&request, "gemini-3.8-flash", platform, &facts).unwrap();
            let told = &body["generationConfig"]["thinkingConfig"]["thinkingLevel"];
            assert_eq!(told, &json!(level), "{reasoning:?}");
        }
    }
}

#[test]
fn an_answer_that_was_begun_is_refused_where_the_model_goes_on_with_none() {
    let begun = || asking([user("Count"), turn(Role::Assistant, [text("One, two")])]);
    let facts = ModelFacts { lacks_begun_answers: true, ..ModelFacts::default() };
    let written = |request: &Request<'_>, facts: &ModelFacts| {
        written_knowing(request, "gemini-3.7-flash", Platform::Own, facts)
    };
    let refusal = written(&begun(), &facts).unwrap_err();
    assert_eq!(
        (refusal.code, refusal.param.as_deref()),
        ("unsupported_parameter", Some("messages"))
    );
    let responses = Request { client: Some(ClientApi::Responses), ..begun() };
    assert_eq!(written(&responses, &facts).unwrap_err().param.as_deref(), Some("input"));
    assert!(written(&begun(), &ModelFacts::default()).is_ok(), "older models go on");
    // What was left empty is no answer.
    let empty = asking([user("Count"), turn(Role::Assistant, [text(" ")])]);
    assert!(written(&empty, &facts).is_ok());
}

#[test]
fn media_are_inline() {
    let jpg = Media { mime: Some("image/jpg".into()), ..Media::at(Source::Base64("/9j/".into())) };
    let bare = Media::at(Source::Base64("iVBORw0KGgoAAA".into()));
    let paper = Media {
        name: Some("a.txt".into()),
        context: Some("old".into()),
        ..Media::at(Source::Text("words".into()))
    };
    let request = asking([turn(
        Role::User,
        [
            image(Source::Base64("iVBO".into())),
            PartKind::Image(jpg),
            PartKind::Image(bare),
            text("Colour?"),
            PartKind::Document(paper),
        ],
    )]);
    assert_eq!(
        written(&request)["contents"][0]["parts"],
        json!([
            {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
            {"inlineData": {"mimeType": "image/jpeg", "data": "/9j/"}},
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoAAA"}},
            {"text": "Colour?"},
            {"text": "a.txt"},
            {"text": "old"},
            {"text": "words"},
        ])
    );
    let mp3 = Media { mime: Some("audio/mpeg".into()), ..Media::at(Source::Base64("AA==".into())) };
    let page = Media { name: Some("a.PDF".into()), ..Media::at(Source::Base64("AA==".into())) };
    let request = asking([turn(Role::User, [PartKind::Audio(mp3), PartKind::Document(page)])]);
    assert_eq!(
        written(&request)["contents"][0]["parts"],
        json!([
            {"inlineData": {"mimeType": "audio/mp3", "data": "AA=="}},
            {"inlineData": {"mimeType": "application/pdf", "data": "AA=="}},
        ])
    );
    let unknown = Media::at(Source::Base64("AAAA".into()));
    let request = asking([turn(Role::User, [PartKind::Image(unknown)])]);
    assert_eq!(refused(&request), ("invalid_parameters", "messages[1]".to_owned()));
}

#[test]
fn addresses_go_to_those_who_read_them() {
    let own = Platform::Own;
    let vertex = Platform::Vertex;
    let files = "https://generativelanguage.googleapis.com/v1beta/files/x1";
    // Where, the URL, whether the gateway fetches it, what is sent if it does not.
    for (platform, url, inlined, file) in [
        (own, "https://x.test/a.png", true, None),
        (own, "http://x.test/a.png", true, None),
        (own, "gs://bucket/a.png", false, None),
        (own, files, false, Some(json!({"fileUri": files}))),
        (own, "https://youtu.be/abc", false, Some(json!({"fileUri": "https://youtu.be/abc"}))),
        (own, "https://youtu.be.evil.test/abc", true, None),
        (
            vertex,
            "https://x.test/a.png?s=1",
            false,
            Some(json!({"mimeType": "image/png", "fileUri": "https://x.test/a.png?s=1"})),
        ),
        (vertex, "https://x.test/picture", true, None),
        (vertex, "http://x.test/a.png", true, None),
        (
            vertex,
            "gs://bucket/a.pdf",
            false,
            Some(json!({"mimeType": "application/pdf", "fileUri": "gs://bucket/a.pdf"})),
        ),
        (
            vertex,
            "https://www.youtube.com/watch?v=abc",
            false,
            Some(
                json!({"mimeType": "video/mp4", "fileUri": "https://www.youtube.com/watch?v=abc"}),
            ),
        ),
    ] {
        let part = PartKind::Document(Media::at(Source::Url(Text::from(url))));
        assert_eq!(inlines(platform, &part), inlined, "{url}");
        let request = asking([turn(Role::User, [part])]);
        let body = written_for(&request, "gemini-2.5-flash", platform, None);
        match file {
            Some(file) => {
                assert_eq!(body.unwrap()["contents"][0]["parts"][0], json!({"fileData": file}));
            }
            None => assert_eq!(body.unwrap_err().code, "unsupported_parameter", "{url}"),
        }
    }
}

#[test]
fn files_are_known_by_their_ids() {
    let request = asking([turn(Role::User, [image(Source::File("files/x1".into()))])]);
    assert_eq!(
        written(&request)["contents"][0]["parts"][0],
        json!({"fileData": {"mimeType": "image/png",
            "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x1"}})
    );
    let foreign = asking([turn(Role::User, [image(Source::File("file-abc".into()))])]);
    assert_eq!(refused(&foreign).0, "unsupported_parameter");
}

#[test]
fn pictures_are_answered_only_where_asked() {
    let rest = vec![("image_config".into(), raw(r#"{"aspect_ratio":"16:9","n":1}"#))];
    let wanted = |alone| Some(Pictures { alone, param: "modalities".into() });
    let request = Request { rest, pictures: wanted(false), ..asking([user("Draw")]) };
    assert_eq!(
        written(&request)["generationConfig"],
        json!({"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9"}})
    );
    let request = Request { pictures: wanted(true), stream: true, ..asking([user("Draw")]) };
    assert_eq!(written(&request)["generationConfig"], json!({"responseModalities": ["IMAGE"]}));
    assert!(written(&asking([user("Hi")]))["generationConfig"].is_null());
}

#[test]
fn a_picture_that_the_model_made_goes_back_with_its_proof() {
    let made = image(Source::Base64("iVBO".into()));
    let turns = [user("Draw"), turn(Role::Assistant, [made, proof("", Origin::Google, "c2ln")])];
    assert_eq!(
        written(&asking(turns))["contents"][1]["parts"],
        json!([{"inlineData": {"mimeType": "image/png", "data": "iVBO"},
            "thoughtSignature": "c2ln"}])
    );
}

#[test]
fn a_large_request_is_written_quickly_and_whole() {
    let words = "Lorem \"ipsum\"\n".repeat(20_000);
    let request = asking([user(&words)]);
    let started = std::time::Instant::now();
    let body = written(&request);
    assert_eq!(body["contents"][0]["parts"][0]["text"], words);
    assert!(started.elapsed() < std::time::Duration::from_secs(2));
}
