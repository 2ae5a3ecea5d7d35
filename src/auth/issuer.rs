//! The gateway's own issuer of JWTs: one Ed25519 key pair, sealed in the store.
//!
//! Every process on the same store signs and verifies with the same key, so a token that
//! `turnpike token` prints works on any replica. JWT: RFC 7519; `EdDSA`: RFC 8037.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto::aws_lc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{TokenRefusal, jwt::Jwt};
use crate::{
    domain::{OrgId, Role, ServiceAccountId, Timestamp},
    secrets::{Keyring, SealError},
    store::{Store, StoreError},
};

/// `iss` and `aud` of every token.
pub const ISSUER_NAME: &str = "turnpike";
/// Name of the sealed key pair in the store.
const KEY_NAME: &str = "issuer-key";

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who made it: `turnpike`.
    pub iss: String,
    /// For whom: `turnpike`.
    pub aud: String,
    /// The user, as named by whoever asked for the token.
    pub sub: String,
    /// The organization.
    pub org_id: OrgId,
    /// Its name, for people; never used to decide anything.
    pub org: String,
    /// Names of roles; unknown ones give nothing.
    pub roles: Vec<String>,
    /// Names of groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// E-mail address, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The service account that it was made for; the token is void without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<ServiceAccountId>,
    /// When it was made, Unix seconds.
    pub iat: i64,
    /// When it ends, Unix seconds.
    pub exp: i64,
    /// Unique name of the token.
    pub jti: String,
}

impl Claims {
    /// The strongest role that the token names; `user` where it names none that exists.
    #[must_use]
    pub fn role(&self) -> Role {
        self.roles.iter().filter_map(|name| name.parse().ok()).max().unwrap_or(Role::User)
    }
}

/// Signs and verifies the gateway's own tokens.
pub struct Issuer {
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl Issuer {
    /// Takes the key pair from the store; the first process to ask makes it.
    ///
    /// # Errors
    /// When the store cannot be read or written, or the key pair does not open with this master key.
    pub async fn load_or_create(store: &Store, keyring: &Keyring) -> Result<Self, IssuerError> {
        if let Some(stored) = store.sealed(KEY_NAME).await? {
            return Self::from_pkcs8(&keyring.open_named(KEY_NAME, &stored)?);
        }
        let made = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new())
            .map_err(|_| IssuerError::Key)?;
        let sealed = keyring.seal_named(KEY_NAME, made.as_ref())?;
        // Another process may have been first; its key is the one that counts.
        let stored = store.put_sealed_if_absent(KEY_NAME, &sealed).await?;
        Self::from_pkcs8(&keyring.open_named(KEY_NAME, &stored)?)
    }

    fn from_pkcs8(document: &Zeroizing<Vec<u8>>) -> Result<Self, IssuerError> {
        // Chosen by hand: were another part of the program to enable the crate's second backend, it
        // would panic on first use instead of choosing. A second call changes nothing.
        let _already_chosen = aws_lc::DEFAULT_PROVIDER.install_default();
        let pair = Ed25519KeyPair::from_pkcs8(document).map_err(|_| IssuerError::Key)?;
        Ok(Self {
            signing: EncodingKey::from_ed_der(document),
            verifying: DecodingKey::from_ed_der(pair.public_key().as_ref()),
        })
    }

    /// Signs.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn sign(&self, claims: &Claims) -> Result<String, IssuerError> {
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &self.signing)
            .map_err(|_| IssuerError::Key)
    }

    /// Verifies signature, issuer, audience and times.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn verify(&self, jwt: &str, now: Timestamp) -> Result<Claims, TokenRefusal> {
        self.check(&Jwt::parse(jwt)?, now)
    }

    /// The same for a token that is already read.
    pub(super) fn check(&self, jwt: &Jwt<'_>, now: Timestamp) -> Result<Claims, TokenRefusal> {
        if jwt.algorithm != Algorithm::EdDSA {
            return Err(TokenRefusal::Algorithm);
        }
        if jwt.issuer() != Some(ISSUER_NAME) || !jwt.is_for(ISSUER_NAME) {
            return Err(TokenRefusal::Foreign);
        }
        jwt.check_times(now)?;
        if !jwt.is_signed_by(&self.verifying, Algorithm::EdDSA) {
            return Err(TokenRefusal::Signature);
        }
        jwt.subject().ok_or(TokenRefusal::Malformed)?;
        serde_json::from_value(Value::Object(jwt.claims.clone()))
            .map_err(|_| TokenRefusal::Malformed)
    }
}

/// The issuer cannot work.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key pair in the store does not open.
    #[error("the issuer's signing key cannot be opened: {0}")]
    Seal(#[from] SealError),
    /// No key pair could be made, or the stored one is none.
    #[error("the issuer's signing key cannot be used")]
    Key,
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn issuer() -> Issuer {
        let pair = Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
        Issuer::from_pkcs8(&Zeroizing::new(pair.as_ref().to_vec())).unwrap()
    }

    fn claims() -> Claims {
        Claims {
            iss: ISSUER_NAME.into(),
            aud: ISSUER_NAME.into(),
            sub: "ann@example.com".into(),
            org_id: OrgId::random(),
            org: "acme".into(),
            roles: vec!["user".into(), "admin".into()],
            groups: vec!["research".into()],
            email: Some("ann@example.com".into()),
            service_account: None,
            iat: NOW.unix_seconds(),
            exp: NOW.unix_seconds() + 60,
            jti: "1".into(),
        }
    }

    /// A token with the issuer's own signature over any claims.
    fn signed(issuer: &Issuer, claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &issuer.signing).unwrap()
    }

    fn part(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    #[test]
    fn a_signed_token_verifies_and_says_the_same() {
        let issuer = issuer();
        let jwt = issuer.sign(&claims()).unwrap();
        assert_eq!(jwt.matches('.').count(), 2);
        let seen = issuer.verify(&jwt, NOW).unwrap();
        assert_eq!(seen.sub, "ann@example.com");
        assert_eq!(seen.role(), Role::Admin);
    }

    #[test]
    fn a_token_ends_after_the_leeway() {
        let issuer = issuer();
        let jwt = issuer.sign(&claims()).unwrap();
        let after = |seconds: i64| Timestamp(NOW.0 + seconds * 1_000_000);
        assert!(issuer.verify(&jwt, after(60 + 29)).is_ok());
        assert_eq!(issuer.verify(&jwt, after(60 + 30)), Err(TokenRefusal::Expired));
    }

    #[test]
    fn another_issuer_or_audience_is_refused_even_with_our_signature() {
        let issuer = issuer();
        for name in ["iss", "aud"] {
            let mut other = serde_json::to_value(claims()).unwrap();
            other[name] = json!("someone-else");
            assert_eq!(issuer.verify(&signed(&issuer, &other), NOW), Err(TokenRefusal::Foreign));
        }
    }

    #[test]
    fn a_token_without_a_required_claim_is_refused() {
        let issuer = issuer();
        for name in ["exp", "iss", "aud", "sub", "org_id", "roles"] {
            let mut less = serde_json::to_value(claims()).unwrap();
            less.as_object_mut().unwrap().remove(name);
            assert!(issuer.verify(&signed(&issuer, &less), NOW).is_err(), "without {name}");
        }
    }

    #[test]
    fn an_end_that_is_not_a_number_is_refused() {
        let issuer = issuer();
        for end in [json!("9999999999"), json!(null), json!([]), json!(-1)] {
            let mut odd = serde_json::to_value(claims()).unwrap();
            odd["exp"] = end.clone();
            assert!(issuer.verify(&signed(&issuer, &odd), NOW).is_err(), "{end}");
        }
    }

    #[test]
    fn another_key_is_refused() {
        let jwt = issuer().sign(&claims()).unwrap();
        assert_eq!(issuer().verify(&jwt, NOW), Err(TokenRefusal::Signature));
    }

    #[test]
    fn the_header_cannot_choose_the_algorithm() {
        let issuer = issuer();
        let body = part(&serde_json::to_value(claims()).unwrap());
        let unsigned = format!("{}.{body}.", part(&json!({"alg": "none", "typ": "JWT"})));
        assert!(issuer.verify(&unsigned, NOW).is_err());

        // The public key as an HMAC secret, the classic confusion.
        let public = EncodingKey::from_secret(issuer.verifying_bytes());
        let forged =
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &public).unwrap();
        assert_eq!(issuer.verify(&forged, NOW), Err(TokenRefusal::Algorithm));
    }

    #[test]
    fn changed_claims_are_refused() {
        let issuer = issuer();
        let jwt = issuer.sign(&claims()).unwrap();
        let parts: Vec<&str> = jwt.split('.').collect();
        let mut more = serde_json::to_value(claims()).unwrap();
        more["roles"] = json!(["superadmin"]);
        let changed = format!("{}.{}.{}", parts[0], part(&more), parts[2]);
        assert_eq!(issuer.verify(&changed, NOW), Err(TokenRefusal::Signature));
    }

    #[test]
    fn other_text_is_no_token() {
        let issuer = issuer();
        for text in ["", ".", "..", "a.b", "a.b.c", "é.é.é", "bd-0123", "e30.e30.e30"] {
            assert!(issuer.verify(text, NOW).is_err(), "{text}");
        }
    }

    #[test]
    fn unknown_roles_give_nothing() {
        let mut claims = claims();
        claims.roles = vec!["owner".into()];
        assert_eq!(claims.role(), Role::User);
    }

    impl Issuer {
        fn verifying_bytes(&self) -> &[u8] {
            self.verifying.try_get_as_bytes().unwrap()
        }
    }
}
