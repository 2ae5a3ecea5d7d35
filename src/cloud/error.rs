//! Why a cloud gave no credential.

/// Longest message of a vendor that is repeated, characters.
const MAX_WORDS: usize = 4096;

/// A cloud refused, or could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// The message of the vendor's own error envelope, verbatim.
    #[error("{0}")]
    Vendor(String),
    /// Anything else, in our own words: nothing that an address answered is repeated.
    #[error("{0}")]
    Own(String),
}

impl CloudError {
    pub(super) fn vendor(message: &str) -> Self {
        Self::Vendor(message.chars().take(MAX_WORDS).collect())
    }

    pub(super) fn own(words: impl Into<String>) -> Self {
        Self::Own(words.into())
    }
}
