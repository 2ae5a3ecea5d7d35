//! Content that came while a call was still getting its arguments.

use std::collections::VecDeque;

use crate::translate::form::Citation;

/// A step of the answer that waits for its turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pending {
    Text(String),
    Thinking(String),
    /// Sealed.
    Signature(String),
    /// Sealed.
    Redacted(String),
    Citation(Box<Citation<'static>>),
    /// The call of this number begins.
    Call(usize),
    /// The block before is complete.
    End,
}

impl Pending {
    /// Adds an item; more of the same text is one item, so that a long wait costs few.
    pub(super) fn push(waiting: &mut VecDeque<Self>, item: Self) {
        match (waiting.back_mut(), item) {
            (Some(Self::Text(before)), Self::Text(more))
            | (Some(Self::Thinking(before)), Self::Thinking(more)) => before.push_str(&more),
            (_, item) => waiting.push_back(item),
        }
    }
}
