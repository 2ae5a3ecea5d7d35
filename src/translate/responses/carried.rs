//! Proofs of thinking in `encrypted_content`, the one place that this API has for them.
//!
//! A signature of another vendor keeps its origin's name ([`Signature::seal`]). Two more things must
//! come back as they went: that a block was redacted, and that a signature stood on the call after it.

use std::borrow::Cow;

use super::super::form::{Origin, Signature, Text};

const REDACTED: &str = "turnpike.redacted.";
const CALL: &str = "turnpike.call.";

/// What a reasoning item's `encrypted_content` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The words of its own item.
    Thinking,
    /// A block that is not for reading.
    Redacted,
    /// The call that follows (Gemini).
    Call,
}

/// The `encrypted_content` of a signature.
#[must_use]
pub fn carry<'s>(signature: &'s Signature<'_>, proof: Proof) -> Cow<'s, str> {
    let sealed = signature.seal(Origin::OpenAi);
    match proof {
        // The API's own items need no word on what they are.
        _ if signature.origin == Origin::OpenAi => sealed,
        Proof::Thinking => sealed,
        Proof::Redacted => format!("{REDACTED}{sealed}").into(),
        Proof::Call => format!("{CALL}{sealed}").into(),
    }
}

/// Reads what [`carry`] wrote, or an `encrypted_content` of the API's own.
#[must_use]
pub fn carried(text: Text<'_>) -> (Signature<'_>, Proof) {
    for (prefix, proof) in [(REDACTED, Proof::Redacted), (CALL, Proof::Call)] {
        if text.starts_with(prefix) {
            let sealed = without(text, prefix.len());
            return (Signature::unseal(sealed, Origin::OpenAi), proof);
        }
    }
    (Signature::unseal(text, Origin::OpenAi), Proof::Thinking)
}

fn without(text: Text<'_>, start: usize) -> Text<'_> {
    match text.0 {
        Cow::Borrowed(all) => all.get(start..).unwrap_or_default().into(),
        Cow::Owned(mut all) => {
            all.drain(..start.min(all.len()));
            all.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_comes_back_as_what_it_was() {
        for origin in [Origin::Anthropic, Origin::Google, Origin::Bedrock] {
            for proof in [Proof::Thinking, Proof::Redacted, Proof::Call] {
                let signature = Signature::new(origin, "c2ln");
                let text = carry(&signature, proof).into_owned();
                assert_eq!(carried(text.clone().into()), (signature.clone(), proof));
                assert_eq!(carried(Text::from(&*text)), (signature, proof), "borrowed");
            }
        }
    }

    #[test]
    fn the_apis_own_content_stays_as_it_is() {
        let own = Signature::new(Origin::OpenAi, "gAAAAABo");
        assert_eq!(carry(&own, Proof::Redacted), "gAAAAABo");
        assert_eq!(carried("gAAAAABo".into()), (own, Proof::Thinking));
    }
}
