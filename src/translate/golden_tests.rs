//! Every client's dialect to every vendor's and back, held against `tests/golden/`.
//!
//! `UPDATE_GOLDEN=1 cargo test golden` writes the files anew; the difference is for people to read.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{
    ClientApi, Framing, Platform, StreamTranslator, Target, VendorApi,
    fixtures::{
        CLIENTS, FOLDER, PLATFORMS, VENDORS, answering, client, framings, models, platform,
        request, requests, stream, vendor,
    },
    form::{Refusal, Request},
    properties::{assert_sse, without_made_up_ids},
};
use crate::domain::{ModelFacts, Quirks, ReasoningMode};

/// Holds texts against a folder's files: each text has its file, and each file its text.
struct Golden {
    folder: String,
    seen: BTreeSet<String>,
    update: bool,
    wrong: Vec<String>,
}

impl Golden {
    fn of(folder: &str) -> Self {
        let folder = format!("{FOLDER}/{folder}");
        let update = std::env::var_os("UPDATE_GOLDEN").is_some();
        if update {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
        }
        Self { folder, seen: BTreeSet::new(), update, wrong: Vec::new() }
    }

    fn check(&mut self, name: String, text: &str) {
        let path = Path::new(&self.folder).join(&name);
        if self.update {
            fs::write(&path, text).unwrap();
        }
        match fs::read_to_string(&path) {
            Err(error) => self.wrong.push(format!("{name}: {error}")),
            Ok(kept) if kept != text => self.wrong.push(format!("{name} differs; now:\n{text}")),
            Ok(_) => {}
        }
        self.seen.insert(name);
    }

    fn finish(mut self) {
        for file in fs::read_dir(&self.folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            if !self.seen.contains(&name) {
                self.wrong.push(format!("{name} is left over"));
            }
        }
        assert!(self.wrong.is_empty(), "{}:\n{}", self.folder, self.wrong.join("\n"));
    }
}

/// What is known of a vendor beside its API. Chat completions have many vendors: the plainest one, and
/// `OpenAI` itself.
fn quirks(model: &str) -> Quirks {
    if model == "gpt-5.5" {
        return Quirks {
            stream_usage: true,
            max_completion_tokens: true,
            openai_models: true,
            developer_role: true,
            allowed_tools: true,
            custom_tools: true,
            web_search_options: true,
            ..Quirks::default()
        };
    }
    Quirks::default()
}

/// How the catalogue says that a model thinks; of Bedrock's models it is read from the name.
fn facts(model: &str) -> ModelFacts {
    let reasoning_mode = match model {
        "claude-sonnet-4-5" => Some(ReasoningMode::Manual),
        "claude-opus-4-7" => Some(ReasoningMode::Adaptive),
        _ => None,
    };
    ModelFacts { reasoning_mode, ..ModelFacts::default() }
}

fn written(
    request: &Request<'_>,
    to: VendorApi,
    platform: Platform,
    model: &str,
) -> Result<Vec<u8>, Refusal> {
    let (facts, quirks) = (facts(model), quirks(model));
    to.write(request.clone(), &Target { model, facts: &facts, platform, quirks: &quirks })
}

/// For reading: the body with its members in their order, or why there is none.
fn shown(written: Result<Vec<u8>, Refusal>) -> String {
    let text = match written {
        Ok(body) => {
            let body: Value = serde_json::from_slice(&body).unwrap();
            serde_json::to_string_pretty(&body).unwrap()
        }
        Err(refusal) => {
            let param = refusal.param.unwrap_or_default();
            format!("refused\ncode: {}\nparam: {param}\nmessage: {}", refusal.code, refusal.message)
        }
    };
    format!("{text}\n")
}

/// One file for each; a platform has one only where its body differs from that at the vendor itself.
#[test]
fn every_request_is_written_for_every_vendor_as_agreed() {
    let mut golden = Golden::of("bodies");
    for &from in CLIENTS {
        for name in requests(from) {
            let body = request(from, name);
            let request = from.read(&body).unwrap();
            for &to in VENDORS {
                for model in models(to) {
                    let own = shown(written(&request, to, Platform::Own, model));
                    let file = format!("{}-{name}.{}.{}", client(from), vendor(to), slug(model));
                    golden.check(format!("{file}.txt"), &own);
                    for &on in PLATFORMS.iter().filter(|on| **on != Platform::Own) {
                        let there = shown(written(&request, to, on, model));
                        if there != own {
                            golden.check(format!("{file}.{}.txt", platform(on)), &there);
                        }
                    }
                }
            }
        }
    }
    golden.finish();
}

fn slug(model: &str) -> String {
    model.replace([':', '/'], "_")
}

fn translated(from: VendorApi, framing: Framing, to: ClientApi, pieces: &[&[u8]]) -> String {
    let mut translator = StreamTranslator::new(from, framing, to, answering(from));
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&translator.push(piece));
    }
    out.extend_from_slice(&translator.end());
    assert!(translator.complete(), "{from:?} to {to:?}");
    without_made_up_ids(std::str::from_utf8(&out).unwrap())
}

#[test]
fn every_stream_is_written_for_every_client_as_agreed() {
    let mut golden = Golden::of("answers");
    for &from in VENDORS {
        for &to in CLIENTS {
            for framing in framings(from) {
                let bytes = stream(from, *framing);
                let text = translated(from, *framing, to, &[&bytes]);
                assert_sse(text.as_bytes());
                golden.check(format!("{}.{}.sse", vendor(from), client(to)), &text);
            }
        }
    }
    golden.finish();
}

#[test]
fn a_request_is_always_written_in_the_same_bytes() {
    for &from in CLIENTS {
        let body = request(from, "rich");
        let request = from.read(&body).unwrap();
        for &to in VENDORS {
            let model = models(to)[0];
            let first = written(&request, to, Platform::Own, model);
            for round in 0..1000 {
                let again = match round % 10 {
                    0 => written(&from.read(&body).unwrap(), to, Platform::Own, model),
                    _ => written(&request, to, Platform::Own, model),
                };
                assert_eq!(again, first, "{from:?} to {to:?}");
            }
        }
    }
}

#[test]
fn a_stream_is_always_written_in_the_same_bytes() {
    for &from in VENDORS {
        let bytes = stream(from, framings(from)[0]);
        for &to in CLIENTS {
            let first = translated(from, framings(from)[0], to, &[&bytes]);
            for _ in 0..1000 {
                assert_eq!(translated(from, framings(from)[0], to, &[&bytes]), first);
            }
        }
    }
}

#[test]
fn no_cut_of_a_stream_changes_what_is_written() {
    for &from in VENDORS {
        for &framing in framings(from) {
            let bytes = stream(from, framing);
            for &to in CLIENTS {
                let whole = translated(from, framing, to, &[&bytes]);
                for at in 0..bytes.len() {
                    let (head, tail) = bytes.split_at(at);
                    assert_eq!(translated(from, framing, to, &[head, tail]), whole, "cut at {at}");
                }
                let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
                assert_eq!(translated(from, framing, to, &bytewise), whole);
            }
        }
    }
}
