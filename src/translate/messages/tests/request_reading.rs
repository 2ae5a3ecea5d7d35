//! A client's request.

use crate::translate::{
    form::{
        CacheMark, Effort, Format, Media, Origin, Part, PartKind, Reasoning, Refusal, Request,
        Role, Source, ToolChoice, ToolKind,
    },
    messages::read_request,
};

fn read(body: &str) -> Request<'_> {
    read_request(body.as_bytes()).unwrap()
}

fn refused(body: &str) -> Refusal {
    read_request(body.as_bytes()).unwrap_err()
}

/// A body with one message and these members beside it.
fn with(members: &str) -> String {
    format!(
        r#"{{"model":"m","max_tokens":5,{members}"messages":[{{"role":"user","content":"hi"}}]}}"#
    )
}

/// A body whose only message is of `role` with this content.
fn saying(role: &str, content: &str) -> String {
    format!(
        r#"{{"model":"m","max_tokens":5,"messages":[{{"role":"user","content":"x"}},{{"role":"{role}","content":{content}}}]}}"#
    )
}

/// What Claude Code sends, shortened: instructions in marked blocks, tools with hints, context management.
pub(super) const CODING: &str = r#"{"model":"claude-sonnet-4-5","max_tokens":32000,"stream":true,"temperature":1,
    "system":[{"type":"text","text":"You are an agent."},{"type":"text","text":"Rules.","cache_control":{"type":"ephemeral","ttl":"1h"}}],
    "metadata":{"user_id":"u1"},"thinking":{"type":"enabled","budget_tokens":31999},
    "context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
    "tools":[{"name":"Read","description":"Reads","input_schema":{"type":"object","properties":{"path":{"type":"string"}}},
              "eager_input_streaming":true,"cache_control":{"type":"ephemeral"}}],
    "messages":[
      {"role":"user","content":[{"type":"text","text":"Look","cache_control":{"type":"ephemeral"}}]},
      {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"cmVk"},
         {"type":"tool_use","id":"toolu_1","name":"Read","input":{"path":"a\n"}},{"type":"tool_use","id":"toolu_2","name":"Read","input":{}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"text"},
         {"type":"tool_result","tool_use_id":"toolu_2","is_error":true,"content":[{"type":"text","text":"no"},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}}]},
         {"type":"text","text":"go on"}]}]}"#;

#[test]
fn a_coding_agents_body_is_read_whole() {
    let request = read(CODING);
    assert!(request.stream);
    assert_eq!(request.max_tokens, Some(32000));
    assert_eq!(request.user.as_deref(), Some("u1"));
    let thinking = Reasoning { effort: None, max_tokens: Some(31999), visible: None };
    assert_eq!(request.reasoning, Some(thinking));
    assert_eq!(request.rest.len(), 1);
    let roles: Vec<Role> = request.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::User]);
    assert_eq!(request.turns[0].parts[1].cache, Some(CacheMark::Hour));
    assert_eq!(request.turns[0].parts[1].path.to_string(), "system[1]");
    assert_eq!(request.turns[1].parts[0].cache, Some(CacheMark::Short));
    assert_eq!(request.tools[0].cache, Some(CacheMark::Short));

    let [thought, redacted, call, bare] = &request.turns[2].parts[..] else { panic!() };
    assert!(matches!(&thought.kind, PartKind::Thinking(thinking) if thinking.text == "hm"
        && thinking.signature.as_ref().unwrap().origin == Origin::Anthropic && !thinking.redacted));
    assert!(matches!(&redacted.kind, PartKind::Thinking(thinking) if thinking.redacted
        && thinking.signature.as_ref().unwrap().value == "cmVk"));
    assert!(
        matches!(&call.kind, PartKind::ToolCall(call) if call.arguments == r#"{"path":"a\n"}"#)
    );
    assert!(matches!(&bare.kind, PartKind::ToolCall(call) if call.arguments == "{}"));

    let [first, second, rest] = &request.turns[3].parts[..] else { panic!() };
    assert!(
        matches!(&first.kind, PartKind::ToolResult(result) if !result.error && result.call_id == "toolu_1")
    );
    let PartKind::ToolResult(second) = &second.kind else { panic!() };
    assert!(second.error);
    assert!(
        matches!(&second.parts[1].kind, PartKind::Image(Media { source: Source::Base64(data), .. }) if *data == "iVBO")
    );
    assert!(matches!(&rest.kind, PartKind::Text(text) if *text == "go on"));
    assert_eq!(rest.path.to_string(), "messages[2].content[2]");
}

#[test]
fn thinking_and_effort_are_read_in_every_form() {
    let reasoning = |members: &str| read_request(with(members).as_bytes()).unwrap().reasoning;
    let effort = |effort| Some(Reasoning { effort: Some(effort), ..Reasoning::default() });
    assert_eq!(reasoning(""), None);
    assert_eq!(reasoning(r#""thinking":null,"#), None);
    assert_eq!(reasoning(r#""thinking":{"type":"disabled"},"#), effort(Effort::None));
    assert_eq!(reasoning(r#""thinking":{"type":"between_tools"},"#), effort(Effort::None));
    assert_eq!(reasoning(r#""thinking":{"type":"adaptive"},"#), effort(Effort::High));
    assert_eq!(
        reasoning(
            r#""output_config":{"effort":"max"},"thinking":{"type":"adaptive","display":"omitted"},"#
        ),
        Some(Reasoning { effort: Some(Effort::Max), max_tokens: None, visible: Some(false) })
    );
    assert_eq!(
        reasoning(r#""output_config":{"effort":"low","format":null},"#),
        effort(Effort::Low)
    );
    for (members, param) in [
        (r#""thinking":{"type":"enabled"},"#, "thinking.budget_tokens"),
        (r#""thinking":{"type":"deep"},"#, "thinking.type"),
        (r#""output_config":{"effort":"huge"},"#, "output_config.effort"),
    ] {
        assert_eq!(refused(&with(members)).param.as_deref(), Some(param));
    }
}

#[test]
fn documents_are_read_from_every_source() {
    let media = |source: &str| {
        let block = format!(
            r#"[{{"type":"document","title":"T","context":"C","citations":{{"enabled":true}},"source":{source}}}]"#
        );
        let body = saying("user", &block);
        let request = read(&body);
        let PartKind::Document(media) = &request.turns[1].parts[0].kind else { panic!() };
        assert!(media.citations && media.name.as_deref() == Some("T"));
        assert_eq!(media.context.as_deref(), Some("C"));
        format!("{:?} {:?}", media.source, media.mime)
    };
    let pdf = r#"{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}"#;
    assert_eq!(media(pdf), r#"Base64("JVBERi0=") Some("application/pdf")"#);
    let plain = r#"{"type":"text","media_type":"text/plain","data":"a\nb"}"#;
    assert_eq!(media(plain), r#"Text("a\nb") Some("text/plain")"#);
    assert_eq!(
        media(r#"{"type":"url","url":"https://x.example/a.pdf"}"#),
        r#"Url("https://x.example/a.pdf") None"#
    );
    assert_eq!(media(r#"{"type":"file","file_id":"file_1"}"#), r#"File("file_1") None"#);
    assert_eq!(media(r#"{"type":"content","content":"abc"}"#), r#"Text("abc") Some("text/plain")"#);
    let pieces =
        r#"{"type":"content","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#;
    assert_eq!(media(pieces), r#"Text("a\n\nb") Some("text/plain")"#);
}

#[test]
fn what_claudes_own_tools_did_is_read_as_words() {
    let body = r#"{"max_tokens":9,"messages":[
        {"role":"user","content":"Is it so?"},
        {"role":"assistant","content":[
            {"type":"text","text":"I look."},
            {"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"x"}},
            {"type":"web_search_tool_result","tool_use_id":"s1","content":[{"type":"web_search_result","title":"A","url":"https://a.test","encrypted_content":"E"}]},
            {"type":"text","text":"It is so."}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"web_search_tool_result","tool_use_id":"s2","content":[]},{"type":"text","text":"Inner."}]}]}]}"#;
    let request = read(body);
    let said = |turn: usize| {
        let parts = request.turns[turn].parts.iter();
        parts
            .map(|part| match &part.kind {
                PartKind::Text(text) => text.trim().to_owned(),
                PartKind::ToolResult(result) => match &result.parts[..] {
                    [Part { kind: PartKind::Text(text), .. }] => format!("result {}", text.trim()),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said(1),
        ["I look.", "Result of web_search:\n- A: https://a.test", "It is so."],
        "in their order, the call left out"
    );
    assert_eq!(said(2), ["result Inner."]);
}

#[test]
fn blocks_that_only_claude_knows_keep_their_name_and_bytes() {
    for block in [
        r#"{"type":"container_upload","file_id":"f"}"#,
        r#"{"type":"later_tool_result","tool_use_id":"s1","content":{"type":"later_result"}}"#,
        r#"{"type":"made_up","text":{"not":"a string"}}"#,
    ] {
        let body = saying("assistant", &format!("[{block}]"));
        let request = read(&body);
        let PartKind::Other { name, raw } = &request.turns[1].parts[0].kind else {
            panic!("{block}")
        };
        assert_eq!(raw.get(), block);
        assert!(block.contains(&format!(r#""type":"{}""#, &**name)));
    }
}

#[test]
fn tools_and_their_choice_are_read_in_every_form() {
    let body = with(
        r#""tools":[{"type":"custom","name":"f","input_schema":{},"strict":true},
            {"type":"web_search_20250305","name":"web_search","max_uses":3,"allowed_domains":["a.example"],"user_location":{"type":"approximate","city":"Graz"}},
            {"type":"bash_20250124","name":"bash"}],"#,
    );
    let request = read(&body);
    assert!(
        matches!(&request.tools[0].kind, ToolKind::Function { name, strict: Some(true), .. } if *name == "f")
    );
    let ToolKind::WebSearch { max_uses, allowed_domains, user_location, .. } =
        &request.tools[1].kind
    else {
        panic!()
    };
    assert_eq!((*max_uses, allowed_domains.len(), user_location.is_some()), (Some(3), 1, true));
    assert!(
        matches!(&request.tools[2].kind, ToolKind::Other { name, .. } if *name == "bash_20250124")
    );

    let choice = |json: &str| {
        let body = with(&format!(r#""tool_choice":{json},"#));
        let request = read(&body);
        (format!("{:?}", request.tool_choice.unwrap()), request.parallel_tool_calls)
    };
    assert_eq!(choice(r#"{"type":"auto"}"#), ("Auto".to_owned(), None));
    assert_eq!(
        choice(r#"{"type":"any","disable_parallel_tool_use":true}"#),
        (format!("{:?}", ToolChoice::Required), Some(false))
    );
    assert_eq!(choice(r#"{"type":"none"}"#).0, "None");
    assert_eq!(choice(r#"{"type":"tool","name":"f"}"#).0, r#"Named("f")"#);
}

#[test]
fn a_schema_is_strict_for_others_only_if_they_could_keep_it() {
    for (schema, strict) in [
        (
            r#"{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}"#,
            true,
        ),
        (r#"{"type":"object","properties":{"a":{}}}"#, false),
    ] {
        for member in [
            format!(r#""output_config":{{"format":{{"type":"json_schema","schema":{schema}}}}},"#),
            format!(r#""output_format":{{"type":"json_schema","schema":{schema}}},"#),
        ] {
            let body = with(&member);
            let Some(Format::JsonSchema(format)) = read(&body).format else { panic!() };
            assert_eq!((format.schema.get(), format.strict), (schema, Some(strict)));
        }
    }
}

#[test]
fn a_sealed_signature_goes_back_to_the_call_it_came_with() {
    let body = saying(
        "assistant",
        r#"[{"type":"thinking","thinking":"t","signature":"turnpike.google.AAA="},{"type":"redacted_thinking","data":"turnpike.google.Z29v"},
            {"type":"tool_use","id":"a","name":"f","input":{}},{"type":"thinking","thinking":"","signature":"turnpike.openai.ZW5j"}]"#,
    );
    let request = read(&body);
    let [thought, call, other] = &request.turns[1].parts[..] else { panic!() };
    assert!(matches!(&thought.kind, PartKind::Thinking(thinking)
        if thinking.signature.as_ref().unwrap().origin == Origin::Google));
    let PartKind::ToolCall(call) = &call.kind else { panic!() };
    let signature = call.signature.as_ref().unwrap();
    assert_eq!((signature.origin, &*signature.value), (Origin::Google, "Z29v"));
    assert!(matches!(&other.kind, PartKind::Thinking(thinking)
        if thinking.signature.as_ref().unwrap().origin == Origin::OpenAi));
}

#[test]
fn a_body_of_openais_shape_is_told_where_it_belongs() {
    for (body, param) in [
        (
            r#"{"max_tokens":1,"messages":[{"role":"system","content":"x"}]}"#.to_owned(),
            "messages[0].role",
        ),
        (saying("tool", r#""x""#), "messages[1].role"),
        (
            saying("user", r#"[{"type":"image_url","image_url":{"url":"https://x.example"}}]"#),
            "messages[1].content[0]",
        ),
        (saying("user", r#"[{"type":"input_audio","input_audio":{}}]"#), "messages[1].content[0]"),
        (with(r#""tools":[{"type":"function","function":{"name":"f"}}],"#), "tools[0]"),
        (with(r#""tool_choice":"auto","#), "tool_choice"),
        (with(r#""tool_choice":{"type":"function","function":{"name":"f"}},"#), "tool_choice"),
        (with(r#""max_completion_tokens":5,"#), "max_completion_tokens"),
        (with(r#""response_format":{"type":"text"},"#), "response_format"),
    ] {
        let refusal = refused(&body);
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("invalid_parameters", Some(param)),
            "{body}"
        );
        assert!(refusal.message.contains("/v1/chat/completions"), "{}", refusal.message);
    }
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    for (body, param) in [
        (r#"{"messages":[{"role":"user","content":"x"}]}"#.to_owned(), "max_tokens"),
        (r#"{"max_tokens":0,"messages":[{"role":"user","content":"x"}]}"#.to_owned(), "max_tokens"),
        (r#"{"max_tokens":1,"messages":[]}"#.to_owned(), "messages"),
        (with(r#""temperature":"warm","#), "temperature"),
        (with(r#""tools":[{"name":"f"}],"#), "tools[0].input_schema"),
        (with(r#""tools":[{"name":5,"input_schema":{}}],"#), "tools[0].name"),
        (saying("user", r#"[{"type":"text"}]"#), "messages[1].content[0].text"),
        (saying("user", r#"[{"type":"text","text":7}]"#), "messages[1].content[0].text"),
        (saying("user", r#"[{"text":"x"}]"#), "messages[1].content[0].type"),
        (saying("user", r#"[{"type":"image"}]"#), "messages[1].content[0].source"),
        (
            saying("user", r#"[{"type":"image","source":{"type":"disk"}}]"#),
            "messages[1].content[0].source.type",
        ),
        (
            saying("user", r#"[{"type":"tool_result","content":"x"}]"#),
            "messages[1].content[0].tool_use_id",
        ),
        (saying("user", "5"), "messages[1].content"),
    ] {
        let refusal = refused(&body);
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("invalid_parameters", Some(param)),
            "{body}"
        );
    }
}

#[test]
fn what_only_anthropics_servers_do_is_refused_by_name() {
    for (members, param) in [
        (r#""mcp_servers":[{"type":"url","url":"https://x.example","name":"x"}],"#, "mcp_servers"),
        (r#""container":"c1","#, "container"),
        (r#""inference_geo":"us","#, "inference_geo"),
    ] {
        let refusal = refused(&with(members));
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("unsupported_parameter", Some(param))
        );
    }
    for nothing in [r#""mcp_servers":[],"#, r#""container":null,"#, r#""inference_geo":null,"#] {
        read(&with(nothing));
    }
}

#[test]
fn instructions_in_the_middle_and_a_mark_for_the_whole_prompt_are_read() {
    let body = saying("system", r#""From now on, rhyme.""#);
    assert_eq!(read(&body).turns[1].role, Role::System);
    let body = with(r#""cache_control":{"type":"ephemeral","ttl":"1h"},"#);
    assert_eq!(read(&body).turns[0].parts[0].cache, Some(CacheMark::Hour));
}
