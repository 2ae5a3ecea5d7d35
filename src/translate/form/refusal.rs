//! What a dialect cannot carry, told before any call is made.

/// The caller's request cannot be translated: always status 400, and always naming what is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// `invalid_parameters` where the request is wrong in itself, `unsupported_parameter` where the
    /// vendor or model that it would go to cannot do what it asks.
    pub code: &'static str,
    /// The member at fault, as the client wrote it: `messages[2].content[0].image_url`.
    pub param: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Refusal {
    /// The request is wrong in itself.
    #[must_use]
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: "invalid_parameters", param: Some(param.into()), message: message.into() }
    }

    /// The vendor or the model cannot do it. `param` is the client's name of the feature.
    #[must_use]
    pub fn unsupported(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: "unsupported_parameter", param: Some(param.into()), message: message.into() }
    }
}
