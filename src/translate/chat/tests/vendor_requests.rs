//! Requests for vendors: everything that the middle form has, and what each vendor does differently.

use serde_json::{Value, json};

use super::{quirks, sent, sent_to};
use crate::{
    domain::{Capabilities, Efforts, ModelFacts, Quirks, ReasoningMode},
    translate::{ClientApi, Platform, Target, VendorApi, form::Request},
};

/// One request with most of what the API has.
const RICH: &str = r#"{"model":"m","messages":[
  {"role":"developer","content":[{"type":"text","text":"Be brief."},{"type":"text","text":"Be kind."}]},
  {"role":"user","name":"ann","content":[{"type":"text","text":"Look:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]},
  {"role":"assistant","content":"I look.","reasoning_details":[{"type":"reasoning.text","text":"Hm.","signature":"c2ln","format":"anthropic-claude-v1","index":0}],
   "tool_calls":[{"id":"call_1","type":"function","function":{"name":"zoom","arguments":"{\"x\":1}"},"extra_content":{"google":{"thought_signature":"Z3M="}}},
                 {"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]},
  {"role":"tool","tool_call_id":"call_1","content":[{"type":"text","text":"seen"},{"type":"image_url","image_url":{"url":"https://x.test/z.png"}}]},
  {"role":"tool","tool_call_id":"call_2","content":"noon"},
  {"role":"user","content":"And?"}],
 "tools":[{"type":"function","function":{"name":"zoom","description":"d","parameters":{"type":"object","properties":{"x":{"type":"integer"}}},"strict":true}},
          {"type":"function","function":{"name":"now"}}],
 "tool_choice":{"type":"function","function":{"name":"zoom"}},"parallel_tool_calls":false,
 "max_tokens":100,"temperature":0.5,"top_p":0.9,"stop":["a","b"],"seed":7,"frequency_penalty":0,"presence_penalty":0.5,
 "reasoning_effort":"low","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}},
 "verbosity":"low","user":"u","service_tier":"flex","prompt_cache_key":"k","stream":true}"#;

fn read(body: &str) -> Request<'_> {
    ClientApi::Chat.read(body.as_bytes()).unwrap()
}

fn written(body: &str, row: &str) -> Value {
    sent(&read(body), &quirks(row)).unwrap()
}

fn asking(members: &str) -> String {
    format!(r#"{{"messages":[{{"role":"user","content":"hi"}}],{members}}}"#)
}

#[test]
fn a_rich_request_is_written_whole() {
    let usage = Quirks { stream_usage: true, ..quirks("{}") };
    let expected = json!({
        "model":"vendor-model",
        "messages":[
            {"role":"system","content":"Be brief.\n\nBe kind."},
            {"role":"user","name":"ann","content":[{"type":"text","text":"Look:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]},
            {"role":"assistant","content":"I look.","tool_calls":[
                {"id":"call_1","type":"function","function":{"name":"zoom","arguments":"{\"x\":1}"}},
                {"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"call_1","content":"seen"},
            {"role":"tool","tool_call_id":"call_2","content":"noon"},
            {"role":"user","content":[
                {"type":"text","text":"From the result of the call call_1:"},
                {"type":"image_url","image_url":{"url":"https://x.test/z.png"}},
                {"type":"text","text":"And?"}]}],
        "tools":[
            {"type":"function","function":{"name":"zoom","description":"d","parameters":{"type":"object","properties":{"x":{"type":"integer"}}},"strict":true}},
            {"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}],
        "tool_choice":{"type":"function","function":{"name":"zoom"}},
        "parallel_tool_calls":false,
        "max_tokens":100,"temperature":0.5,"top_p":0.9,"presence_penalty":0.5,"seed":7,"stop":["a","b"],
        "reasoning_effort":"low",
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}},
        "verbosity":"low","user":"u","service_tier":"flex","prompt_cache_key":"k",
        "stream":true,"stream_options":{"include_usage":true}});
    let body = sent(&read(RICH), &usage).unwrap();
    assert_eq!(body, expected, "{body:#}");
}

#[test]
fn the_same_request_makes_the_same_bytes_a_thousand_times() {
    let (facts, quirks) = (ModelFacts::default(), Quirks::default());
    let target = Target { model: "m", facts: &facts, platform: Platform::Own, quirks: &quirks };
    let first = VendorApi::Chat.write(read(RICH), &target).unwrap();
    for _ in 0..1000 {
        assert_eq!(VendorApi::Chat.write(read(RICH), &target).unwrap(), first);
    }
}

#[test]
fn a_vendor_gets_the_names_and_roles_that_it_knows() {
    let openai = written(RICH, r#"{"max_completion_tokens":true,"developer_role":true}"#);
    assert_eq!(openai["messages"][0]["role"], "developer");
    assert_eq!(openai["max_completion_tokens"], 100);
    assert!(openai.get("max_tokens").is_none() && openai.get("stream_options").is_none());
    let strict = written(RICH, r#"{"lacks":["user","service_tier","prompt_cache_key","seed"]}"#);
    for hint in ["user", "service_tier", "prompt_cache_key", "seed"] {
        assert!(strict.get(hint).is_none(), "{hint}");
    }
}

#[test]
fn openais_thinking_models_get_the_new_limit_and_no_temperature() {
    let quirks = quirks(r#"{"openai_models":true}"#);
    let write = |body: &str, facts| sent_to(&read(body), &quirks, &facts).unwrap();
    let body = write(RICH, thinking(&["low"]));
    assert_eq!(body["max_completion_tokens"], 100);
    assert!(body.get("temperature").is_none() && body.get("top_p").is_none());
    let off = asking(r#""temperature":0.5,"reasoning_effort":"none""#);
    let newer = write(&off, thinking(&["none", "low"]));
    assert_eq!((&newer["temperature"], &newer["reasoning_effort"]), (&json!(0.5), &json!("none")));
    // It thinks nevertheless.
    let older = write(&off, thinking(&["low", "medium", "high"]));
    assert_eq!((older.get("temperature"), &older["reasoning_effort"]), (None, &json!("low")));
}

/// A model that thinks, with the efforts that it knows.
fn thinking(efforts: &[&str]) -> ModelFacts {
    ModelFacts {
        reasoning_mode: Some(ReasoningMode::Effort),
        efforts: Some(Efforts::named(efforts.iter().copied())),
        ..ModelFacts::default()
    }
}

/// A model that does not think.
fn dull() -> ModelFacts {
    let capabilities = Some(Capabilities::named(["streaming"]));
    ModelFacts { capabilities, ..ModelFacts::default() }
}

#[test]
fn no_word_of_thinking_goes_to_a_model_that_does_not_think() {
    let asked = [r#""reasoning_effort":"none""#, r#""reasoning":{"enabled":true}"#];
    for row in ["{}", r#"{"reasoning":"object"}"#, r#"{"reasoning":"effort_and_thinking"}"#] {
        for asked in asked {
            let body = sent_to(&read(&asking(asked)), &quirks(row), &dull()).unwrap();
            assert_eq!(body.as_object().unwrap().len(), 2, "{row} {asked} {body}");
        }
    }
}

#[test]
fn an_effort_is_one_that_the_model_knows() {
    let told = |row: &str, known: &[&str], asked: &str| {
        let body = asking(&format!(r#""reasoning_effort":"{asked}""#));
        let body = sent_to(&read(&body), &quirks(row), &thinking(known)).unwrap();
        (body.get("reasoning_effort").cloned(), body.get("thinking").cloned())
    };
    let word = |word: &str| Some(json!(word));
    assert_eq!(told("{}", &["low", "high"], "max"), (word("high"), None));
    assert_eq!(told("{}", &["minimal", "low"], "none"), (word("minimal"), None));
    assert_eq!(told("{}", &[], "none"), (None, None));
    assert_eq!(told("{}", &[], "high"), (None, None));
    let switch = r#"{"reasoning":"effort_and_thinking"}"#;
    let off = Some(json!({"type":"disabled"}));
    assert_eq!(told(switch, &["none", "high", "max"], "none"), (None, off));
    let on = Some(json!({"type":"enabled"}));
    assert_eq!(told(switch, &["none", "high", "max"], "low"), (word("high"), on));
}

#[test]
fn thinking_is_asked_for_in_the_vendors_own_member() {
    for (row, asked, expected) in [
        ("{}", r#""reasoning_effort":"max""#, json!({"reasoning_effort":"max"})),
        ("{}", r#""reasoning":{"max_tokens":2000}"#, json!({"reasoning_effort":"medium"})),
        ("{}", r#""reasoning":{"enabled":true}"#, json!({})),
        (
            r#"{"efforts":["low","medium","high"]}"#,
            r#""reasoning_effort":"max""#,
            json!({"reasoning_effort":"high"}),
        ),
        (
            r#"{"efforts":["low","high"]}"#,
            r#""reasoning_effort":"medium""#,
            json!({"reasoning_effort":"low"}),
        ),
        // Of an unknown model: it may not know the word.
        (r#"{"efforts":["none","high"]}"#, r#""reasoning_effort":"none""#, json!({})),
        (
            r#"{"efforts":["none","high"]}"#,
            r#""reasoning_effort":"low""#,
            json!({"reasoning_effort":"high"}),
        ),
        (
            r#"{"reasoning":"object"}"#,
            r#""reasoning_effort":"low""#,
            json!({"reasoning":{"effort":"low"}}),
        ),
        (
            r#"{"reasoning":"object"}"#,
            r#""reasoning":{"max_tokens":2000,"exclude":true}"#,
            json!({"reasoning":{"max_tokens":2000,"exclude":true}}),
        ),
        (
            r#"{"reasoning":"object"}"#,
            r#""reasoning":{"enabled":true}"#,
            json!({"reasoning":{"enabled":true}}),
        ),
        (
            r#"{"reasoning":"object"}"#,
            r#""reasoning_effort":"none""#,
            json!({"reasoning":{"enabled":false}}),
        ),
        (
            r#"{"reasoning":"effort_and_thinking"}"#,
            r#""reasoning_effort":"low""#,
            json!({"reasoning_effort":"low","thinking":{"type":"enabled"}}),
        ),
        (
            r#"{"reasoning":"effort_and_thinking"}"#,
            r#""reasoning_effort":"none""#,
            json!({"thinking":{"type":"disabled"}}),
        ),
        (
            r#"{"reasoning":"effort_and_enabled"}"#,
            r#""reasoning_effort":"none""#,
            json!({"reasoning":{"enabled":false}}),
        ),
    ] {
        let body = written(&asking(asked), row);
        let mut rest = body.as_object().unwrap().clone();
        rest.remove("model");
        rest.remove("messages");
        assert_eq!(Value::Object(rest), expected, "{row} {asked}");
    }
}

#[test]
fn earlier_thinking_stands_where_the_vendor_wants_it() {
    let assistant = |row: &str| written(RICH, row)["messages"][2].clone();
    assert_eq!(
        assistant(r#"{"reasoning_history":"reasoning_content"}"#)["reasoning_content"],
        "Hm."
    );
    assert_eq!(assistant(r#"{"reasoning_history":"reasoning"}"#)["reasoning"], "Hm.");
    assert_eq!(
        assistant(r#"{"reasoning_history":"reasoning_details"}"#)["reasoning_details"],
        json!([{"type":"reasoning.text","text":"Hm.","signature":"c2ln","format":"anthropic-claude-v1","index":0}])
    );
    assert_eq!(
        assistant(r#"{"reasoning_history":"parts"}"#)["content"],
        json!([{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]},{"type":"text","text":"I look."}])
    );
}

#[test]
fn earlier_thinking_does_not_go_to_a_model_that_does_not_think() {
    let body = format!(
        r#"{{"messages":[{{"role":"user","content":"a"}},{{"role":"assistant","content":"b","reasoning":"Hm."}},{rest}]}}"#,
        rest = r#"{"role":"user","content":"c"}"#
    );
    for history in ["reasoning_content", "reasoning", "reasoning_details", "parts"] {
        let row = quirks(&format!(r#"{{"reasoning_history":"{history}"}}"#));
        let told = sent_to(&read(&body), &row, &dull()).unwrap();
        assert_eq!(told["messages"][1], json!({"role":"assistant","content":"b"}), "{history}");
        let told = sent_to(&read(&body), &row, &thinking(&["low"])).unwrap();
        assert!(told["messages"][1].to_string().contains("Hm."), "{history}");
    }
}

#[test]
fn geminis_signatures_go_back_only_where_they_are_known() {
    let call = |row: &str| written(RICH, row)["messages"][2]["tool_calls"][0].clone();
    assert!(call("{}").get("extra_content").is_none());
    assert_eq!(
        call(r#"{"extra_content":true}"#)["extra_content"],
        json!({"google":{"thought_signature":"Z3M="}})
    );
}

#[test]
fn short_ids_are_the_same_for_a_call_and_its_result() {
    let body = written(RICH, r#"{"short_call_ids":true}"#);
    for (index, result) in [(0, 3), (1, 4)] {
        let id = body["messages"][2]["tool_calls"][index]["id"].as_str().unwrap();
        assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        assert_eq!(body["messages"][result]["tool_call_id"], id);
    }
    let own = r#"{"messages":[{"role":"tool","tool_call_id":"abcDEF123","content":"x"}]}"#;
    assert_eq!(
        written(own, r#"{"short_call_ids":true}"#)["messages"][0]["tool_call_id"],
        "abcDEF123"
    );
}

#[test]
fn allowed_tools_are_the_only_tools_where_the_choice_is_not_known() {
    let body = asking(
        r#""tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}],
        "tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"b"}}]}}"#,
    );
    let plain = written(&body, "{}");
    assert_eq!(plain["tools"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&plain["tools"][0]["function"]["name"], &plain["tool_choice"]),
        (&json!("b"), &json!("required"))
    );
    let known = written(&body, r#"{"allowed_tools":true}"#);
    assert_eq!(known["tools"].as_array().unwrap().len(), 2);
    assert_eq!(
        known["tool_choice"],
        json!({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"b"}}]}})
    );
}

#[test]
fn a_choice_without_tools_is_left_out() {
    let body = written(&asking(r#""tool_choice":"none","parallel_tool_calls":true"#), "{}");
    assert!(body.get("tool_choice").is_none() && body.get("parallel_tool_calls").is_none());
}

#[test]
fn json_is_asked_for_by_instruction_where_there_is_no_mode() {
    let body = r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}],"response_format":{"type":"json_object"}}"#;
    let without = written(body, r#"{"json":"schema"}"#);
    assert!(without.get("response_format").is_none());
    let roles: Vec<&str> = without["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "system", "user"]);
    assert_eq!(written(body, "{}")["response_format"], json!({"type":"json_object"}));
}

#[test]
fn what_the_vendor_lacks_is_refused_by_name() {
    let search = r#""tools":[{"type":"web_search"}]"#;
    let custom = r#""tools":[{"type":"custom","custom":{"name":"c","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"a+"}}}}]"#;
    let schema = r#""response_format":{"type":"json_schema","json_schema":{"schema":{}}}"#;
    for (row, members, param) in [
        ("{}", r#""n":2"#, "n"),
        (r#"{"lacks":["presence_penalty"]}"#, r#""presence_penalty":0.1"#, "presence_penalty"),
        (r#"{"lacks":["logprobs"]}"#, r#""logprobs":true"#, "logprobs"),
        (r#"{"lacks":["logit_bias"]}"#, r#""logit_bias":{"1":2}"#, "logit_bias"),
        (r#"{"lacks":["top_k"]}"#, r#""top_k":3"#, "top_k"),
        (r#"{"lacks":["verbosity"]}"#, r#""verbosity":"low""#, "verbosity"),
        (
            r#"{"lacks":["parallel_tool_calls"]}"#,
            r#""parallel_tool_calls":false"#,
            "parallel_tool_calls",
        ),
        (
            r#"{"lacks":["tools"]}"#,
            r#""tools":[{"type":"function","function":{"name":"f"}}]"#,
            "tools",
        ),
        ("{}", search, "tools[0]"),
        ("{}", custom, "tools[0].custom.format"),
        (r#"{"json":"object"}"#, schema, "response_format"),
    ] {
        let body = asking(members);
        let refusal = sent(&read(&body), &quirks(row)).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("unsupported_parameter", Some(param)),
            "{row} {members}"
        );
    }
    let zero = asking(r#""presence_penalty":0,"frequency_penalty":0,"n":1,"logit_bias":{}"#);
    let body = written(&zero, r#"{"lacks":["presence_penalty","frequency_penalty","logit_bias"]}"#);
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
}

#[test]
fn stop_is_refused_where_the_model_or_vendor_would() {
    let openai = quirks(r#"{"openai_models":true}"#);
    let o3 = ModelFacts { lacks_stop: true, ..thinking(&["low"]) };
    let stopped = |texts: &[&'static str], quirks: &Quirks, facts: &ModelFacts| {
        let body = asking(r#""stream":false"#);
        let stop = texts.iter().map(|text| (*text).into()).collect();
        sent_to(&Request { stop, ..read(&body) }, quirks, facts)
    };
    let unknown = ModelFacts::default();
    let five = ["a", "b", "c", "d", "e"];
    for refused in [stopped(&["a"], &openai, &o3), stopped(&five, &openai, &unknown)] {
        let refusal = refused.unwrap_err();
        let told = (refusal.code, refusal.param.as_deref());
        assert_eq!(told, ("unsupported_parameter", Some("stop")));
    }
    assert_eq!(stopped(&five, &quirks("{}"), &unknown).unwrap()["stop"], json!(five));
    assert_eq!(stopped(&["", ""], &openai, &o3).unwrap().get("stop"), None);
    let some = stopped(&["", "a", "b", "c", "d"], &openai, &unknown).unwrap();
    assert_eq!(some["stop"], json!(["a", "b", "c", "d"]));
}

#[test]
fn penalties_are_refused_where_the_model_would() {
    let grok = ModelFacts { lacks_penalties: true, ..thinking(&["low"]) };
    for name in ["frequency_penalty", "presence_penalty"] {
        let asked = |value: &str| {
            sent_to(&read(&asking(&format!(r#""{name}":{value}"#))), &quirks("{}"), &grok)
        };
        let refusal = asked("0.5").unwrap_err();
        let told = (refusal.code, refusal.param.as_deref());
        assert_eq!(told, ("unsupported_parameter", Some(name)));
        assert_eq!(asked("0").unwrap().get(name), None, "0 is nothing");
    }
}

#[test]
fn an_id_that_is_too_long_for_openai_is_the_same_shorter_one_for_a_call_and_its_result() {
    let long = "call_".repeat(20);
    let body = RICH.replace("call_1", &long);
    let openai = written(&body, r#"{"openai_models":true}"#);
    let id = openai["messages"][2]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() <= 64 && id.starts_with("call_"), "{id}");
    assert_eq!(openai["messages"][3]["tool_call_id"], id);
    assert_eq!(openai["messages"][2]["tool_calls"][1]["id"], "call_2", "others stay");
    assert_eq!(written(&body, "{}")["messages"][3]["tool_call_id"], *long);
}

#[test]
fn a_strict_tool_of_messages_is_strict_only_where_its_schema_is_closed() {
    let told = |schema: &str| {
        let tool = format!(r#"{{"name":"f","strict":true,"input_schema":{schema}}}"#);
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"x"}}],"tools":[{tool}]}}"#
        );
        let request = ClientApi::Messages.read(body.as_bytes()).unwrap();
        sent(&request, &Quirks::default()).unwrap()["tools"][0]["function"]["strict"].clone()
    };
    let x = r#""type":"object","properties":{"x":{"type":"string"}}"#;
    assert_eq!(told(&format!(r#"{{{x},"required":["x"],"additionalProperties":false}}"#)), true);
    assert_eq!(told(&format!(r#"{{{x},"additionalProperties":false}}"#)), false);
    assert_eq!(told(&format!(r#"{{{x},"required":["x"]}}"#)), false);
}

#[test]
fn a_long_name_of_a_user_goes_to_openai_as_its_hash() {
    let long = "u".repeat(150);
    let body = asking(&format!(r#""user":"{long}""#));
    let openai = written(&body, r#"{"openai_models":true}"#);
    assert_eq!(openai["user"].as_str().unwrap().len(), 64);
    assert_eq!(written(&body, "{}")["user"], *long);
    let short = asking(r#""user":"ann""#);
    assert_eq!(written(&short, r#"{"openai_models":true}"#)["user"], "ann");
}

#[test]
fn media_are_written_as_the_vendor_takes_them() {
    let with = |part: &str| format!(r#"{{"messages":[{{"role":"user","content":[{part}]}}]}}"#);
    let first =
        |part: &str, row: &str| written(&with(part), row)["messages"][0]["content"][0].clone();
    let pdf = r#"{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA","filename":"a.pdf"}}"#;
    assert_eq!(
        first(pdf, "{}"),
        json!({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}})
    );
    assert_eq!(
        first(pdf, r#"{"documents":"document_url"}"#),
        json!({"type":"document_url","document_url":"data:application/pdf;base64,AAAA","document_name":"a.pdf"})
    );
    let refusal = sent(&read(&with(pdf)), &quirks(r#"{"documents":"none"}"#)).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("messages[0].content[0]"));
    let text = r#"{"type":"file","file":{"file_data":"data:text/plain;base64,aGVsbG8=","filename":"a.txt"}}"#;
    assert_eq!(
        first(text, r#"{"documents":"none"}"#),
        json!({"type":"text","text":"a.txt\n\nhello"})
    );
    let sound = r#"{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}}"#;
    assert_eq!(
        first(sound, "{}"),
        json!({"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}})
    );
    for (part, lacks) in [
        (sound, "input_audio"),
        (r#"{"type":"image_url","image_url":{"url":"https://x.test/a"}}"#, "image_url"),
    ] {
        let row = format!(r#"{{"lacks":["{lacks}"]}}"#);
        assert!(sent(&read(&with(part)), &quirks(&row)).is_err(), "{lacks}");
    }
    let marked = r#"{"type":"text","text":"t","cache_control":{"type":"ephemeral"}}"#;
    assert_eq!(
        first(marked, r#"{"cache_control":true}"#)["cache_control"],
        json!({"type":"ephemeral"})
    );
    assert_eq!(written(&with(marked), "{}")["messages"][0]["content"], "t");
}

#[test]
fn web_search_is_asked_for_with_the_place() {
    let row = r#"{"web_search_options":true}"#;
    let expected = json!({"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Graz","country":"AT"}}});
    for member in [
        r#""tools":[{"type":"web_search","search_context_size":"low","user_location":{"type":"approximate","city":"Graz","country":"AT"}}]"#,
        r#""web_search_options":{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Graz","country":"AT"}}}"#,
    ] {
        let body = written(&asking(member), row);
        assert_eq!(body["web_search_options"], expected);
        assert!(body.get("tools").is_none());
    }
    let held = asking(r#""tools":[{"type":"web_search","allowed_domains":["x.test"]}]"#);
    assert!(sent(&read(&held), &quirks(row)).is_err());
}

#[test]
fn custom_tools_are_written_for_those_who_have_them_from_either_dialect() {
    let row = r#"{"custom_tools":true}"#;
    let own = r#"{"type":"custom","custom":{"name":"sql","format":{"type":"text"}}}"#;
    let flat = r#"{"type":"custom","name":"sql","format":{"type":"grammar","syntax":"lark","definition":"g"}}"#;
    let write = |tool: &str| {
        let members = format!(
            r#""tools":[{tool}],"tool_choice":{{"type":"custom","custom":{{"name":"sql"}}}}"#
        );
        written(&asking(&members), row)
    };
    assert_eq!(write(own)["tools"][0], json!({"type":"custom","custom":{"name":"sql"}}));
    assert_eq!(
        write(flat)["tools"][0],
        json!({"type":"custom","custom":{"name":"sql","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"g"}}}})
    );
    assert_eq!(write(own)["tool_choice"], json!({"type":"custom","custom":{"name":"sql"}}));
}

#[test]
fn a_vendor_that_always_chooses_gets_no_choice() {
    let row = r#"{"lacks":["tool_choice","name"]}"#;
    let with = |choice: &str| {
        let tools = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
        let body = format!(
            r#"{{"messages":[{{"role":"user","name":"ann","content":"hi"}}],{tools},"tool_choice":{choice}}}"#
        );
        sent(&read(&body), &quirks(row))
    };
    let auto = with(r#""auto""#).unwrap();
    assert!(auto.get("tool_choice").is_none() && auto["tools"].is_array());
    assert!(auto["messages"][0].get("name").is_none());
    assert!(with(r#""none""#).unwrap().get("tools").is_none());
    for choice in [r#""required""#, r#"{"type":"function","function":{"name":"f"}}"#] {
        assert_eq!(with(choice).unwrap_err().param.as_deref(), Some("tool_choice"));
    }
}

#[test]
fn turns_of_the_model_in_a_row_are_one_message_where_calls_tie_them() {
    let call = |id: &str| {
        format!(
            r#"{{"role":"assistant","tool_calls":[{{"id":"{id}","function":{{"name":"f","arguments":"{{}}"}}}}]}}"#
        )
    };
    let body = format!(
        r#"{{"messages":[{{"role":"assistant","content":"one"}},{{"role":"assistant","content":"two"}},
            {{"role":"assistant","reasoning":"hm"}},{a},{b},
            {{"role":"user","content":"late"}},{{"role":"tool","tool_call_id":"b","content":"2"}},
            {{"role":"system","content":"s"}},{{"role":"tool","tool_call_id":"a","content":"1"}}]}}"#,
        a = call("a"),
        b = call("b")
    );
    let body = written(&body, r#"{"reasoning_history":"reasoning_content"}"#);
    let shown: Vec<String> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let calls = one["tool_calls"].as_array().map_or(0, Vec::len);
            format!("{} {} {} {calls}", one["role"], one["content"], one["reasoning_content"])
        })
        .collect();
    let expected = [
        r#""assistant" "one" null 0"#,
        r#""assistant" "two" null 0"#,
        r#""assistant" null "hm" 2"#,
        r#""tool" "2" null 0"#,
        r#""tool" "1" null 0"#,
        r#""user" "late" null 0"#,
        r#""system" "s" null 0"#,
    ];
    assert_eq!(shown, expected);
}
