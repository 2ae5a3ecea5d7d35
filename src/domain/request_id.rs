//! The name of one request, in logs, records, answers and upstream.

use uuid::Uuid;

/// Longest id that is taken from a client.
const MAX_LENGTH: usize = 128;

/// 1–128 of `A-Za-z0-9._-` (contract 4.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A client's own, if it is one.
    #[must_use]
    pub fn taken(given: &str) -> Option<Self> {
        let fits = (1..=MAX_LENGTH).contains(&given.len());
        (fits && given.bytes().all(is_allowed)).then(|| Self(given.to_owned()))
    }

    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}
