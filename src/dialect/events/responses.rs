//! OpenAI's Responses events (<https://platform.openai.com/docs/api-reference/responses-streaming>).
//!
//! Every event carries its type and a running number. The ends are `response.completed`,
//! `response.incomplete` and `response.failed`, each with the whole response; an `error` event has
//! its fields flat in the reference and nested under `error` on the wire.

use super::{
    TYPE,
    reading::Reading,
    search::{Member, member},
};
use crate::{
    dialect::{facts::text, usage::read_openai},
    wire::pick::{Path, Picker},
};

const USAGE: Path = Path::inside("response", "usage");
const MODEL: Path = Path::inside("response", "model");
const RESPONSE_ERROR: Path = Path::inside("response", "error");
const ERROR: Path = Path::top("error");
const CODE: Path = Path::top("code");
const MESSAGE: Path = Path::top("message");
const SEQUENCE: Path = Path::top("sequence_number");
pub(super) const PATHS: &[Path] =
    &[TYPE, USAGE, MODEL, RESPONSE_ERROR, ERROR, CODE, MESSAGE, SEQUENCE];

static HAS_SEQUENCE: Member = member!("sequence_number");
static DELTA: Member = member!("delta");

pub(super) fn whole(name: &[u8], data: &[u8], reading: &mut Reading) {
    if is_delta(name) || (name.is_empty() && is_delta(leading_type(data))) {
        count(HAS_SEQUENCE.number(data), reading);
        reading.said += DELTA.said(data);
        reading.good();
        return;
    }
    let mut members = Picker::new(PATHS);
    members.push(data);
    picked(&super::typed(name, &members), &members, reading);
}

pub(super) fn picked(kind: &[u8], members: &Picker, reading: &mut Reading) {
    count(members.get(SEQUENCE).and_then(|raw| serde_json::from_slice(raw).ok()), reading);
    match kind {
        // What comes before any work; an error can still follow at once.
        b"response.created" | b"response.queued" | b"response.in_progress" => {
            reading.name_model(text(members.get(MODEL)));
        }
        b"response.completed" | b"response.incomplete" => {
            ended(members, reading);
            reading.good();
        }
        b"response.failed" => {
            ended(members, reading);
            let error = members.get(RESPONSE_ERROR).or_else(|| members.get(ERROR));
            reading.fail(error.unwrap_or(b"{}"));
        }
        b"error" => match members.get(ERROR).filter(|error| error.starts_with(b"{")) {
            Some(error) => reading.fail(error),
            None => reading.fail_with(flat(members)),
        },
        _ => match super::untyped_error(kind, members.get(ERROR)) {
            // A vendor that fails in the manner of its other endpoints.
            Some(error) => reading.fail(error),
            None => reading.good(),
        },
    }
}

/// The many events that only carry output: `response.output_text.delta` and the like.
fn is_delta(kind: &[u8]) -> bool {
    kind.starts_with(b"response.") && kind.ends_with(b".delta")
}

/// The type, where it leads the data as OpenAI has it.
fn leading_type(data: &[u8]) -> &[u8] {
    let Some(rest) = data.strip_prefix(br#"{"type":""#) else { return b"" };
    rest.get(..memchr::memchr(b'"', rest).unwrap_or(0)).unwrap_or_default()
}

fn count(sequence: Option<u64>, reading: &mut Reading) {
    reading.next_sequence = sequence.unwrap_or(reading.next_sequence).saturating_add(1);
}

fn ended(members: &Picker, reading: &mut Reading) {
    reading.finished = true;
    reading.name_model(text(members.get(MODEL)));
    if let Some(usage) = members.get(USAGE).and_then(read_openai) {
        reading.usage = Some(usage);
    }
}

fn flat(members: &Picker) -> crate::dialect::upstream_error::UpstreamError {
    crate::dialect::upstream_error::UpstreamError {
        code: text(members.get(CODE)),
        message: text(members.get(MESSAGE))
            .unwrap_or_else(|| "the provider reported an error".to_owned()),
        ..Default::default()
    }
}
