//! Limits and rules of thumb that more than one part keeps to.

/// Largest body that the admin and user API take, bytes; whole MiB.
pub const MAX_ADMIN_BODY: usize = 2 << 20;

/// Bytes of text (UTF-8) in a token, on average: where a guess is enough.
pub const TEXT_BYTES_PER_TOKEN: u64 = 4;
