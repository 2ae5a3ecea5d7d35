use super::*;
use crate::translate::form::Text;

fn context(one_call: bool) -> Answering {
    Answering { seed: "s".to_owned(), model: "m".into(), one_call, ..Answering::default() }
}

/// Two calls at once, as Gemini makes them.
const TWO_CALLS: &str = "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[\
    {\"functionCall\":{\"name\":\"first\",\"args\":{\"a\":1}}},\
    {\"functionCall\":{\"name\":\"second\",\"args\":{}}}]},\"finishReason\":\"STOP\"}]}\r\n\r\n";

fn streamed(one_call: bool) -> String {
    let mut stream =
        StreamTranslator::new(VendorApi::Gemini, Framing::Sse, ClientApi::Chat, context(one_call));
    let mut out = stream.push(TWO_CALLS.as_bytes()).to_vec();
    out.extend_from_slice(&stream.end());
    assert!(stream.complete());
    String::from_utf8(out).unwrap()
}

#[test]
fn a_client_that_wants_one_call_at_a_time_gets_the_first() {
    let both = streamed(false);
    assert!(both.contains("first") && both.contains("second"), "{both}");
    let one = streamed(true);
    assert!(one.contains("first") && !one.contains("second"), "{one}");
    assert!(one.contains("\"finish_reason\":\"tool_calls\""), "{one}");
}

#[test]
fn so_does_one_that_wants_no_stream() {
    let body = TWO_CALLS.strip_prefix("data: ").unwrap();
    let mut answer = VendorApi::Gemini.read_of("m", body.as_bytes()).unwrap();
    answer.keep_one_call();
    let names: Vec<&Text<'_>> = answer
        .parts
        .iter()
        .filter_map(|part| match &part.kind {
            crate::translate::form::PartKind::ToolCall(call) => Some(&call.name),
            _ => None,
        })
        .collect();
    assert_eq!(names, [&Text::from("first")]);
}
