//! A JSON Web Key Set (RFC 7517): which keys in it sign tokens, and with which algorithm.
//!
//! A key that is not understood, too weak or for something else is left out, as RFC 7517, 5 asks.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use super::{
    TokenRefusal,
    jwt::{self, Jwt},
};

/// More in one set is no key set of an issuer.
const MAX_KEYS: usize = 64;
/// Sizes of RSA moduli, bits: below is broken, beyond is a waste of our time.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The keys of an issuer, with the one algorithm that each is for.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// No key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what it publishes is no JSON Web Key Set of at most {MAX_KEYS} keys")]
pub(super) struct NoKeySet;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a set.
    ///
    /// # Errors
    /// When it is none, or has too many keys.
    pub(super) fn parse(json: &[u8]) -> Result<Self, NoKeySet> {
        let document: Document = serde_json::from_slice(json).map_err(|_| NoKeySet)?;
        if document.keys.len() > MAX_KEYS {
            return Err(NoKeySet);
        }
        let usable = |value| serde_json::from_value::<Jwk>(value).ok().and_then(Key::read);
        Ok(Self { keys: document.keys.into_iter().filter_map(usable).collect() })
    }

    /// How many keys can be used.
    pub(super) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Checks the signature with the key that the token names; a token that names none, with each
    /// that is for its algorithm.
    ///
    /// # Errors
    /// [`TokenRefusal::UnknownKey`] where a newer set may have the key.
    pub(super) fn verify(&self, jwt: &Jwt<'_>) -> Result<(), TokenRefusal> {
        let named = |key: &&Key| jwt.kid.is_none() || key.kid == jwt.kid;
        let mut candidates = self.keys.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Err(TokenRefusal::UnknownKey);
        }
        let mut fitting = candidates.filter(|key| key.algorithm == jwt.algorithm).peekable();
        if fitting.peek().is_none() {
            let new_key = jwt.kid.is_none();
            return Err(if new_key { TokenRefusal::UnknownKey } else { TokenRefusal::Algorithm });
        }
        if fitting.any(|key| jwt.is_signed_by(&key.key, key.algorithm)) {
            return Ok(());
        }
        Err(if jwt.kid.is_none() { TokenRefusal::UnknownKey } else { TokenRefusal::Signature })
    }
}

impl Key {
    fn read(jwk: Jwk) -> Option<Self> {
        let signs = jwk.usage.as_deref().is_none_or(|usage| usage == "sig")
            && jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !signs {
            return None;
        }
        let (default, allowed, key) = match jwk.kty.as_str() {
            "RSA" => rsa(&jwk)?,
            "EC" => elliptic(&jwk)?,
            "OKP" => edwards(&jwk)?,
            _ => return None,
        };
        let algorithm = jwk.alg.as_deref().map_or(Some(default), jwt::algorithm)?;
        allowed.contains(&algorithm).then_some(Self { kid: jwk.kid, algorithm, key })
    }
}

/// The algorithm where the key names none, those that it may name, and the key.
type Read = (Algorithm, &'static [Algorithm], DecodingKey);

fn rsa(jwk: &Jwk) -> Option<Read> {
    use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
    let (modulus, exponent) = (number(jwk.n.as_deref()?)?, number(jwk.e.as_deref()?)?);
    let odd = exponent.last().is_some_and(|last| last & 1 == 1) && exponent != [1];
    if !RSA_BITS.contains(&bits(&modulus)) || !odd {
        return None;
    }
    let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
    // OpenID Connect Core, 2: RS256 is what everybody has unless they say otherwise.
    Some((RS256, &[RS256, RS384, RS512, PS256, PS384, PS512], key))
}

fn elliptic(jwk: &Jwk) -> Option<Read> {
    use Algorithm::{ES256, ES384};
    let (algorithm, allowed, length): (_, &'static [Algorithm], _) = match jwk.crv.as_deref()? {
        "P-256" => (ES256, &[ES256], 32),
        "P-384" => (ES384, &[ES384], 48),
        _ => return None,
    };
    let (x, y) = (jwk.x.as_deref()?, jwk.y.as_deref()?);
    if bytes(x)?.len() != length || bytes(y)?.len() != length {
        return None;
    }
    Some((algorithm, allowed, DecodingKey::from_ec_components(x, y).ok()?))
}

fn edwards(jwk: &Jwk) -> Option<Read> {
    let x = jwk.x.as_deref()?;
    if jwk.crv.as_deref()? != "Ed25519" || bytes(x)?.len() != 32 {
        return None;
    }
    let key = DecodingKey::from_ed_components(x).ok()?;
    Some((Algorithm::EdDSA, &[Algorithm::EdDSA], key))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Big-endian, without the leading zeros that some write.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = bytes(text)?;
    Some(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |first| first.leading_zeros() as usize);
    number.len() * 8 - unused
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        rsa::{KeyPair as RsaKeyPair, KeySize},
        signature::{
            ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
            RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding,
        },
    };
    use serde_json::json;

    use super::*;

    fn text(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn rsa_jwk(pair: &RsaKeyPair) -> Value {
        json!({"kty": "RSA", "kid": "r", "n": text(&modulus(pair)), "e": "AQAB"})
    }

    /// The 256 bytes after the frame and the leading zero of RFC 8017's `RSAPublicKey`.
    fn modulus(pair: &RsaKeyPair) -> Vec<u8> {
        pair.public_key().as_ref()[9..265].to_vec()
    }

    fn merged(mut jwk: Value, more: Value) -> Value {
        let Value::Object(more) = more else { panic!("{more}") };
        jwk.as_object_mut().unwrap().extend(more);
        jwk
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap()
    }

    fn unsigned(alg: &str, kid: Option<&str>) -> String {
        let header = json!({"alg": alg, "kid": kid});
        let header = if kid.is_some() { header } else { json!({"alg": alg}) };
        format!("{}.{}", text(header.to_string().as_bytes()), text(b"{}"))
    }

    fn by_rsa(
        pair: &RsaKeyPair,
        how: &'static dyn RsaEncoding,
        alg: &str,
        kid: Option<&str>,
    ) -> String {
        let signed = unsigned(alg, kid);
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(how, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", text(&signature))
    }

    fn check(set: &KeySet, token: &str) -> Result<(), TokenRefusal> {
        set.verify(&Jwt::parse(token).ok().unwrap())
    }

    #[test]
    fn an_rsa_key_is_for_the_algorithm_that_it_names_else_for_rs256() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let rs256 = by_rsa(&pair, &RSA_PKCS1_SHA256, "RS256", Some("r"));
        let rs384 = by_rsa(&pair, &RSA_PKCS1_SHA384, "RS384", Some("r"));
        let ps256 = by_rsa(&pair, &RSA_PSS_SHA256, "PS256", Some("r"));
        let alone = set(&[rsa_jwk(&pair)]);
        assert_eq!(check(&alone, &rs256), Ok(()));
        assert_eq!(check(&alone, &rs384), Err(TokenRefusal::Algorithm));
        assert_eq!(check(&alone, &ps256), Err(TokenRefusal::Algorithm));
        let named = |alg: &str| set(&[merged(rsa_jwk(&pair), json!({"alg": alg}))]);
        assert_eq!(check(&named("RS384"), &rs384), Ok(()));
        assert_eq!(check(&named("PS256"), &ps256), Ok(()));
        assert_eq!(check(&named("PS256"), &rs256), Err(TokenRefusal::Algorithm));
    }

    #[test]
    fn curves_have_their_algorithm() {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let ec =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
        let point = ec.public_key().as_ref();
        let (x, y) = (text(&point[1..33]), text(&point[33..]));
        let ec_jwk = json!({"kty": "EC", "kid": "e", "crv": "P-256", "x": x, "y": y});
        let signed = unsigned("ES256", Some("e"));
        let signature = ec.sign(&random, signed.as_bytes()).unwrap();
        let es256 = format!("{signed}.{}", text(signature.as_ref()));

        let ed = Ed25519KeyPair::generate().unwrap();
        let x = text(ed.public_key().as_ref());
        let ed_jwk = json!({"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": x, "alg": "EdDSA"});
        let signed = unsigned("EdDSA", Some("d"));
        let eddsa = format!("{signed}.{}", text(ed.sign(signed.as_bytes()).as_ref()));

        let both = set(&[ec_jwk.clone(), ed_jwk]);
        assert_eq!(check(&both, &es256), Ok(()));
        assert_eq!(check(&both, &eddsa), Ok(()));
        assert_eq!(set(&[merged(ec_jwk, json!({"alg": "RS256"}))]).len(), 0);
    }

    #[test]
    fn a_token_without_a_key_id_is_tried_with_the_keys_of_its_algorithm() {
        let (one, two) = (
            RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        );
        let both = set(&[rsa_jwk(&one), merged(rsa_jwk(&two), json!({"kid": "s"}))]);
        assert_eq!(check(&both, &by_rsa(&two, &RSA_PKCS1_SHA256, "RS256", None)), Ok(()));
        let stranger = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let token = by_rsa(&stranger, &RSA_PKCS1_SHA256, "RS256", None);
        assert_eq!(check(&both, &token), Err(TokenRefusal::UnknownKey));
        let named = by_rsa(&two, &RSA_PKCS1_SHA256, "RS256", Some("r"));
        assert_eq!(
            check(&both, &named),
            Err(TokenRefusal::Signature),
            "another key of the same set"
        );
        let unknown = by_rsa(&two, &RSA_PKCS1_SHA256, "RS256", Some("../../etc/passwd"));
        assert_eq!(check(&both, &unknown), Err(TokenRefusal::UnknownKey));
    }

    #[test]
    fn weak_foreign_and_unreadable_keys_are_left_out() {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let good = rsa_jwk(&pair);
        let weak = text(&[0xff; 255]);
        for odd in [
            merged(good.clone(), json!({"n": weak})),
            merged(good.clone(), json!({"n": text(&[0xff; 1025])})),
            merged(good.clone(), json!({"e": text(&[1])})),
            merged(good.clone(), json!({"e": text(&[2])})),
            merged(good.clone(), json!({"e": ""})),
            merged(good.clone(), json!({"use": "enc"})),
            merged(good.clone(), json!({"key_ops": ["encrypt"]})),
            merged(good.clone(), json!({"alg": "RSA-OAEP"})),
            merged(good.clone(), json!({"alg": "HS256"})),
            merged(good.clone(), json!({"alg": "none"})),
            merged(good.clone(), json!({"alg": "ES256"})),
            merged(good.clone(), json!({"kty": "EC"})),
            merged(good.clone(), json!({"kid": 7})),
            json!({"kty": "oct", "k": text(b"secret"), "alg": "HS256"}),
            json!({"kty": "EC", "crv": "P-256", "x": text(&[1; 31]), "y": text(&[1; 32])}),
            json!({"kty": "EC", "crv": "secp256k1", "x": text(&[1; 32]), "y": text(&[1; 32])}),
            json!({"kty": "OKP", "crv": "X25519", "x": text(&[1; 32])}),
            json!("RSA"),
            json!(null),
        ] {
            assert_eq!(set(&[odd.clone(), good.clone()]).len(), 1, "{odd}");
        }
        let zeros = merged(
            good,
            json!({"n": text(&[vec![0], modulus(&pair)].concat()), "use": "sig", "key_ops": ["verify"]}),
        );
        assert_eq!(set(&[zeros]).len(), 1);
    }

    #[test]
    fn what_is_no_set_or_too_large_a_one_is_refused() {
        for text in ["", "{}", "[]", "null", r#"{"keys":{}}"#, "<html>"] {
            assert_eq!(KeySet::parse(text.as_bytes()).err(), Some(NoKeySet), "{text}");
        }
        let many = |count: usize| json!({"keys": vec![json!({}); count]}).to_string();
        assert!(KeySet::parse(many(64).as_bytes()).is_ok());
        assert_eq!(KeySet::parse(many(65).as_bytes()).err(), Some(NoKeySet));
    }
}
