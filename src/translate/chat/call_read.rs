//! The calls of a vendor's stream, whose pieces are marked in more than one way.
//!
//! `OpenAI` numbers them and gives the id once. Others give no number, a number of 0 for all, `null` or
//! the same id in every piece, or a name later than the id.

use std::borrow::Cow;

use super::wire::{Call, arguments, text_of};
use crate::translate::form::{Event, Events, Signature, Text};

/// The calls that have been seen.
#[derive(Default)]
pub(super) struct Calls {
    all: Vec<Seen>,
    begun: usize,
}

struct Seen {
    /// The vendor's number, if it has one.
    index: Option<u64>,
    id: String,
    custom: bool,
    /// Its number here, once it has begun.
    number: Option<usize>,
    /// Arguments that came before its name.
    held: String,
    signature: Option<Signature<'static>>,
}

/// An id for a call that the vendor gave none, unique in the world: results are matched by it.
pub(super) fn new_id() -> String {
    format!("call_{}", uuid::Uuid::new_v4().simple())
}

impl Calls {
    /// Whether a call has begun.
    pub(super) const fn any(&self) -> bool {
        self.begun > 0
    }

    /// Reads a piece.
    pub(super) fn piece(&mut self, piece: Call<'_>, to: &mut Events<'_>) {
        let id = piece.id.filter(|id| !id.is_empty());
        let custom = piece.custom.is_some();
        let signature = piece.extra_content.and_then(super::wire::ExtraContent::signature);
        let (name, fragment) = match (piece.custom, piece.function) {
            (Some(custom), _) => (custom.name, custom.input),
            (None, Some(function)) => (function.name, function.arguments.and_then(text_of)),
            (None, None) => (None, None),
        };
        let name = name.filter(|name| !name.is_empty());
        let position = self.find(piece.index, id.as_deref(), name.is_some());
        let position = position.unwrap_or_else(|| self.add(piece.index, id, custom));
        let Some(call) = self.all.get_mut(position) else { return };
        if let Some(signature) = signature {
            let value = signature.value.into_owned();
            call.signature = Some(Signature { origin: signature.origin, value });
        }
        if call.number.is_none() {
            let Some(name) = name else {
                call.held.push_str(fragment.as_deref().unwrap_or_default());
                return;
            };
            begin(call, self.begun, name, to);
            self.begun += 1;
        }
        let (Some(number), Some(fragment)) = (call.number, fragment) else { return };
        to(Event::Arguments { call: number, fragment });
    }

    /// The call that a piece is of; none where it begins another.
    fn find(&self, index: Option<u64>, id: Option<&str>, named: bool) -> Option<usize> {
        let last = |matches: &dyn Fn(&Seen) -> bool| self.all.iter().rposition(matches);
        match (index, id) {
            (Some(index), Some(id)) => {
                let known = last(&|call| call.index == Some(index) && call.id == id);
                // The id came later than the number; with a name, it is another call of that number.
                known.or_else(|| last(&|call| call.index == Some(index)).filter(|_| !named))
            }
            (Some(index), None) => last(&|call| call.index == Some(index)),
            (None, Some(id)) => last(&|call| call.id == id),
            (None, None) if named => None,
            (None, None) => self.all.len().checked_sub(1),
        }
    }

    fn add(&mut self, index: Option<u64>, id: Option<Text<'_>>, custom: bool) -> usize {
        let id = id.map_or_else(new_id, |id| id.0.into_owned());
        let held = String::new();
        self.all.push(Seen { index, id, custom, number: None, held, signature: None });
        self.all.len() - 1
    }

    /// A call that came whole, as vendors' older `function_call` does or a last message.
    pub(super) fn older(&mut self, function: super::wire::Function<'_>, to: &mut Events<'_>) {
        // There is only one: all its pieces are of number 0.
        let id = self.all.first().map(|call| Text(Cow::Owned(call.id.clone())));
        let call = Call {
            index: Some(0),
            id,
            function: Some(function),
            custom: None,
            extra_content: None,
        };
        self.piece(call, to);
    }
}

fn begin(call: &mut Seen, number: usize, name: Text<'_>, to: &mut Events<'_>) {
    call.number = Some(number);
    let id = Text::from(call.id.as_str());
    let signature = call.signature.take();
    to(Event::ToolCall { call: number, id, name, signature, custom: call.custom });
    if !call.held.is_empty() {
        let fragment = Text::from(std::mem::take(&mut call.held));
        to(Event::Arguments { call: number, fragment });
    }
}

/// A call of an answer that is no stream; none where it names no tool.
pub(super) fn whole(call: Call<'_>) -> Option<crate::translate::form::ToolCall<'_>> {
    let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| new_id().into());
    let signature = call.extra_content.and_then(super::wire::ExtraContent::signature);
    let (name, arguments, custom) = match (call.custom, call.function) {
        (Some(custom), _) => (custom.name, custom.input.unwrap_or_default(), true),
        (None, Some(function)) => (function.name, arguments(function.arguments), false),
        (None, None) => (None, Text::default(), false),
    };
    let name = name.filter(|name| !name.is_empty())?;
    Some(crate::translate::form::ToolCall { id, name, arguments, signature, custom })
}
