//! Why a token gives no access.

/// Why a token gives no access. Messages repeat nothing of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Not a JWT, or without the claims that one must have.
    #[error("the token is not a JWT with the claims that it must have")]
    Malformed,
    /// Another algorithm than the key's.
    #[error("the token is signed with an algorithm that is not accepted")]
    Algorithm,
    /// The signature is not the issuer's.
    #[error("the token's signature is not valid")]
    Signature,
    /// Signed with a key that the issuer does not publish.
    #[error("the token is signed with a key that its issuer does not publish")]
    UnknownKey,
    /// Made by or for someone else.
    #[error("the token was made by another issuer or for another audience")]
    Foreign,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    TooEarly,
    /// Nobody can tell: the issuer's keys are not known. Not the caller's fault.
    #[error("tokens of this issuer cannot be checked at the moment: its keys cannot be fetched")]
    Unavailable,
}
