//! What holds for any bytes, whoever sends them: run by the tests on fixtures with faults in them, and
//! by the fuzz targets.

use serde::de::IgnoredAny;

use crate::{
    dialect::{AnswerFacts, GatewayError},
    domain::{ModelFacts, Quirks},
    translate::{
        Answering, ClientApi, Framing, Platform, StreamTranslator, Target, VendorApi, stream_of,
    },
    wire::eventstream::{Frame, Frames},
};

const CLIENTS: [ClientApi; 4] =
    [ClientApi::Chat, ClientApi::Completions, ClientApi::Messages, ClientApi::Responses];
const VENDORS: [VendorApi; 5] = [
    VendorApi::Chat,
    VendorApi::Responses,
    VendorApi::Messages,
    VendorApi::Gemini,
    VendorApi::Converse,
];
const PLATFORMS: [Platform; 3] = [Platform::Own, Platform::Bedrock, Platform::Vertex];
const FRAMINGS: [Framing; 3] = [Framing::Sse, Framing::EventStream, Framing::InvokeStream];

/// Any body as a request of any client for any vendor: it is refused, or what is written is JSON.
///
/// # Panics
/// When that does not hold.
pub fn requests(body: &[u8]) {
    let facts = ModelFacts::default();
    let openai = Quirks { openai_models: true, developer_role: true, ..Quirks::default() };
    for client in CLIENTS {
        let Ok(request) = client.read(body) else { continue };
        for vendor in VENDORS {
            let models: &[&str] = match vendor {
                VendorApi::Chat | VendorApi::Responses => &["gpt-5.5"],
                VendorApi::Messages => &["claude-sonnet-4-5", "claude-opus-4-7"],
                VendorApi::Gemini => &["gemini-2.5-flash", "gemini-3-pro-preview"],
                VendorApi::Converse => &["anthropic.claude-opus-4-7", "amazon.nova-pro-v1:0"],
            };
            for platform in PLATFORMS {
                for model in models {
                    for quirks in [&Quirks::default(), &openai] {
                        let target = Target { model, facts: &facts, platform, quirks };
                        if let Ok(written) = vendor.write(request.clone(), &target) {
                            assert_json(&written);
                        }
                    }
                }
            }
        }
    }
}

/// Any body as an answer of any vendor for any client: it is no answer, or what is written is JSON, and
/// an event stream where that is wanted.
///
/// # Panics
/// When that does not hold.
pub fn answers(body: &[u8]) {
    for vendor in VENDORS {
        let Ok(answer) = vendor.read_of("anthropic.claude-opus-4-7", body) else { continue };
        for client in CLIENTS {
            assert_json(&client.write(&answer, &context()));
            assert_sse(&stream_of(&answer, client.stream_writer(context())));
        }
    }
}

/// Any bytes as a stream: three that choose vendor, client and framing, one for the size of its pieces,
/// then the stream. What the client gets is an event stream of JSON, and no cut changes it.
///
/// # Panics
/// When that does not hold.
pub fn streams(input: &[u8]) {
    let [vendor, client, framing, size, stream @ ..] = input else { return };
    let vendor = VENDORS[usize::from(*vendor) % VENDORS.len()];
    let client = CLIENTS[usize::from(*client) % CLIENTS.len()];
    let framing = FRAMINGS[usize::from(*framing) % FRAMINGS.len()];
    let whole = translated(vendor, framing, client, stream, stream.len().max(1));
    assert_sse(whole.0.as_bytes());
    let cut = translated(vendor, framing, client, stream, usize::from(*size).max(1));
    assert_eq!(whole, cut, "cuts change nothing");
}

/// Any bytes as an event stream, the first the size of its pieces: no cut changes its frames, and
/// nothing follows a broken one.
///
/// # Panics
/// When that does not hold.
pub fn frames(input: &[u8]) {
    let [size, stream @ ..] = input else { return };
    let read = |size: usize| {
        let mut frames = Frames::default();
        let mut seen: Vec<(char, Vec<u8>, Vec<u8>)> = Vec::new();
        for piece in stream.chunks(size) {
            frames.push(piece, &mut |frame| {
                assert!(seen.last().is_none_or(|(kind, ..)| *kind != 'b'), "after a broken one");
                seen.push(match frame {
                    Frame::Event { name, payload } => ('e', name.to_vec(), payload.to_vec()),
                    Frame::Exception { name, payload } => ('x', name.to_vec(), payload.to_vec()),
                    Frame::Broken => ('b', Vec::new(), Vec::new()),
                });
            });
        }
        seen
    };
    assert_eq!(read(usize::from(*size).max(1)), read(stream.len().max(1)));
}

/// A stream's translation fed in pieces of `size` bytes; made-up ids are left out.
fn translated(
    vendor: VendorApi,
    framing: Framing,
    client: ClientApi,
    stream: &[u8],
    size: usize,
) -> (String, AnswerFacts, bool) {
    let mut translator = StreamTranslator::new(vendor, framing, client, context());
    let mut out = Vec::new();
    for piece in stream.chunks(size) {
        out.extend_from_slice(&translator.push(piece));
    }
    out.extend_from_slice(&translator.end());
    let complete = translator.complete();
    if !complete && translator.failed().is_none() {
        out.extend_from_slice(&translator.abort(&GatewayError::new(502, "api_error", "cut")));
    }
    let out = String::from_utf8(out).expect("UTF-8");
    (without_made_up_ids(&out), translator.facts(), complete)
}

/// Ids that readers make up are another each time: `call_` and 32 hexadecimal digits.
pub fn without_made_up_ids(text: &str) -> String {
    let mut pieces = text.split("call_");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let made_up = piece.len() >= 32 && piece.bytes().take(32).all(|b| b.is_ascii_hexdigit());
        out.push_str(if made_up { "call_MADE_UP" } else { "call_" });
        out.push_str(if made_up { &piece[32..] } else { piece });
    }
    out
}

fn context() -> Answering {
    Answering { seed: "seed".to_owned(), model: "claude".into(), ..Answering::default() }
}

fn assert_json(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "no JSON: {text}");
}

/// Blocks of one `event` at most and one `data`, which is JSON or `[DONE]`.
pub fn assert_sse(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    assert!(text.is_empty() || text.ends_with("\n\n"), "no end: {text}");
    for block in text.split_terminator("\n\n") {
        for (index, line) in block.split('\n').enumerate() {
            assert!(!line.contains('\r'), "a line end within a line: {block}");
            if let Some(data) = line.strip_prefix("data: ") {
                assert!(index <= 1, "{block}");
                assert!(data == "[DONE]" || serde_json::from_str::<IgnoredAny>(data).is_ok());
            } else {
                assert!(index == 0 && (line.starts_with("event: ") || line.starts_with(':')));
            }
        }
    }
}
