use proptest::prelude::*;
use serde_json::json;

use super::*;

fn chat(body: &str) -> Result<Head, HeadError> {
    read_head(body.as_bytes(), Endpoint::ChatCompletions)
}

fn refused(body: &str) -> (Option<&'static str>, &'static str, String) {
    let error = chat(body).expect_err(body);
    (error.param, error.code, error.message)
}

#[test]
fn the_head_of_a_plain_request_is_read() {
    let body = r#" {"messages":[{"role":"user","content":"{\"model\":\"x\"}"}], "model" : "gpt-4o", "stream":true}"#;
    let head = chat(body).unwrap();
    assert_eq!(&body[head.model.clone()], r#""gpt-4o""#);
    assert_eq!(head.model_name, "gpt-4o");
    assert!(head.stream);
    assert!(!head.asks_usage());
    assert_eq!(head.stream_options, StreamOptions::Absent);
    assert_eq!(&body[..head.insert_at], " {");
}

#[test]
fn an_escaped_spelling_is_the_same_member() {
    let head = chat(r#"{"mod\u0065l":"a\u0062","messages":[]}"#).unwrap();
    assert_eq!(head.model_name, "ab");
}

#[test]
fn a_model_given_twice_is_refused_in_any_spelling() {
    for body in [
        r#"{"model":"a","messages":[],"model":"b"}"#,
        r#"{"model":"a","messages":[],"mod\u0065l":"b"}"#,
        r#"{"\u006dodel":"a","messages":[],"mod\u0065l":"a"}"#,
        r#"{"model":"a","messages":[],"Model":"b"}"#,
    ] {
        let (param, code, message) = refused(body);
        assert_eq!((param, code), (Some("model"), "invalid_parameters"), "{body}");
        assert!(message.contains("`model`"), "{message}");
    }
}

#[test]
fn a_model_of_the_wrong_type_empty_or_missing_is_refused() {
    for body in [
        r#"{"messages":[]}"#,
        r#"{"messages":[],"model":null}"#,
        r#"{"messages":[],"model":7}"#,
        r#"{"messages":[],"model":["a"]}"#,
        r#"{"messages":[],"model":{"model":"a"}}"#,
        r#"{"messages":[],"model":""}"#,
        r#"{"messages":[],"model":"\ud800"}"#,
    ] {
        let (param, code, _) = refused(body);
        assert_eq!((param, code), (Some("model"), "invalid_parameters"), "{body}");
    }
    let long = format!(r#"{{"messages":[],"model":"{}"}}"#, "m".repeat(MAX_MODEL_BYTES + 1));
    assert_eq!(refused(&long).0, Some("model"));
    assert!(chat(&long.replacen("mm", "m", 1)).is_ok());
}

#[test]
fn other_members_that_matter_are_refused_when_given_twice() {
    for (body, param) in [
        (r#"{"model":"a","messages":[],"messages":[]}"#, "messages"),
        (r#"{"model":"a","messages":[],"stream":true,"str\u0065am":false}"#, "stream"),
        (
            r#"{"model":"a","messages":[],"stream_options":{},"stream_options":null}"#,
            "stream_options",
        ),
        (
            r#"{"model":"a","messages":[],"stream_options":{"include_usage":true,"include_usag\u0065":false}}"#,
            "stream_options",
        ),
    ] {
        let (found, code, _) = refused(body);
        assert_eq!((found, code), (Some(param), "invalid_parameters"), "{body}");
    }
}

#[test]
fn members_of_the_wrong_type_are_refused() {
    for (body, param) in [
        (r#"{"model":"a","messages":[],"stream":1}"#, "stream"),
        (r#"{"model":"a","messages":[],"stream":"true"}"#, "stream"),
        (r#"{"model":"a","messages":[],"stream_options":true}"#, "stream_options"),
        (
            r#"{"model":"a","messages":[],"stream_options":{"include_usage":"yes"}}"#,
            "stream_options",
        ),
    ] {
        let (found, code, _) = refused(body);
        assert_eq!((found, code), (Some(param), "invalid_parameters"), "{body}");
    }
}

#[test]
fn the_limit_of_output_is_read_by_the_name_that_the_api_has_for_it() {
    let limit = |body: &str, endpoint| read_head(body.as_bytes(), endpoint).unwrap().output_limit;
    let chat = |members: &str| {
        limit(&format!(r#"{{"model":"a","messages":[]{members}}}"#), Endpoint::ChatCompletions)
    };
    assert_eq!(chat(r#","max_tokens":7"#), Some(7));
    assert_eq!(chat(r#","max_tokens":7,"max_completion_tokens":8"#), Some(8));
    // Vendors read either, and of one that is given twice the first or the last.
    assert_eq!(chat(r#","max_tokens":9,"max_completion_tokens":8"#), Some(9));
    assert_eq!(chat(r#","max_tokens":9,"max_tokens":8"#), Some(9));
    // Lax readers take these, too.
    for seven in [r#","max_tokens":"7""#, r#","max_tokens":7.0"#, r#","max_tokens":6.5"#] {
        assert_eq!(chat(seven), Some(7), "{seven}");
    }
    for nothing in
        ["", r#","max_tokens":null"#, r#","max_tokens":"many""#, r#","max_output_tokens":7"#]
    {
        assert_eq!(chat(nothing), None, "{nothing}");
    }
    let body = r#"{"model":"a","max_output_tokens":9,"max_tokens":7}"#;
    assert_eq!(limit(body, Endpoint::Responses), Some(9));
}

#[test]
fn messages_are_demanded_only_where_the_endpoint_has_them() {
    let body = br#"{"model":"a"}"#;
    for endpoint in [Endpoint::ChatCompletions, Endpoint::Messages, Endpoint::CountTokens] {
        for body in
            [&body[..], br#"{"model":"a","messages":{}}"#, br#"{"model":"a","messages":null}"#]
        {
            let error = read_head(body, endpoint).unwrap_err();
            assert!(error.message.contains("`messages`"), "{error}");
            assert_eq!(error.code, "invalid_parameters");
        }
    }
    for endpoint in [Endpoint::Completions, Endpoint::Embeddings, Endpoint::Responses] {
        assert!(read_head(body, endpoint).is_ok());
    }
}

#[test]
fn a_null_stream_is_no_stream() {
    assert!(!chat(r#"{"model":"a","messages":[],"stream":null}"#).unwrap().stream);
}

#[test]
fn stream_options_of_responses_are_the_upstreams_to_judge() {
    let body = br#"{"model":"a","stream_options":{"include_obfuscation":false}}"#;
    assert_eq!(read_head(body, Endpoint::Responses).unwrap().stream_options, StreamOptions::Other);
}

#[test]
fn what_is_not_one_json_object_in_utf8_is_refused() {
    let bodies: &[&[u8]] = &[
        b"",
        b"  ",
        b"null",
        b"[]",
        b"\"model\"",
        b"{",
        b"{\"model\":\"a\",\"messages\":[]",
        b"{\"model\":\"a\",\"messages\":[]}x",
        b"{\"model\":\"a\",\"messages\":[]}{}",
        b"{\"model\":\"a\",\"messages\":[],}",
        b"{\"model\":\"a\",\"messages\":[1,]}",
        b"{\"model\":\"a\" \"messages\":[]}",
        b"{model:\"a\",\"messages\":[]}",
        b"{'model':\"a\",\"messages\":[]}",
        b"{\"model\":\"a\",\"messages\":[\"a\nb\"]}",
        b"{\"model\":\"a\",\"messages\":[\"\\x\"]}",
        b"{\"model\":\"a\",\"messages\":[\"\\u12g4\"]}",
        b"{\"model\":\"a\",\"messages\":[01]}",
        b"{\"model\":\"a\",\"messages\":[1.]}",
        b"{\"model\":\"a\",\"messages\":[+1]}",
        b"{\"model\":\"a\",\"messages\":[NaN]}",
        b"{\"model\":\"a\",\"messages\":[]]",
        b"{\"model\":\"a\",\"messages\":[}]}",
        b"\xef\xbb\xbf{\"model\":\"a\",\"messages\":[]}",
        b"{\"model\":\"a\",\"messages\":[\"\xff\"]}",
        b"{\"model\":\"a\",\"messages\":[\"\xed\xa0\x80\"]}",
    ];
    for body in bodies {
        let error = read_head(body, Endpoint::ChatCompletions).unwrap_err();
        assert_eq!(
            (error.code, error.param),
            ("invalid_json", None),
            "{}",
            String::from_utf8_lossy(body)
        );
        assert!(error.message.starts_with("Invalid JSON in request body"), "{error}");
    }
}

#[test]
fn nesting_is_accepted_to_256_levels_and_no_deeper() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |levels: usize| {
            let inner = if open == "[" { "" } else { "1" };
            format!(
                r#"{{"model":"a","messages":[],"x":{}{inner}{}}}"#,
                open.repeat(levels),
                close.repeat(levels)
            )
        };
        assert!(chat(&nested(255)).is_ok());
        assert_eq!(refused(&nested(256)).1, "invalid_json");
        assert!(refused(&nested(1_000_000)).2.contains("256 levels"));
    }
}

/// JSON values of any kind, strings with everything that can stand in them.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        // Eighths, because serde_json reads back other fractions with a rounding error.
        any::<i32>().prop_map(|number| json!(f64::from(number) / 8.0)),
        any::<i64>().prop_map(|number| json!(number)),
        ".*".prop_map(|text| json!(text)),
        "[\"\\\\\u{0}-\u{1f}a-cé漢]{0,80}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
            proptest::collection::vec((".{0,8}", inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What `serde_json` says of the text, skipping it as the walk does.
fn serde_accepts(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    text.trim_ascii_start().starts_with('{')
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn walk_accepts(body: &[u8]) -> bool {
    !matches!(read_head(body, Endpoint::Completions), Err(HeadError { code: "invalid_json", .. }))
}

#[test]
fn the_length_of_a_model_is_that_of_its_name_not_of_its_spelling() {
    let request = |model: &str| format!(r#"{{"model":"{model}","messages":[]}}"#);
    let escaped = |length: usize| "\\u0061".repeat(length);
    assert_eq!(chat(&request(&escaped(2048))).unwrap().model_name, "a".repeat(2048));
    for long in [escaped(2049), "a".repeat(2049), "é".repeat(1025)] {
        assert_eq!(chat(&request(&long)).unwrap_err().param, Some("model"));
    }
}

proptest! {
    #[test]
    fn any_request_is_read_as_serde_json_reads_it(
        rest in proptest::collection::vec(("[a-z]{1,3}|\"|\\\\|é", any_json()), 0..5),
        model in ".{1,30}",
        stream in any::<Option<bool>>(),
        pretty in any::<bool>(),
    ) {
        let mut body: serde_json::Map<String, serde_json::Value> = rest.into_iter().collect();
        body.insert("model".into(), json!(model));
        body.insert("stream".into(), json!(stream));
        body.insert("messages".into(), json!([]));
        let text = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) }.unwrap();
        let head = chat(&text).unwrap();
        prop_assert_eq!(&head.model_name, &model);
        prop_assert_eq!(head.stream, stream.unwrap_or(false));

        let bytes = bytes::Bytes::from(text);
        let sent = crate::wire::rewrite(
            &bytes,
            &head,
            crate::wire::Changes {
                model_json: Some(b"\"up/stream\""),
                ask_usage: true,
                output_limit: None,
                no_negative_limits: false,
            },
        );
        let mut expected = body;
        expected.insert("model".into(), json!("up/stream"));
        expected.insert("stream_options".into(), json!({"include_usage": true}));
        let sent: serde_json::Value = serde_json::from_slice(&sent).unwrap();
        prop_assert_eq!(sent, serde_json::Value::Object(expected));
    }

    #[test]
    fn a_broken_request_is_accepted_only_where_serde_json_accepts_it(
        value in any_json(),
        cut in any::<prop::sample::Index>(),
        junk in prop_oneof![
            Just(Vec::new()),
            "[\\[\\]{}\",:0-9eE.+\\-\\\\u tfn\u{0}\n]{1,3}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 1..3),
        ],
        replaced in 0_usize..3,
    ) {
        let mut text = json!({"model": "m", "x": value}).to_string().into_bytes();
        let at = cut.index(text.len() + 1);
        let end = (at + replaced).min(text.len());
        text.splice(at..end, junk);
        prop_assert_eq!(walk_accepts(&text), serde_accepts(&text), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn a_request_cut_anywhere_is_refused(value in any_json()) {
        let text = json!({"model": "m", "x": value}).to_string();
        for at in 0..text.len() {
            prop_assert!(!walk_accepts(&text.as_bytes()[..at]));
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(walk_accepts(&body), serde_accepts(&body));
    }
}
