//! Anthropic's message events (<https://docs.claude.com/en/docs/build-with-claude/streaming>).
//!
//! `message_start` has the input's figures, `message_delta` cumulative ones, `message_stop` ends
//! the stream; `ping` may come anywhere, and so may `error`, even first.

use super::{
    TYPE,
    reading::Reading,
    search::{Member, member},
};
use crate::{
    dialect::facts::text,
    wire::pick::{Path, Picker},
};

const START_USAGE: Path = Path::inside("message", "usage");
const MODEL: Path = Path::inside("message", "model");
const USAGE: Path = Path::top("usage");
const ERROR: Path = Path::top("error");
pub(super) const PATHS: &[Path] = &[TYPE, START_USAGE, MODEL, USAGE, ERROR];

/// What a model says, thinks and calls with.
static SAYS: [&Member; 3] = {
    static TEXT: Member = member!("text");
    static THINKING: Member = member!("thinking");
    static ARGUMENTS: Member = member!("partial_json");
    [&TEXT, &THINKING, &ARGUMENTS]
};

pub(super) fn whole(name: &[u8], data: &[u8], reading: &mut Reading) {
    match name {
        b"content_block_delta" => {
            reading.said += SAYS.iter().map(|member| member.said(data)).sum::<u64>();
            reading.good();
        }
        b"content_block_start" | b"content_block_stop" => reading.good(),
        b"ping" => {}
        _ => {
            let mut members = Picker::new(PATHS);
            members.push(data);
            picked(&super::typed(name, &members), &members, reading);
        }
    }
}

pub(super) fn picked(kind: &[u8], members: &Picker, reading: &mut Reading) {
    match kind {
        b"ping" => {}
        b"error" => reading.fail(members.get(ERROR).unwrap_or(b"{}")),
        b"message_stop" => {
            reading.finished = true;
            reading.good();
        }
        _ => {
            // A vendor that fails in the manner of its other endpoints.
            if let Some(error) = super::untyped_error(kind, members.get(ERROR)) {
                reading.fail(error);
                return;
            }
            reading.good();
            reading.name_model(text(members.get(MODEL)));
            for usage in [members.get(START_USAGE), members.get(USAGE)].into_iter().flatten() {
                reading.counters.add(usage);
                reading.said = 0;
            }
        }
    }
}
