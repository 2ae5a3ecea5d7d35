//! A long body that is read straight to where it stays.
//!
//! Pingora reads a body through a buffer of its own and hands out copies of its pieces, which would
//! have to be joined: each byte is copied twice more than the kernel does. So where the length is
//! told, the [connection](super::watched) itself reads the body into one allocation, and Pingora is
//! told of a short body instead: of what it has already, which came with the header, and of a byte
//! for every [`STEP`] after that, which it is given when the step has come. Its account of where the
//! body ends, and whether all of it was read, stays right: the next request is read, and a connection
//! closed whose body was not read to its end, as ever.

use std::{
    io,
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes that Pingora is told of as one.
pub const STEP: usize = 64 * 1024;

/// A rest that is shorter is copied as fast.
pub const LEAST: usize = 8 * 1024;

/// A body of which a part has come.
#[derive(Debug)]
pub struct LongBody {
    /// What has come.
    body: BytesMut,
    /// Bytes of all of it.
    length: usize,
    /// Bytes of it that Pingora knows to have come.
    told: usize,
    /// What comes yet is for nobody: it would be taken for something else.
    is_given_up: bool,
}

/// How many steps a rest of so many bytes is.
pub const fn steps(rest: usize) -> usize {
    rest.div_ceil(STEP)
}

impl LongBody {
    /// A body of `length` bytes of which Pingora has the first ones.
    pub fn new(has: usize, length: usize) -> Self {
        let body = BytesMut::with_capacity(length);
        Self { body, length, told: has, is_given_up: false }
    }

    /// Takes over what Pingora has, before the first step.
    pub fn begin(&mut self, first: &[u8]) {
        self.body.extend_from_slice(first);
    }

    /// Whether Pingora is still to be given something of it.
    pub const fn is_awaited(&self) -> bool {
        self.told < self.length
    }

    /// Reads until another step has come; whether it has, or the connection ended instead.
    pub fn poll_step<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut R,
    ) -> Poll<io::Result<bool>> {
        if self.is_given_up {
            return poll_nothing(cx, from);
        }
        let next = self.told.saturating_add(STEP).min(self.length);
        while self.body.len() < next {
            let left = self.length - self.body.len();
            let mut room = (&mut self.body).limit(left);
            if ready!(pin!(from.read_buf(&mut room)).poll(cx))? == 0 {
                return Poll::Ready(Ok(false));
            }
        }
        self.told = next;
        Poll::Ready(Ok(true))
    }

    /// The body; where not all of it has come, it is given up.
    pub fn finish(&mut self) -> Option<Bytes> {
        let body = std::mem::take(&mut self.body);
        self.is_given_up = self.is_awaited();
        (!self.is_given_up).then(|| body.freeze())
    }
}

/// Reads what comes for nobody, until the connection ends.
fn poll_nothing<R: AsyncRead + Unpin>(
    cx: &mut Context<'_>,
    from: &mut R,
) -> Poll<io::Result<bool>> {
    let mut piece = [0; 4096];
    while ready!(pin!(from.read(&mut piece)).poll(cx))? > 0 {}
    Poll::Ready(Ok(false))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// The body and what follows it, sent in pieces behind its first bytes.
    fn read(text: &[u8], first: usize, length: usize, piece: usize) -> Option<(Bytes, Vec<u8>)> {
        let (mut near, mut far) = tokio::io::duplex(piece);
        let sending = async move { far.write_all(&text[first..]).await.unwrap() };
        let reading = async {
            let mut body = LongBody::new(first, length);
            body.begin(&text[..first]);
            let mut told = 0;
            while body.is_awaited() {
                if !poll_fn(|cx| body.poll_step(cx, &mut near)).await.unwrap() {
                    assert_eq!(body.finish(), None);
                    return None;
                }
                told += 1;
            }
            assert_eq!(told, steps(length - first));
            let mut left = Vec::new();
            near.read_to_end(&mut left).await.unwrap();
            Some((body.finish().unwrap(), left))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { tokio::join!(sending, reading).1 })
    }

    proptest! {
        #[test]
        fn a_body_is_read_to_its_end_and_not_further(
            length in 1_usize..300_000,
            first in 0_usize..300_000,
            piece in 1_usize..200_000,
            next in 0_usize..5000,
        ) {
            let first = first % length;
            let text: Vec<u8> = (0..=250).cycle().take(length + next).collect();
            let (body, left) = read(&text, first, length, piece).expect("a body");
            prop_assert!(body == text[..length]);
            prop_assert!(left == text[length..]);
        }
    }

    #[test]
    fn a_connection_that_ends_early_has_no_body() {
        let text = vec![7; 150_001];
        assert_eq!(read(&text[..150_000], 10, 150_001, 4096), None);
        assert!(read(&text, 10, 150_001, 4096).is_some());
    }

    #[test]
    fn a_body_of_which_not_every_step_was_asked_for_is_given_up() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let text = vec![7; 2 * STEP];
            let mut body = LongBody::new(0, text.len());
            assert!(poll_fn(|cx| body.poll_step(cx, &mut &text[..])).await.unwrap());
            assert_eq!(body.finish(), None, "though all of it has come");
        });
    }

    #[test]
    fn what_comes_of_a_body_that_was_given_up_is_for_nobody() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut body = LongBody::new(0, 100_000);
            let text = vec![7; 70_000];
            let mut from = &text[..];
            assert!(poll_fn(|cx| body.poll_step(cx, &mut from)).await.unwrap());
            assert_eq!(body.finish(), None);
            let mut late = &text[..];
            assert!(!poll_fn(|cx| body.poll_step(cx, &mut late)).await.unwrap());
            assert!(body.is_awaited() && late.is_empty());
        });
    }
}
