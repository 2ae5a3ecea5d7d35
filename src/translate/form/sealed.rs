//! Signatures of thinking: opaque to everyone but the vendor that made them.
//!
//! A vendor refuses a signature that it did not make, so each keeps its origin on its way through a
//! client that has only one place for it.

use std::borrow::Cow;

use super::Text;

/// Who made a signature, and will take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Claude, wherever it runs (<https://platform.claude.com/docs/en/build-with-claude/extended-thinking>:
    /// signatures are compatible across platforms).
    Anthropic,
    /// `OpenAI`'s Responses: `encrypted_content`.
    OpenAi,
    /// Gemini: `thoughtSignature`.
    Google,
    /// Models on Bedrock's Converse other than Claude.
    Bedrock,
}

impl Origin {
    const ALL: [Self; 4] = [Self::Anthropic, Self::OpenAi, Self::Google, Self::Bedrock];

    /// `reasoning_details[].format` of chat completions.
    #[must_use]
    pub const fn format(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic-claude-v1",
            Self::OpenAi => "openai-responses-v1",
            Self::Google => "google-gemini-v1",
            Self::Bedrock => "amazon-bedrock-v1",
        }
    }

    /// The origin of a `reasoning_details[].format`; none for a format of somebody else.
    #[must_use]
    pub fn of_format(format: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.format() == format)
    }

    const fn seal(self) -> &'static str {
        match self {
            Self::Anthropic => "turnpike.anthropic.",
            Self::OpenAi => "turnpike.openai.",
            Self::Google => "turnpike.google.",
            Self::Bedrock => "turnpike.bedrock.",
        }
    }
}

/// What the proofs begin with that carry their maker's name.
pub const SEAL: &str = "turnpike.";

/// A signature and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<'a> {
    /// Who made it.
    pub origin: Origin,
    /// The vendor's own bytes, as it sent them.
    pub value: Text<'a>,
}

impl<'a> Signature<'a> {
    /// A signature of `origin`.
    pub fn new(origin: Origin, value: impl Into<Text<'a>>) -> Self {
        Self { origin, value: value.into() }
    }

    /// For a client whose dialect has a place for signatures of `native` only: those stay as they are,
    /// others carry their origin's name.
    #[must_use]
    pub fn seal(&self, native: Origin) -> Cow<'_, str> {
        if self.origin == native {
            Cow::Borrowed(&self.value)
        } else {
            Cow::Owned(format!("{}{}", self.origin.seal(), &*self.value))
        }
    }

    /// Reads what [`Self::seal`] wrote, or a signature of `native` that never came through here.
    #[must_use]
    pub fn unseal(text: Text<'a>, native: Origin) -> Self {
        let sealed = Origin::ALL.into_iter().find(|origin| text.starts_with(origin.seal()));
        match sealed {
            None => Self { origin: native, value: text },
            Some(origin) => {
                let start = origin.seal().len();
                let value = match text.0 {
                    Cow::Borrowed(all) => all.get(start..).unwrap_or_default().into(),
                    Cow::Owned(all) => all.get(start..).unwrap_or_default().to_owned().into(),
                };
                Self { origin, value }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_comes_back_to_its_origin() {
        for origin in Origin::ALL {
            for native in Origin::ALL {
                let signature = Signature::new(origin, "c2ln");
                let sealed = signature.seal(native).into_owned();
                assert_eq!(sealed == "c2ln", origin == native);
                assert_eq!(Signature::unseal(sealed.into(), native), signature);
            }
            assert_eq!(Origin::of_format(origin.format()), Some(origin));
        }
        assert_eq!(Origin::of_format("somebody-else-v1"), None);
    }
}
