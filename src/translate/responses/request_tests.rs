//! What clients send, read into the middle form.

use super::{
    super::form::{
        CacheMark, Effort, Format, Origin, Part, PartKind, Refusal, Request, Role, Signature,
        Source, ToolChoice, ToolKind,
    },
    read_request,
};

fn read(body: &str) -> Request<'_> {
    read_request(body.as_bytes()).unwrap()
}

fn refused(body: &str) -> Refusal {
    read_request(body.as_bytes()).unwrap_err()
}

/// One line for each part: whose it is, what it is, where it stood.
fn told(request: &Request<'_>) -> Vec<String> {
    let kind = |part: &Part<'_>| format!("{:?}", part.kind);
    let mut lines = Vec::new();
    for (index, turn) in request.turns.iter().enumerate() {
        for part in &turn.parts {
            lines.push(format!("{index} {:?} {} {}", turn.role, part.path, kind(part)));
        }
    }
    lines
}

#[test]
fn a_string_is_what_the_user_says_and_instructions_come_first() {
    let request = read(r#"{"model":"m","instructions":"Be short.","input":"Hi","stream":true}"#);
    assert!(request.stream);
    assert_eq!(told(&request), [r#"0 System [0] Text("Be short.")"#, r#"1 User [0] Text("Hi")"#]);
    let request = read(
        r#"{"model":"m","instructions":null,"input":"Hi","tools":null,"text":null,"reasoning":null,"tool_choice":null}"#,
    );
    assert_eq!(told(&request), [r#"0 User [0] Text("Hi")"#]);
    assert!(request.reasoning.is_none() && request.tool_choice.is_none());
}

#[test]
fn calls_that_follow_each_other_are_one_turn_with_the_text_behind_them() {
    let request = read(
        r#"{"input":[
            {"role":"user","content":"?"},
            {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"A"},{"type":"summary_text","text":"B"}],"encrypted_content":"enc"},
            {"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1}","id":"fc_1","status":"completed"},
            {"type":"function_call","call_id":"b","name":"g","arguments":""},
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"wait","annotations":[]}],"id":"msg_1","status":"completed"},
            {"type":"function_call_output","call_id":"a","output":"11"},
            {"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"12"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]},
            {"role":"user","content":"so?"}]}"#,
    );
    let roles: Vec<_> = request.turns.iter().map(|turn| (turn.role, turn.parts.len())).collect();
    assert_eq!(roles, [(Role::User, 1), (Role::Assistant, 4), (Role::User, 2), (Role::User, 1)]);
    let parts = &request.turns[1].parts;
    let PartKind::Thinking(thinking) = &parts[0].kind else { panic!() };
    assert_eq!(&*thinking.text, "A\n\nB");
    assert_eq!(thinking.signature, Some(Signature::new(Origin::OpenAi, "enc")));
    assert_eq!(thinking.id.as_deref(), Some("rs_1"));
    let PartKind::ToolCall(call) = &parts[2].kind else { panic!() };
    assert_eq!((&*call.id, &*call.arguments), ("b", "{}"), "no arguments are an empty object");
    assert!(matches!(&parts[3].kind, PartKind::Text(text) if *text == *"wait"));
    let PartKind::ToolResult(result) = &request.turns[2].parts[1].kind else { panic!() };
    assert_eq!(result.parts.len(), 2);
    assert_eq!(result.parts[1].path.to_string(), "input[6].content[1]");
}

#[test]
fn a_proof_that_went_out_sealed_comes_back_to_its_vendor() {
    let request = read(
        r#"{"input":[
            {"type":"reasoning","id":"rs_turnpike_s_0","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"turnpike.anthropic.c2ln"},
            {"type":"reasoning","id":"rs_turnpike_s_1","summary":[],"encrypted_content":"turnpike.redacted.turnpike.anthropic.cmVk"},
            {"type":"reasoning","id":"rs_turnpike_s_2","summary":[],"encrypted_content":"turnpike.anthropic.b25seQ=="},
            {"type":"reasoning","id":"rs_turnpike_s_3","summary":[],"encrypted_content":"turnpike.call.turnpike.google.Z28="},
            {"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
            {"type":"function_call","call_id":"b","name":"f","arguments":"{}"}]}"#,
    );
    let parts = &request.turns[0].parts;
    let thoughts: Vec<_> = parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::Thinking(one) => {
                Some((&*one.text, &*one.signature.as_ref().unwrap().value, one.redacted))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        thoughts,
        [("hm", "c2ln", false), ("", "cmVk", true), ("", "b25seQ==", false)],
        "signed, redacted and signature-only ones are told apart"
    );
    let signatures: Vec<_> = parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) => Some(call.signature.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(signatures, [Some(Signature::new(Origin::Google, "Z28=")), None]);
}

#[test]
fn an_id_that_the_gateway_made_is_nobodys() {
    let request = read(
        r#"{"input":[{"type":"reasoning","id":"rs_turnpike_s_0","summary":[{"type":"summary_text","text":"hm"}]},
            {"role":"user","content":"go on"}]}"#,
    );
    let PartKind::Thinking(thinking) = &request.turns[0].parts[0].kind else { panic!() };
    assert_eq!((&*thinking.text, thinking.id.as_deref()), ("hm", None));
}

#[test]
fn no_input_is_said_to_be_none() {
    for body in ["{}", r#"{"input":""}"#, r#"{"input":[]}"#, r#"{"input":[],"instructions":"x"}"#] {
        let refusal = refused(body);
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("invalid_parameters", Some("input")),
            "{body}"
        );
    }
}

#[test]
fn a_way_of_thinking_that_no_other_vendor_has_is_refused_by_name() {
    let refusal = refused(r#"{"input":"x","reasoning":{"effort":"high","mode":"pro"}}"#);
    let named = (refusal.code, refusal.param.as_deref());
    assert_eq!(named, ("unsupported_parameter", Some("reasoning.mode")));
    let usual = read(r#"{"input":"x","reasoning":{"mode":"standard"}}"#);
    assert_eq!(usual.reasoning, None);
}

#[test]
fn what_only_a_server_with_a_memory_can_do_is_refused_by_name() {
    for (member, remedy) in [
        (r#""previous_response_id":"resp_1""#, "whole conversation"),
        (r#""conversation":{"id":"conv_1"}"#, "whole conversation"),
        (r#""background":true"#, "leave it out"),
        (r#""prompt":{"id":"pmpt_1"}"#, "`instructions`"),
        (r#""context_management":[{"type":"compaction"}]"#, "shorten"),
        (r#""moderation":{"model":"m"}"#, "leave it out"),
    ] {
        let refusal = refused(&format!(r#"{{"input":"x",{member}}}"#));
        let name = member.split('"').nth(1).unwrap();
        assert_eq!(refusal.code, "unsupported_parameter");
        assert_eq!(refusal.param.as_deref(), Some(name));
        assert!(refusal.message.contains(name) && refusal.message.contains(remedy), "{refusal}");
    }
    read(
        r#"{"input":"x","previous_response_id":null,"background":false,"conversation":null,"store":true,"truncation":"auto","metadata":{"a":"b"}}"#,
    );
    for item in [
        r#"{"type":"item_reference","id":"msg_1"}"#,
        r#"{"id":"msg_1"}"#,
        r#"{"type":null,"id":"rs_1"}"#,
    ] {
        let refusal = refused(&format!(r#"{{"input":[{{"role":"user","content":"x"}},{item}]}}"#));
        assert_eq!(refusal.code, "unsupported_parameter");
        assert_eq!(refusal.param.as_deref(), Some("input[1]"));
        assert!(refusal.message.contains("item_reference"), "{refusal}");
    }
}

#[test]
fn what_the_apis_own_tools_did_is_read_in_its_place() {
    let request = read(
        r#"{"input":[
            {"role":"user","content":"Draw Köln."},
            {"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"Köln"}},
            {"type":"mcp_call","id":"m","name":"find","server_label":"s","arguments":"{}","output":"Two rows."},
            {"type":"image_generation_call","id":"ig_1","status":"completed","result":"iVBO"},
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"There."}]}]}"#,
    );
    let [_, answered] = request.turns.as_slice() else { panic!("{:?}", request.turns) };
    assert_eq!(answered.role, Role::Assistant);
    let [found, picture, text] = answered.parts.as_slice() else { panic!("{:?}", answered.parts) };
    assert!(matches!(&found.kind, PartKind::Text(text) if text.contains("Two rows.")));
    assert!(matches!(&picture.kind, PartKind::Image(_)));
    assert_eq!(picture.path.to_string(), "input[3]");
    assert!(matches!(&text.kind, PartKind::Text(text) if **text == *"There."));
}

#[test]
fn items_of_the_apis_own_tools_keep_their_names_for_a_refusal() {
    let request = read(
        r#"{"input":[
            {"type":"shell_call","call_id":"s","action":{"commands":["ls"]}},
            {"type":"computer_call_output","call_id":"c","output":{"type":"computer_screenshot"}},
            {"type":"tool_search_call","arguments":{"q":1}}]}"#,
    );
    let names: Vec<_> = request
        .turns
        .iter()
        .flat_map(|turn| turn.parts.iter().map(|part| (turn.role, &part.kind)))
        .map(|(role, kind)| match kind {
            PartKind::Other { name, raw } => {
                assert!(raw.get().starts_with('{'));
                (role, name.to_string())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        names,
        [
            (Role::Assistant, "shell_call".to_owned()),
            (Role::User, "computer_call_output".to_owned()),
            (Role::Assistant, "tool_search_call".to_owned())
        ]
    );
}

#[test]
fn pictures_files_and_sounds_come_from_everywhere() {
    let request = read(
        r#"{"input":[{"role":"user","content":[
            {"type":"input_image","image_url":"https://x.test/a.png","detail":"high"},
            {"type":"input_image","file_id":"file_1","image_url":null},
            {"type":"input_image","image_url":{"url":"data:image/jpeg;base64,AA=="}},
            {"type":"input_file","file_data":"data:application/pdf;base64,BB==","filename":"a.pdf"},
            {"type":"input_file","file_data":"CC==","filename":"b.PDF"},
            {"type":"input_file","file_url":"https://x.test/c.pdf"},
            {"type":"input_file","file_id":"file_2"},
            {"type":"input_audio","input_audio":{"data":"DD==","format":"mp3"}},
            {"type":"input_text","text":"end","prompt_cache_breakpoint":{"mode":"explicit"}}]}]}"#,
    );
    let parts = &request.turns[0].parts;
    let media: Vec<_> = parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::Image(one) | PartKind::Document(one) | PartKind::Audio(one) => {
                let source = match &one.source {
                    Source::Base64(data) => format!("base64 {}", &**data),
                    Source::Url(url) => format!("url {}", &**url),
                    Source::File(id) => format!("file {}", &**id),
                    Source::Text(text) => format!("text {}", &**text),
                };
                Some((source, one.mime.as_deref().unwrap_or("-").to_owned()))
            }
            _ => None,
        })
        .collect();
    let expected = [
        ("url https://x.test/a.png", "-"),
        ("file file_1", "-"),
        ("base64 AA==", "image/jpeg"),
        ("base64 BB==", "application/pdf"),
        ("base64 CC==", "application/pdf"),
        ("url https://x.test/c.pdf", "-"),
        ("file file_2", "-"),
        ("base64 DD==", "audio/mpeg"),
    ];
    assert_eq!(media, expected.map(|(source, mime)| (source.to_owned(), mime.to_owned())));
    assert_eq!(parts.last().unwrap().cache, Some(CacheMark::Short));
}

#[test]
fn every_form_of_tool_choice_is_read() {
    let choice = |raw: &str| {
        read_request(format!(r#"{{"input":"x","tool_choice":{raw}}}"#).as_bytes())
            .map(|request| format!("{:?}", request.tool_choice))
            .map_err(|refusal| refusal.code)
    };
    for (raw, expected) in [
        (r#""auto""#, "Some(Auto)"),
        (r#""none""#, "Some(None)"),
        (r#""required""#, "Some(Required)"),
        (r#"{"type":"function","name":"f"}"#, r#"Some(Named("f"))"#),
        (r#"{"type":"custom","name":"c"}"#, r#"Some(Named("c"))"#),
        (
            r#"{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"},{"type":"web_search"}]}"#,
            r#"Some(Allowed { names: ["f", "web_search"], required: true })"#,
        ),
        ("null", "None"),
    ] {
        assert_eq!(choice(raw).as_deref(), Ok(expected));
    }
    assert_eq!(choice(r#"{"type":"file_search"}"#), Err("unsupported_parameter"));
    for raw in [r#""always""#, "{}", "3", r#"{"type":"function"}"#] {
        assert_eq!(choice(raw), Err("invalid_parameters"), "{raw}");
    }
}

#[test]
fn tools_are_functions_searches_or_named_for_a_refusal() {
    let request = read(
        r#"{"input":"x","max_tool_calls":3,"tools":[
            {"type":"function","name":"f","parameters":{"b":1,"a":2},"strict":true},
            {"type":"web_search_preview","search_context_size":"low","user_location":{"type":"approximate","city":"Pau"},"filters":{"allowed_domains":["x.test"]}},
            {"type":"custom","name":"c"},
            {"type":"mcp","server_label":"s"}]}"#,
    );
    let [function, search, custom, mcp] = request.tools.as_slice() else { panic!() };
    let ToolKind::Function { parameters, strict, .. } = &function.kind else { panic!() };
    assert_eq!(parameters.unwrap().get(), r#"{"b":1,"a":2}"#, "byte for byte");
    assert_eq!(*strict, Some(true));
    let ToolKind::WebSearch { max_uses, context_size, allowed_domains, .. } = &search.kind else {
        panic!()
    };
    assert_eq!(*max_uses, Some(3));
    assert_eq!(context_size.as_deref(), Some("low"));
    assert_eq!(allowed_domains.len(), 1);
    assert!(matches!(&custom.kind, ToolKind::Custom { name, .. } if **name == *"c"));
    assert!(matches!(&mcp.kind, ToolKind::Other { name, .. } if **name == *"mcp"));
    assert!(matches!(request.tools.len(), 4));
    let refusal = refused(r#"{"input":"x","tools":[{"type":"function"}]}"#);
    assert_eq!(refusal.param.as_deref(), Some("tools[0].name"));
}

#[test]
fn a_tool_that_makes_pictures_asks_for_them() {
    let asked = |members: &str| {
        format!(r#"{{"input":"Draw","tools":[{{"type":"image_generation"{members}}}]}}"#)
    };
    let body = asked(r#","quality":"high","size":"auto""#);
    let request = read(&body);
    let pictures = request.pictures.unwrap();
    assert_eq!((pictures.alone, &*pictures.param, request.tools.len()), (false, "tools[0]", 0));
    let refusal = refused(&asked(r#","size":"1024x1024""#));
    assert_eq!(refusal.param.as_deref(), Some("tools[0].size"));
}

#[test]
fn the_answers_form_and_thinking_are_read() {
    let request = read(
        r#"{"input":"x","text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"low"},
            "reasoning":{"effort":"xhigh","summary":"auto"},"include":["reasoning.encrypted_content"],"top_logprobs":0}"#,
    );
    let Some(Format::JsonSchema(schema)) = &request.format else { panic!() };
    assert_eq!(schema.schema.get(), r#"{"type":"object"}"#);
    assert_eq!(request.verbosity.as_deref(), Some("low"));
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.effort, reasoning.visible), (Some(Effort::XHigh), Some(true)));
    assert!(!request.sampling.logprobs);
    assert!(read(r#"{"input":"x","reasoning":{}}"#).reasoning.is_none());
    assert!(read(r#"{"input":"x","include":["message.output_text.logprobs"]}"#).sampling.logprobs);
    assert_eq!(
        refused(r#"{"input":"x","reasoning":{"effort":"huge"}}"#).param.as_deref(),
        Some("reasoning.effort")
    );
    let choice = read(r#"{"input":"x","tool_choice":"required"}"#).tool_choice;
    assert_eq!(choice, Some(ToolChoice::Required));
}

#[test]
fn a_fault_names_the_member() {
    for (body, param) in [
        ("{}", "input"),
        (r#"{"input":3}"#, "input"),
        (r#"{"input":"x","temperature":"hot"}"#, "temperature"),
        (r#"{"input":[{"role":"boss","content":"x"}]}"#, "input[0].role"),
        (r#"{"input":[{"type":"function_call","name":"f"}]}"#, "input[0].call_id"),
        (r#"{"input":[{"type":"message","role":"user","content":3}]}"#, "input[0].content"),
        (r#"{"input":[{"role":"user","content":[{"type":"input_text"}]}]}"#, "input[0].content[0]"),
        (
            r#"{"input":[{"role":"user","content":[{"type":"input_image"}]}]}"#,
            "input[0].content[0]",
        ),
        (r#"{"input":"x","text":{"format":{"type":"json_schema"}}}"#, "text.format.schema"),
    ] {
        let refusal = refused(body);
        assert_eq!(refusal.code, "invalid_parameters", "{body}");
        assert_eq!(refusal.param.as_deref(), Some(param), "{refusal}");
        assert!(refusal.message.contains(param), "{refusal}");
    }
}

#[test]
fn members_that_nobody_here_knows_are_kept_in_their_order() {
    let request = read(r#"{"model":"m","zeta":1,"input":"x","alpha":{"b":[ ]},"none":null}"#);
    let rest: Vec<_> = request.rest.iter().map(|(name, raw)| (&**name, raw.get())).collect();
    assert_eq!(rest, [("zeta", "1"), ("alpha", r#"{"b":[ ]}"#)]);
}
