//! What tests of all dialects together share: every API by name, and the requests and streams of
//! `tests/golden/`.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Answering, ClientApi, Framing, Platform, VendorApi};

/// Where the golden files are.
pub(super) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// A list of all of an enum and its names; a new variant does not compile until it is in it.
macro_rules! all {
    ($list:ident, $name:ident: $of:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        pub(super) const $list: &[$of] = &[$($of::$variant),+];

        pub(super) const fn $name(one: $of) -> &'static str {
            match one { $($of::$variant => $word),+ }
        }
    };
}

all!(CLIENTS, client: ClientApi {
    Chat => "chat", Completions => "completions", Messages => "messages", Responses => "responses",
});
all!(VENDORS, vendor: VendorApi {
    Chat => "chat", Responses => "responses", Messages => "messages", Gemini => "gemini",
    Converse => "converse",
});
all!(PLATFORMS, platform: Platform { Own => "own", Bedrock => "bedrock", Vertex => "vertex" });

/// What a vendor's answers come in, the usual one first.
pub(super) const fn framings(vendor: VendorApi) -> &'static [Framing] {
    match vendor {
        VendorApi::Chat | VendorApi::Responses | VendorApi::Gemini => &[Framing::Sse],
        VendorApi::Messages => &[Framing::Sse, Framing::InvokeStream],
        VendorApi::Converse => &[Framing::EventStream],
    }
}

/// The models that a vendor's requests are written for: its APIs differ by model.
pub(super) const fn models(vendor: VendorApi) -> &'static [&'static str] {
    match vendor {
        VendorApi::Chat => &["some-model", "gpt-5.5"],
        VendorApi::Responses => &["gpt-5.5"],
        VendorApi::Messages => &["claude-sonnet-4-5", "claude-opus-4-7"],
        VendorApi::Gemini => &["gemini-2.5-flash", "gemini-3-pro-preview"],
        VendorApi::Converse => &[
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us.anthropic.claude-opus-4-7",
            "amazon.nova-pro-v1:0",
        ],
    }
}

/// The requests of a client.
pub(super) const fn requests(client: ClientApi) -> &'static [&'static str] {
    match client {
        ClientApi::Completions => &["rich", "limits"],
        ClientApi::Chat | ClientApi::Messages | ClientApi::Responses => {
            &["rich", "limits", "thinking"]
        }
    }
}

/// A client's request of that name.
pub(super) fn request(client_api: ClientApi, name: &str) -> Vec<u8> {
    let path = format!("{FOLDER}/requests/{}-{name}.json", client(client_api));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A vendor's stream as it comes, in frames where those are asked for.
pub(super) fn stream(vendor_api: VendorApi, framing: Framing) -> Vec<u8> {
    let path = format!("{FOLDER}/streams/{}.sse", vendor(vendor_api));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    framed(text.as_bytes(), framing)
}

/// A stream of server-sent events in frames: a block that is none is left out.
pub(super) fn framed(events: &[u8], framing: Framing) -> Vec<u8> {
    if framing == Framing::Sse {
        return events.to_vec();
    }
    let text = String::from_utf8_lossy(events);
    let blocks = text.split_terminator("\n\n").filter_map(|block| block.split_once('\n'));
    blocks
        .filter_map(|(name, data)| {
            Some((name.strip_prefix("event: ")?, data.strip_prefix("data: ")?))
        })
        .flat_map(|(name, data)| {
            if framing == Framing::EventStream {
                return frame(name, data);
            }
            frame("chunk", &format!(r#"{{"bytes":"{}","p":"ab"}}"#, STANDARD.encode(data)))
        })
        .collect()
}

/// One frame of an event stream.
pub(super) fn frame(name: &str, payload: &str) -> Vec<u8> {
    let mut headers = Vec::new();
    for (key, value) in [(":message-type", "event"), (":event-type", name)] {
        headers.push(u8::try_from(key.len()).unwrap());
        headers.extend_from_slice(key.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut frame = length(16 + headers.len() + payload.len()).to_vec();
    frame.extend_from_slice(&length(headers.len()));
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&headers);
    frame.extend_from_slice(payload.as_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// What a stream's writer is told.
pub(super) fn answering(vendor: VendorApi) -> Answering {
    let model = models(vendor).first().copied().unwrap_or_default();
    Answering {
        seed: "seed".to_owned(),
        created: 1_700_000_000,
        model: model.into(),
        base_model: model.into(),
        ..Answering::default()
    }
}
