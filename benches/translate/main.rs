//! What translation costs: CPU time and allocations of each event of a stream, for every vendor and
//! client, and of one large request.
//!
//! `make bench-translate` runs it and keeps the table in benches/results/translate.md.

#![allow(clippy::cast_precision_loss, reason = "figures are told to three digits")]

mod count;
#[path = "../../src/translate/fixtures.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod fixtures;

use std::fmt::Write as _;

use count::Cost;
use fixtures::{CLIENTS, VENDORS, answering, client, framings, models, stream, vendor};
use turnpike::domain::{ModelFacts, Quirks};
use turnpike::translate::{
    Answering, ClientApi, Framing, Platform, StreamTranslator, Target, VendorApi,
};

#[global_allocator]
static COUNTING: count::Counting = count::Counting;

/// What an event may cost, microseconds of CPU time.
const EVENT_BOUND: f64 = 15.0;
/// What may be allocated at once for an event, bytes: far from the size of a prompt.
const LARGEST_BOUND: usize = 16 * 1024;
/// What a request of 200 KB may cost, milliseconds of CPU time.
const REQUEST_BOUND: f64 = 1.5;
/// Streams of a measurement, enough for many ticks of the clock; the best of [`ROUNDS`] counts.
const STREAMS: u32 = 1500;
const ROUNDS: u32 = 7;

fn main() {
    let mut told =
        "# Translation\n\nMade by `make bench-translate`: CPU time of this thread, best of \
        seven rounds; a stream's set-up is spread over its events.\n\n"
            .to_owned();
    let mut kept = request(&mut told);
    kept &= events(&mut told);
    let verdict = if kept { "All bounds are kept." } else { "A bound is broken." };
    let _ = writeln!(told, "\n{verdict}");
    println!("{told}");
    let mut args = std::env::args().skip_while(|arg| arg != "--results");
    if let Some(path) = args.nth(1) {
        std::fs::write(path, told).expect("the table is written");
    }
    assert!(kept, "a bound is broken");
}

/// Chat completions of about 200 KB, read and written for Claude.
fn request(told: &mut String) -> bool {
    let body = large_request();
    let (facts, quirks) = (ModelFacts::default(), Quirks::default());
    let model = models(VendorApi::Messages)[0];
    let target = Target { model, facts: &facts, platform: Platform::Own, quirks: &quirks };
    let read = best(100, || drop(ClientApi::Chat.read(&body).expect("it is a request")));
    let both = best(100, || {
        let request = ClientApi::Chat.read(&body).expect("it is a request");
        drop(VendorApi::Messages.write(request, &target).expect("Claude can do it"));
    });
    let millis = both.micros / 1000.0;
    let _ = writeln!(
        told,
        "chat → messages, {} KB: {millis:.2} ms (at most {REQUEST_BOUND}), of which reading \
         {:.2} ms; {:.0} KB allocated, {:.0} KB at once at most\n",
        body.len() / 1000,
        read.micros / 1000.0,
        both.bytes / 1000.0,
        both.largest as f64 / 1000.0,
    );
    millis <= REQUEST_BOUND
}

/// A long conversation with an agent: texts with line ends and quotes, calls and their results.
fn large_request() -> Vec<u8> {
    let text = "He said \\\"grüß Gott\\\" and went on:\\n\\tlet x = 1;\\n".repeat(25);
    let mut messages = r#"{"role":"system","content":"Be brief."}"#.to_owned();
    for turn in 0..62 {
        let _ = write!(
            messages,
            r#",{{"role":"user","content":"{text}"}},{{"role":"assistant","content":null,"tool_calls":[{{"id":"call_{turn}","type":"function","function":{{"name":"run","arguments":"{{\"command\":\"ls {turn}\"}}"}}}}]}},{{"role":"tool","tool_call_id":"call_{turn}","content":[{{"type":"text","text":"{text}"}}]}}"#
        );
    }
    let tool = r#"{"type":"function","function":{"name":"run","description":"Runs.","parameters":{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}}}"#;
    format!(r#"{{"model":"m","messages":[{messages}],"tools":[{tool}],"max_tokens":900}}"#)
        .into_bytes()
}

/// Every vendor's stream for every client.
fn events(told: &mut String) -> bool {
    told.push_str("| vendor | client | µs per event | bytes allocated per event | largest |\n");
    told.push_str("|---|---|---|---|---|\n");
    let mut kept = true;
    for &from in VENDORS {
        let framing = framings(from)[0];
        let bytes = stream(from, framing);
        let text = String::from_utf8(stream(from, Framing::Sse)).expect("UTF-8");
        // Each piece is one event, as vendors send them.
        let count = text.matches("data: ").count() as f64;
        let pieces = pieces(&bytes, framing);
        for &to in CLIENTS {
            let whole = best(STREAMS, || {
                let mut translator = StreamTranslator::new(from, framing, to, answering(from));
                for piece in &pieces {
                    drop(translator.push(piece));
                }
                drop(translator.end());
                assert!(translator.complete());
            });
            let (micros, bytes) = (whole.micros / count, whole.bytes / count);
            kept &= micros <= EVENT_BOUND && whole.largest <= LARGEST_BOUND;
            let _ = writeln!(
                told,
                "| {} | {} | {micros:.2} | {bytes:.0} | {} |",
                vendor(from),
                client(to),
                whole.largest,
            );
        }
    }
    let _ =
        writeln!(told, "\nAt most {EVENT_BOUND} µs an event, and {LARGEST_BOUND} bytes at once.");
    kept
}

/// The stream in its events: each up to its blank line, or a frame.
fn pieces(stream: &[u8], framing: Framing) -> Vec<&[u8]> {
    let mut rest = stream;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let length = if framing == Framing::Sse {
            let ends = [&b"\n\n"[..], b"\r\n\r\n"];
            let end = |end: &&[u8]| rest.windows(end.len()).position(|at| at == *end);
            let found = ends.iter().filter_map(|one| Some(end(one)? + one.len())).min();
            found.unwrap_or(rest.len())
        } else {
            u32::from_be_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize
        };
        let (piece, after) = rest.split_at(length);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// What one of `times` runs costs in the best of several rounds.
fn best(times: u32, mut run: impl FnMut()) -> Cost {
    let rounds = (0..ROUNDS).map(|_| count::cost(times, &mut run));
    rounds.min_by(|a, b| a.micros.total_cmp(&b.micros)).expect("there are rounds")
}
