//! The grammars of streams, one file each: what an event means for usage, failure and the end.
//!
//! Each file has the same two functions: `whole` for an event that lies in memory (it looks only
//! as closely as the event deserves, because this runs for every token), and `picked` for the
//! members of an event that were picked out of it.

mod chat;
mod messages;
mod reading;
mod responses;
mod search;

pub(super) use reading::Reading;

use crate::{
    domain::Endpoint,
    wire::pick::{Path, Picker},
};

/// Whose grammar a stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grammar {
    /// Chat completions and completions: chunks, then `[DONE]`.
    Chat,
    /// Responses: typed, numbered events.
    Responses,
    /// Messages: named events.
    Messages,
}

impl Grammar {
    pub(super) const fn of(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Messages | Endpoint::CountTokens => Self::Messages,
            Endpoint::Responses => Self::Responses,
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Embeddings
            | Endpoint::Models => Self::Chat,
        }
    }

    /// The members of an event that matter.
    pub(super) const fn paths(self) -> &'static [Path] {
        match self {
            Self::Chat => chat::PATHS,
            Self::Responses => responses::PATHS,
            Self::Messages => messages::PATHS,
        }
    }

    /// Reads an event. True if it is the usage chunk that only OpenAI's `include_usage` brings.
    pub(super) fn whole(self, name: &[u8], data: &[u8], reading: &mut Reading) -> bool {
        match self {
            Self::Chat => chat::whole(name, data, reading),
            Self::Responses => {
                responses::whole(name, data, reading);
                false
            }
            Self::Messages => {
                messages::whole(name, data, reading);
                false
            }
        }
    }

    /// Reads an event that was too large to be held.
    pub(super) fn picked(self, name: &[u8], members: &Picker, reading: &mut Reading) {
        match self {
            Self::Chat if name == b"error" => reading.fail(b"{}"),
            Self::Chat => {
                chat::picked(members, reading);
            }
            Self::Responses => responses::picked(&typed(name, members), members, reading),
            Self::Messages => messages::picked(&typed(name, members), members, reading),
        }
    }
}

const TYPE: Path = Path::top("type");

/// An event's type: its name, or else what its data says.
fn typed(name: &[u8], members: &Picker) -> Vec<u8> {
    if !name.is_empty() {
        return name.to_vec();
    }
    let raw = members.get(TYPE).unwrap_or_default();
    raw.strip_prefix(b"\"").and_then(|raw| raw.strip_suffix(b"\"")).unwrap_or_default().to_vec()
}

/// The error object of an event that has no type: OpenAI's chat endpoint fails so, and some
/// vendors do it everywhere.
fn untyped_error<'a>(kind: &[u8], error: Option<&'a [u8]>) -> Option<&'a [u8]> {
    error.filter(|error| kind.is_empty() && error.starts_with(b"{"))
}
