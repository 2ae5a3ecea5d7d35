//! Clients' requests: everything that the unified API takes is understood.

use serde_json::json;

use super::{quirks, sent};
use crate::translate::{
    ClientApi,
    form::{
        CacheMark, Effort, Format, Origin, PartKind, Reasoning, Refusal, Request, Role, Source,
        ToolChoice, ToolKind,
    },
};

fn read(body: &str) -> Request<'_> {
    ClientApi::Chat.read(body.as_bytes()).unwrap()
}

fn refused(body: &str) -> Refusal {
    ClientApi::Chat.read(body.as_bytes()).unwrap_err()
}

fn with(members: &str) -> String {
    format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],{members}}}"#)
}

#[test]
fn every_role_is_a_turn_and_keeps_its_name() {
    let request = read(
        r#"{"model":"m","messages":[
            {"role":"developer","content":"d"},{"role":"system","content":[{"type":"text","text":"s"}]},
            {"role":"user","name":"ann","content":"u"},{"role":"assistant","content":null,"refusal":"no"},
            {"role":"user","content":null}]}"#,
    );
    let roles: Vec<Role> = request.turns.iter().map(|turn| turn.role).collect();
    let expected = [Role::Developer, Role::System, Role::User, Role::Assistant, Role::User];
    assert_eq!(roles, expected);
    assert_eq!(request.turns[2].name.as_deref(), Some("ann"));
    assert!(matches!(&request.turns[3].parts[0].kind, PartKind::Refusal(text) if *text == "no"));
    assert!(request.turns[4].parts.is_empty());
}

#[test]
fn pictures_sound_and_files_are_media() {
    let request = read(
        r#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"text","text":"t","cache_control":{"type":"ephemeral","ttl":"1h"}},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},
            {"type":"image_url","image_url":"https://x.test/a.png"},
            {"type":"input_audio","input_audio":{"data":"BBBB","format":"mp3"}},
            {"type":"file","file":{"file_data":"data:application/pdf;base64,CCCC","filename":"a.pdf"}},
            {"type":"file","file":{"file_data":"JVBERi0xLjc="}},
            {"type":"file","file":{"file_id":"file-1"}},
            {"type":"file","file":{"file_data":"data:image/webp;base64,DDDD"}},
            {"type":"video_url","video_url":{"url":"https://x.test/v"}}]}]}"#,
    );
    let parts = &request.turns[0].parts;
    assert_eq!(parts[0].cache, Some(CacheMark::Hour));
    assert_eq!(parts[1].path.to_string(), "messages[0].content[1]");
    let shown: Vec<String> = parts
        .iter()
        .map(|part| match &part.kind {
            PartKind::Text(text) => format!("text {}", &**text),
            PartKind::Image(media) => format!("image {:?} {:?}", media.source, media.mime),
            PartKind::Audio(media) => format!("audio {:?} {:?}", media.source, media.mime),
            PartKind::Document(media) => {
                format!("document {:?} {:?} {:?}", media.source, media.mime, media.name)
            }
            PartKind::Other { name, .. } => format!("other {}", &**name),
            other => format!("{other:?}"),
        })
        .collect();
    let expected = [
        "text t",
        r#"image Base64("AAAA") Some("image/png")"#,
        r#"image Url("https://x.test/a.png") None"#,
        r#"audio Base64("BBBB") Some("audio/mpeg")"#,
        r#"document Base64("CCCC") Some("application/pdf") Some("a.pdf")"#,
        r#"document Base64("JVBERi0xLjc=") Some("application/pdf") None"#,
        r#"document File("file-1") None None"#,
        r#"image Base64("DDDD") Some("image/webp")"#,
        "other video_url",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_mark_on_a_message_is_a_mark_on_its_last_part() {
    let request = read(
        r#"{"messages":[{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],
            "cache_control":{"type":"ephemeral"}}],
            "tools":[{"type":"function","function":{"name":"f"},"cache_control":{"type":"ephemeral","ttl":"5m"}}]}"#,
    );
    let marks: Vec<_> = request.turns[0].parts.iter().map(|part| part.cache).collect();
    assert_eq!(marks, [None, Some(CacheMark::Short)]);
    assert_eq!(request.tools[0].cache, Some(CacheMark::Short));
}

#[test]
fn calls_and_results_are_read_in_every_form_that_clients_send() {
    let request = read(
        r#"{"messages":[
            {"role":"assistant","content":"","tool_calls":[
                {"id":"a","type":"function","function":{"name":"f","arguments":""},
                 "extra_content":{"google":{"thought_signature":"c2ln"}}},
                {"id":"b","function":{"name":"g","arguments":{"x":1}}},
                {"id":"c","type":"custom","custom":{"name":"h","input":"free text"}}]},
            {"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"r"}]},
            {"role":"assistant","function_call":{"name":"old","arguments":"{\"y\":2}"}},
            {"role":"function","name":"old","content":"done"}]}"#,
    );
    let calls: Vec<_> = request.turns[0]
        .parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) => Some((&*call.id, &*call.arguments, call.custom)),
            _ => None,
        })
        .collect();
    assert_eq!(calls, [("a", "{}", false), ("b", r#"{"x":1}"#, false), ("c", "free text", true)]);
    let PartKind::ToolCall(first) = &request.turns[0].parts[1].kind else { panic!() };
    let signature = first.signature.as_ref().unwrap();
    assert_eq!((signature.origin, &*signature.value), (Origin::Google, "c2ln"));
    let PartKind::ToolCall(old) = &request.turns[2].parts[0].kind else { panic!() };
    let PartKind::ToolResult(result) = &request.turns[3].parts[0].kind else { panic!() };
    assert_eq!(old.id, result.call_id);
    assert_eq!(result.name.as_deref(), Some("old"));
}

#[test]
fn thinking_comes_back_with_what_proves_it() {
    let request = read(
        r#"{"messages":[{"role":"assistant","content":"c","reasoning":"one two",
            "reasoning_details":[
                {"type":"reasoning.text","text":"one ","index":0},
                {"type":"reasoning.text","text":"two","index":0},
                {"type":"reasoning.text","signature":"s1","format":"anthropic-claude-v1","index":0},
                {"type":"reasoning.encrypted","data":"r2","format":"anthropic-claude-v1","index":1},
                {"type":"reasoning.text","text":"three","signature":"s3","format":"anthropic-claude-v1","index":2},
                {"type":"reasoning.text","text":"x","signature":"s","format":"somebody-else-v1","index":3}]}]}"#,
    );
    let thinking: Vec<_> = request.turns[0]
        .parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::Thinking(one) => {
                let signature = one.signature.as_ref().map(|one| &*one.value);
                Some((&*one.text, signature, one.redacted))
            }
            _ => None,
        })
        .collect();
    let expected =
        [("one two", Some("s1"), false), ("", Some("r2"), true), ("three", Some("s3"), false)];
    assert_eq!(thinking, expected);
}

#[test]
fn plain_thinking_is_thinking_where_nothing_else_is_known() {
    for member in ["reasoning", "reasoning_content"] {
        let body = format!(
            r#"{{"messages":[{{"role":"assistant","content":"c","{member}":"why",
            "reasoning_details":[{{"type":"reasoning.text","text":"x","format":"somebody-else-v1"}}]}}]}}"#
        );
        let request = read(&body);
        let PartKind::Thinking(one) = &request.turns[0].parts[0].kind else { panic!("{member}") };
        assert_eq!((&*one.text, &one.signature), ("why", &None));
    }
}

#[test]
fn every_form_of_tool_choice_is_read() {
    use ToolChoice::{Allowed, Auto, Named, None, Required};
    let allowed = |required| Allowed { names: vec!["f".into(), "g".into()], required };
    for (choice, expected) in [
        (r#""auto""#, Auto),
        (r#""none""#, None),
        (r#""required""#, Required),
        (r#"{"type":"any"}"#, Required),
        (r#"{"type":"function","function":{"name":"f"}}"#, Named("f".into())),
        (r#"{"type":"custom","custom":{"name":"c"}}"#, Named("c".into())),
        (
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}]}}"#,
            allowed(true),
        ),
        (
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"function":{"name":"f"}},{"function":{"name":"g"}}]}}"#,
            allowed(false),
        ),
    ] {
        let body = with(&format!(r#""tool_choice":{choice}"#));
        assert_eq!(read(&body).tool_choice, Some(expected), "{choice}");
    }
    let old = with(r#""functions":[{"name":"f"}],"function_call":{"name":"f"}"#);
    assert_eq!(read(&old).tool_choice, Some(Named("f".into())));
    assert!(matches!(&read(&old).tools[0].kind, ToolKind::Function { name, .. } if *name == "f"));
    assert_eq!(refused(&with(r#""tool_choice":"often""#)).param.as_deref(), Some("tool_choice"));
}

#[test]
fn web_search_is_a_tool_however_it_is_asked_for() {
    for member in [
        r#""web_search":true"#,
        r#""web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Graz"}}}"#,
        r#""tools":[{"type":"web_search","max_uses":3,"user_location":{"type":"approximate","city":"Graz"}}]"#,
    ] {
        let body = with(member);
        assert!(matches!(read(&body).tools[0].kind, ToolKind::WebSearch { .. }), "{member}");
    }
    let body = with(r#""web_search":false"#);
    assert!(read(&body).tools.is_empty());
}

#[test]
fn reasoning_is_read_in_both_forms_but_not_both_at_once() {
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    for (members, expected) in [
        (r#""reasoning_effort":"xhigh""#, effort(Effort::XHigh)),
        (r#""reasoning":{"effort":"minimal"}"#, effort(Effort::Minimal)),
        (r#""reasoning":{"enabled":false}"#, effort(Effort::None)),
        (
            r#""reasoning":{"effort":"high","max_tokens":900}"#,
            Reasoning { max_tokens: Some(900), ..effort(Effort::High) },
        ),
        (
            r#""reasoning":{"enabled":true,"exclude":true}"#,
            Reasoning { visible: Some(false), ..Reasoning::default() },
        ),
    ] {
        assert_eq!(read(&with(members)).reasoning, Some(expected), "{members}");
    }
    for (members, param) in [
        (r#""reasoning_effort":"low","reasoning":{"effort":"low"}"#, "reasoning.effort"),
        (r#""reasoning_effort":"lots""#, "reasoning_effort"),
        (r#""reasoning":{"max_tokens":0}"#, "reasoning.max_tokens"),
    ] {
        let refusal = refused(&with(members));
        assert_eq!(refusal.code, "invalid_parameters");
        assert_eq!(refusal.param.as_deref(), Some(param), "{members}");
    }
}

#[test]
fn limits_stop_texts_and_null_are_read_as_sdks_send_them() {
    let body = with(
        r#""max_tokens":5,"max_completion_tokens":7,"stop":"END","temperature":null,"n":1,"logit_bias":{},
        "response_format":{"type":"text"},"stream":true,"stream_options":{"include_usage":true},"tools":null"#,
    );
    let request = read(&body);
    assert_eq!(request.max_tokens, Some(7));
    assert_eq!(request.stop, ["END"]);
    assert!(request.stream && request.format.is_none() && request.tools.is_empty());
    assert!(request.sampling.logit_bias.is_none() && request.sampling.temperature.is_none());
    assert!(request.rest.is_empty());
    for (stop, count) in [(r#"["a","b"]"#, 2), ("[]", 0), ("null", 0)] {
        assert_eq!(read(&with(&format!(r#""stop":{stop}"#))).stop.len(), count, "{stop}");
    }
    let refusal = refused(&with(r#""stop":["1","2","3","4","5"]"#));
    assert_eq!(refusal.param.as_deref(), Some("stop"));
}

#[test]
fn the_form_of_the_answer_is_read() {
    let body = with(
        r#""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}"#,
    );
    let Some(Format::JsonSchema(schema)) = read(&body).format else { panic!() };
    assert_eq!((schema.name.as_deref(), schema.strict), (Some("n"), Some(true)));
    assert_eq!(schema.schema.get(), r#"{"type":"object"}"#);
    let body = with(r#""response_format":{"type":"json_object"}"#);
    assert!(matches!(read(&body).format, Some(Format::JsonObject)));
    let missing = refused(&with(r#""response_format":{"type":"json_schema","json_schema":{}}"#));
    assert_eq!(missing.param.as_deref(), Some("response_format.json_schema.schema"));
}

#[test]
fn what_no_other_dialect_has_a_place_for_is_refused_by_name() {
    for (members, param) in [
        (r#""modalities":["text","audio"]"#, "modalities"),
        (r#""modalities":["text","video"]"#, "modalities"),
        (r#""audio":{"voice":"v","format":"wav"}"#, "audio"),
        (r#""reasoning":{"mode":"pro"}"#, "reasoning.mode"),
        (r#""response_format":{"type":"grammar"}"#, "response_format.type"),
    ] {
        let refusal = refused(&with(members));
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("unsupported_parameter", Some(param))
        );
    }
}

#[test]
fn pictures_may_be_asked_for_and_come_back_with_the_next_question() {
    let asked = |modalities: &str| {
        let body = with(&format!(r#""modalities":{modalities}"#));
        let pictures = read(&body).pictures;
        pictures.map(|pictures| (pictures.alone, pictures.param.to_string()))
    };
    assert_eq!(asked(r#"["image"]"#), Some((true, "modalities".to_owned())));
    assert_eq!(asked(r#"["image","text"]"#), Some((false, "modalities".to_owned())));
    assert_eq!(asked(r#"["text"]"#), None);
    let body = r#"{"messages":[{"role":"user","content":"Draw"},{"role":"assistant","content":"There.","images":[{"type":"image_url","index":0,"image_url":{"url":"data:image/png;base64,iVBO"}}]}]}"#;
    let request = read(body);
    let [text, picture] = request.turns[1].parts.as_slice() else { panic!() };
    assert!(matches!(&text.kind, PartKind::Text(_)));
    let PartKind::Image(media) = &picture.kind else { panic!("{picture:?}") };
    assert!(matches!(&media.source, Source::Base64(data) if **data == *"iVBO"));
}

#[test]
fn results_of_custom_tools_are_told_apart_by_their_calls() {
    let body = r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{"name":"p","input":"x"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}]}"#;
    let request = read(body);
    let results: Vec<bool> = request.turns[1..]
        .iter()
        .map(|turn| match &turn.parts[0].kind {
            PartKind::ToolResult(result) => result.custom,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(results, [true, false]);
}

#[test]
fn sound_of_an_earlier_answer_is_refused_and_no_sound_is_not() {
    let refusal = refused(r#"{"messages":[{"role":"assistant","audio":{"id":"audio_1"}}]}"#);
    assert_eq!(refusal.param.as_deref(), Some("messages[0].audio"));
    let sdk = r#"{"messages":[{"role":"assistant","content":"hi","audio":null,"function_call":null,"tool_calls":null,"refusal":null,"annotations":[]}]}"#;
    assert_eq!(read(sdk).turns[0].parts.len(), 1);
}

#[test]
fn a_fault_names_its_place_and_not_the_text_around_it() {
    for (body, param) in [
        (r#"{"messages":"no"}"#, "messages"),
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"messages":[{"role":"king","content":"x"}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":5}]}"#, "messages[0].content"),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
            "messages[0].content[0].text",
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type":"file","file":{}}]}]}"#,
            "messages[0].content[0].file",
        ),
        (r#"{"messages":[{"role":"tool","content":"x"}]}"#, "messages[0].tool_call_id"),
        (
            r#"{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f"}}]}]}"#,
            "messages[0].tool_calls[0].id",
        ),
        (r#"{"messages":[],"tools":[{"type":"function"}]}"#, "tools[0].function"),
        (r#"{"messages":[],"temperature":"hot"}"#, "temperature"),
    ] {
        let refusal = refused(body);
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("invalid_parameters", Some(param)),
            "{body}"
        );
    }
}

#[test]
fn members_that_are_not_known_travel_within_the_family_in_their_order() {
    let body = with(r#""min_p":0.1,"metadata":{"a":"b"},"chat_template_kwargs":{"x":1}"#);
    let request = read(&body);
    let names: Vec<&str> = request.rest.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["min_p", "metadata", "chat_template_kwargs"]);
    let body = sent(&request, &quirks(r#"{"lacks":["metadata"]}"#)).unwrap();
    assert_eq!(
        body,
        json!({"model":"vendor-model","messages":[{"role":"user","content":"hi"}],"min_p":0.1,"chat_template_kwargs":{"x":1}})
    );
    let foreign = Request { client: Some(ClientApi::Messages), ..request.clone() };
    let body = sent(&foreign, &quirks("{}")).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
}

#[test]
fn what_the_vendor_would_moderate_is_refused_by_name() {
    let body = r#"{"messages":[{"role":"user","content":"x"}],"moderation":{"model":"omni"}}"#;
    let refusal = ClientApi::Chat.read(body.as_bytes()).unwrap_err();
    let named = (refusal.code, refusal.param.as_deref());
    assert_eq!(named, ("unsupported_parameter", Some("moderation")));
}

#[test]
fn a_breakpoint_of_the_prompts_cache_is_a_cache_mark() {
    let body = r#"{"messages":[{"role":"user","content":[
        {"type":"text","text":"x","prompt_cache_breakpoint":{"mode":"explicit"}},{"type":"text","text":"y"}]}]}"#;
    let request = ClientApi::Chat.read(body.as_bytes()).unwrap();
    let marks: Vec<_> = request.turns[0].parts.iter().map(|part| part.cache).collect();
    assert_eq!(marks, [Some(CacheMark::Short), None]);
}
