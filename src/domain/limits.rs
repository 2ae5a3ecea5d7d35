//! Limits and rules of thumb that more than one part keeps to.

/// Largest body that the admin and user API take, bytes; whole MiB.
pub const MAX_ADMIN_BODY: usize = 2 << 20;

/// Bytes of text (UTF-8) in a token, on average: where a guess is enough.
pub const TEXT_BYTES_PER_TOKEN: u64 = 4;

/// Tokens of a picture whose size nobody knows: 1024 × 1024 in high detail.
/// <https://developers.openai.com/api/docs/guides/images-vision#calculating-costs>
pub const IMAGE_TOKENS: u64 = 765;
