//! `application/vnd.amazon.eventstream`: length-prefixed frames with two checksums each.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html> (the format),
//! <https://smithy.io/2.0/aws/amazon-eventstream.html> (its headers).

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// `:message-type` `event`.
    Event {
        /// `:event-type`.
        name: &'a [u8],
        /// Its payload.
        payload: &'a [u8],
    },
    /// `:message-type` `exception` or `error`.
    Exception {
        /// `:exception-type` or `:error-code`.
        name: &'a [u8],
        /// Its payload, or `:error-message`.
        payload: &'a [u8],
    },
    /// A checksum or a length is wrong: nothing after this can be read.
    Broken,
}

/// Cuts bytes into frames, at any split.
#[derive(Debug, Default)]
pub struct Frames {}

impl Frames {
    /// Reads the next piece and hands over every frame that ends in it.
    pub fn push(&mut self, _piece: &[u8], _to: &mut dyn FnMut(Frame<'_>)) {}
}
