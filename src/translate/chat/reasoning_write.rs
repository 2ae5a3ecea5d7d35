//! `reasoning_details` as they are written: to clients, and to vendors that want them back.

use serde::Serialize;

use crate::translate::form::{Signature, Thinking};

/// One entry. Pieces of one block in a stream have the same `index`.
#[derive(Serialize)]
pub(super) struct DetailOut<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    index: usize,
}

impl<'r> DetailOut<'r> {
    const fn empty(kind: &'static str, index: usize) -> Self {
        Self { kind, id: None, text: None, data: None, signature: None, format: None, index }
    }

    /// Words of thinking.
    pub(super) const fn words(text: &'r str, index: usize) -> Self {
        Self { text: Some(text), ..Self::empty("reasoning.text", index) }
    }

    /// What proves the words of the same index.
    pub(super) fn proof(signature: &'r Signature<'_>, index: usize) -> Self {
        Self {
            signature: Some(&signature.value),
            format: Some(signature.origin.format()),
            ..Self::empty("reasoning.text", index)
        }
    }

    /// A block that is not for reading.
    pub(super) fn redacted(signature: &'r Signature<'_>, index: usize) -> Self {
        Self {
            data: Some(&signature.value),
            format: Some(signature.origin.format()),
            ..Self::empty("reasoning.encrypted", index)
        }
    }

    /// A whole block.
    pub(super) fn whole(thinking: &'r Thinking<'_>, index: usize) -> Self {
        let id = thinking.id.as_deref();
        match &thinking.signature {
            Some(signature) if thinking.redacted => Self { id, ..Self::redacted(signature, index) },
            Some(signature) => {
                Self { id, text: Some(&thinking.text), ..Self::proof(signature, index) }
            }
            None => Self { id, ..Self::words(&thinking.text, index) },
        }
    }
}
