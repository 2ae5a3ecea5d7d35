//! What this dialect promises.

use serde_json::{Value, json};

use crate::{
    domain::{ModelFacts, Quirks, TokenUsage},
    translate::{
        Answering, ClientApi, Framing, Platform, StreamTranslator, Target, VendorApi,
        form::{Answer, Part, PartKind, PartPath, StopReason},
    },
};

fn context() -> Answering {
    Answering { seed: "seed".to_owned(), created: 7, model: "told".into(), ..Answering::default() }
}

#[test]
fn a_prompt_is_the_users_turn_and_the_rest_travels() {
    for prompt in [r#""Once""#, r#"["Once"]"#] {
        let body = format!(
            r#"{{"model":"m","prompt":{prompt},"max_tokens":9,"temperature":0.5,"stop":"\n","n":1,"echo":false,"best_of":1,"logprobs":null,"suffix":null,"user":"u","min_p":0.1,"stream":true}}"#
        );
        let request = ClientApi::Completions.read(body.as_bytes()).unwrap();
        let (facts, quirks) = (ModelFacts::default(), Quirks::default());
        let target = Target { model: "v", facts: &facts, platform: Platform::Own, quirks: &quirks };
        let sent = VendorApi::Chat.write(request.clone(), &target).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&sent).unwrap(),
            json!({"model":"v","messages":[{"role":"user","content":"Once"}],"max_tokens":9,"temperature":0.5,"stop":["\n"],"user":"u","min_p":0.1,"stream":true})
        );
    }
}

#[test]
fn what_a_conversation_cannot_do_is_refused_by_name() {
    for (members, param) in [
        (r#""prompt":["a","b"]"#, "prompt"),
        (r#""prompt":[1,2]"#, "prompt"),
        (r#""prompt":[[1,2]]"#, "prompt"),
        (r#""prompt":"a","suffix":"b""#, "suffix"),
        (r#""prompt":"a","echo":true"#, "echo"),
        (r#""prompt":"a","best_of":3"#, "best_of"),
        (r#""prompt":"a","logprobs":2"#, "logprobs"),
        (r#""prompt":"a","n":2"#, "n"),
    ] {
        let body = format!("{{{members}}}");
        let refusal = ClientApi::Completions.read(body.as_bytes()).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("unsupported_parameter", Some(param)),
            "{members}"
        );
    }
    for body in
        ["{}", r#"{"prompt":[]}"#, r#"{"prompt":{}}"#, r#"{"prompt":""}"#, r#"{"prompt":[""]}"#]
    {
        let refusal = ClientApi::Completions.read(body.as_bytes()).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("invalid_parameters", Some("prompt"))
        );
    }
}

#[test]
fn an_answer_is_its_text() {
    let part = |text: &'static str| Part::new(PartKind::Text(text.into()), PartPath::default());
    let answer = Answer {
        parts: vec![part("upon "), part("a time")],
        stop: Some(StopReason::Length),
        usage: Some(TokenUsage { input: 1, output: 2, ..TokenUsage::default() }),
        ..Answer::default()
    };
    let body: Value =
        serde_json::from_slice(&ClientApi::Completions.write(&answer, &context())).unwrap();
    assert_eq!(
        body,
        json!({"id":"cmpl-seed","object":"text_completion","created":7,"model":"told",
            "choices":[{"text":"upon a time","index":0,"logprobs":null,"finish_reason":"length"}],
            "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,
                "prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}})
    );
}

#[test]
fn a_stream_is_its_text_and_thinking_is_not_shown() {
    let from = "data: {\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"hm\"}}]}\n\n\
        data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"upon\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n\
        data: [DONE]\n\n";
    let mut translator =
        StreamTranslator::new(VendorApi::Chat, Framing::Sse, ClientApi::Completions, context());
    let out = translator.push(from.as_bytes());
    assert!(translator.complete());
    let head = r#"data: {"id":"c1","object":"text_completion","created":7,"model":"m1","choices":[{"index":0,"text":"#;
    let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}"#;
    let expected = format!(
        "{head}\"upon\",\"logprobs\":null,\"finish_reason\":null}}]}}\n\n\
         {head}\"\",\"logprobs\":null,\"finish_reason\":\"stop\"}}],{usage}}}\n\n\
         data: [DONE]\n\n"
    );
    assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
}
