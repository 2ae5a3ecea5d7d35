//! The compact form of a JWT (RFC 7515, 7519), read strictly and believed in nothing.
//!
//! Two readers of one token must not see two tokens: base64 without padding or spare bits, no JSON
//! key given twice, whole numbers as times. The header names a key and an algorithm; which algorithm
//! a key is for is the key's to say. `jku`, `x5u`, `x5c` and `jwk` are looked at by nobody.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    crypto::{self, aws_lc},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use super::TokenRefusal;
use crate::domain::Timestamp;

/// Longer ones are not read, bytes. A header section has no room for more either.
const MAX_LEN: usize = 16 << 10;
/// How far two machines' clocks may differ, seconds.
const LEEWAY_SECS: i64 = 30;
/// Longest subject, characters.
const MAX_SUBJECT: usize = 512;

/// A token that was read and not verified.
pub(super) struct Jwt<'t> {
    /// Which algorithm the header names; for comparison with the key's.
    pub(super) algorithm: Algorithm,
    /// Which key the header names.
    pub(super) kid: Option<String>,
    /// What it says, in the signer's order of precedence: none of it counts before the signature.
    pub(super) claims: Map<String, Value>,
    signed: &'t str,
    signature: &'t str,
}

impl<'t> Jwt<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// When it is none, or asks for something that is not understood (`crit`, other algorithms).
    pub(super) fn parse(text: &'t str) -> Result<Self, TokenRefusal> {
        let malformed = TokenRefusal::Malformed;
        if text.len() > MAX_LEN {
            return Err(malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(malformed)?;
        let header = object(header).ok_or(malformed)?;
        // RFC 7515, 4.1.11: an extension that must be understood and is not. We understand none.
        if header.contains_key("crit") || header.contains_key("b64") || !is_jwt(&header) {
            return Err(malformed);
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(malformed),
        };
        let name = header.get("alg").and_then(Value::as_str).ok_or(malformed)?;
        let algorithm = algorithm(name).ok_or(TokenRefusal::Algorithm)?;
        let claims = object(payload).ok_or(malformed)?;
        Ok(Self { algorithm, kid, claims, signed, signature })
    }

    /// Whether the signature is this key's, by this algorithm and no other.
    pub(super) fn is_signed_by(&self, key: &DecodingKey, algorithm: Algorithm) -> bool {
        // Chosen by hand: were another part of the program to enable the crate's second backend, it
        // would panic on first use instead of choosing. A second call changes nothing.
        let _already_chosen = aws_lc::DEFAULT_PROVIDER.install_default();
        self.algorithm == algorithm
            && crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm)
                .unwrap_or(false)
    }

    /// `iss` without trailing slashes: some write one, some do not.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.text("iss").map(|issuer| issuer.trim_end_matches('/'))
    }

    /// `sub`, if it can be a name.
    pub(super) fn subject(&self) -> Option<&str> {
        self.text("sub").filter(|subject| {
            let fits = (1..=MAX_SUBJECT).contains(&subject.chars().count());
            fits && !subject.trim().is_empty() && !subject.contains(char::is_control)
        })
    }

    /// Whether `aud` names that audience, alone or among others.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match self.claims.get("aud") {
            Some(Value::String(only)) => only == audience,
            Some(Value::Array(several)) => {
                several.iter().all(Value::is_string) && several.iter().any(|one| one == audience)
            }
            _ => false,
        }
    }

    /// Checks `exp`, which must be there, `nbf` and `iat`.
    ///
    /// # Errors
    /// When the token's time is over or has not come, or a time is no whole number.
    pub(super) fn check_times(&self, now: Timestamp) -> Result<(), TokenRefusal> {
        let now = now.unix_seconds();
        let end = self.time("exp")?.ok_or(TokenRefusal::Malformed)?;
        if end.saturating_add(LEEWAY_SECS) <= now {
            return Err(TokenRefusal::Expired);
        }
        for name in ["nbf", "iat"] {
            if self.time(name)?.is_some_and(|start| start.saturating_sub(LEEWAY_SECS) > now) {
                return Err(TokenRefusal::TooEarly);
            }
        }
        Ok(())
    }

    fn time(&self, name: &str) -> Result<Option<i64>, TokenRefusal> {
        self.claims
            .get(name)
            .map(|value| value.as_i64().filter(|time| *time >= 0).ok_or(TokenRefusal::Malformed))
            .transpose()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}

/// Tokens of other kinds, such as logout tokens and security events, carry the same signatures. RFC
/// 7519, 5.1, and for access tokens RFC 9068, 2.1.
fn is_jwt(header: &Map<String, Value>) -> bool {
    let Some(kind) = header.get("typ") else { return true };
    let kind = kind.as_str().unwrap_or_default().to_ascii_lowercase();
    matches!(kind.trim_start_matches("application/"), "jwt" | "at+jwt")
}

/// RFC 7518, 3.1, RFC 8037 and RFC 9864; names are exact. Those with a shared secret are no option:
/// a public key would do as one.
pub(super) fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" | "Ed25519" => Algorithm::EdDSA,
        _ => return None,
    })
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    match serde_json::from_slice(&bytes) {
        Ok(Unique(Value::Object(object))) => Some(object),
        _ => None,
    }
}

/// A JSON value in which no object has a key twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Unique(value))) = fields.next_entry::<String, Unique>()? {
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom("a key is given twice"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn part(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn with(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", part(header), part(claims))
    }

    fn refusal(text: &str) -> Option<TokenRefusal> {
        Jwt::parse(text).err()
    }

    const HEADER: &str = r#"{"alg":"RS256","typ":"JWT","kid":"a"}"#;

    #[test]
    fn a_token_is_taken_apart() {
        let text = with(HEADER, r#"{"iss":"https://id.example//","sub":"ann","aud":["a","b"]}"#);
        let jwt = Jwt::parse(&text).ok().unwrap();
        assert_eq!((jwt.algorithm, jwt.kid.as_deref()), (Algorithm::RS256, Some("a")));
        assert_eq!((jwt.issuer(), jwt.subject()), (Some("https://id.example"), Some("ann")));
        assert!(jwt.is_for("b") && !jwt.is_for("c"));
        assert_eq!((jwt.signed.matches('.').count(), jwt.signature), (1, "c2ln"));
    }

    #[test]
    fn access_tokens_and_tokens_without_a_type_are_jwts_and_others_are_not() {
        for kind in ["", r#","typ":"jwt""#, r#","typ":"at+JWT""#, r#","typ":"application/at+jwt""#]
        {
            assert_eq!(
                refusal(&with(&format!(r#"{{"alg":"ES256"{kind}}}"#), "{}")),
                None,
                "{kind}"
            );
        }
        for kind in [r#""logout+jwt""#, r#""secevent+jwt""#, r#""""#, "null", "7", r#""JWE""#] {
            let header = format!(r#"{{"alg":"ES256","typ":{kind}}}"#);
            assert_eq!(refusal(&with(&header, "{}")), Some(TokenRefusal::Malformed), "{kind}");
        }
    }

    #[test]
    fn only_asymmetric_algorithms_by_their_exact_names_are_known() {
        for name in [
            "none", "None", "NONE", "nOnE", "", "HS256", "HS512", "rs256", "RS1", "RS256 ",
            "ES256K", "ES512", "dir",
        ] {
            let token = with(&format!(r#"{{"alg":"{name}"}}"#), "{}");
            assert_eq!(refusal(&token), Some(TokenRefusal::Algorithm), "{name}");
        }
        for alg in ["null", "7", "[\"RS256\"]", "{}"] {
            let token = with(&format!(r#"{{"alg":{alg}}}"#), "{}");
            assert_eq!(refusal(&token), Some(TokenRefusal::Malformed), "{alg}");
        }
    }

    #[test]
    fn what_must_be_understood_is_refused() {
        for extra in
            [r#""crit":["exp"]"#, r#""crit":[]"#, r#""crit":null"#, r#""b64":false"#, r#""kid":7"#]
        {
            let token = with(&format!(r#"{{"alg":"RS256",{extra}}}"#), "{}");
            assert_eq!(refusal(&token), Some(TokenRefusal::Malformed), "{extra}");
        }
    }

    #[test]
    fn a_key_given_twice_is_refused_wherever_it_stands() {
        let twice = [
            (r#"{"alg":"RS256","alg":"RS256"}"#, "{}"),
            (HEADER, r#"{"sub":"a","sub":"b"}"#),
            (HEADER, r#"{"sub":"a","s\u0075b":"b"}"#),
            (HEADER, r#"{"realm_access":{"roles":[],"roles":["admin"]}}"#),
            (HEADER, r#"{"list":[{"a":1,"a":1}]}"#),
        ];
        for (header, claims) in twice {
            assert!(refusal(&with(header, claims)).is_some(), "{claims}");
        }
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        let good = with(HEADER, "{}");
        let (header, claims) = (part(HEADER), part("{}"));
        let padded = format!("{header}=.{claims}.c2ln");
        let jwe = format!("{header}.{claims}.a.b.c");
        let huge = with(HEADER, &format!(r#"{{"a":"{}"}}"#, "x".repeat(20_000)));
        let deep = with(HEADER, &format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500)));
        let spare_bits = format!("{header}.e31.c2ln");
        for text in [
            "",
            ".",
            "..",
            "a.b.c",
            "é.é.é",
            &padded,
            &jwe,
            &huge,
            &deep,
            &spare_bits,
            &good[1..],
            &good.replace('.', ". "),
            &format!("{claims}.{header}"),
            &with("[]", "{}"),
            &with(HEADER, "[]"),
            &with(HEADER, "{} x"),
            &with(HEADER, "\u{feff}{}"),
        ] {
            assert!(refusal(text).is_some(), "{text}");
        }
        assert_eq!(refusal(&good), None);
    }

    #[test]
    fn a_subject_must_be_able_to_be_a_name() {
        for (subject, fits) in [
            (json!("ann"), true),
            (json!("é 1"), true),
            (json!(""), false),
            (json!(" "), false),
            (json!("a\u{0}b"), false),
            (json!("a\nb"), false),
            (json!(7), false),
            (json!(null), false),
            (json!("x".repeat(512)), true),
            (json!("x".repeat(513)), false),
        ] {
            let text = with(HEADER, &json!({"sub": subject}).to_string());
            assert_eq!(Jwt::parse(&text).ok().unwrap().subject().is_some(), fits, "{subject}");
        }
    }

    #[test]
    fn an_audience_is_a_text_or_a_list_of_texts() {
        for (audience, ours) in [
            (json!("a"), true),
            (json!(["a"]), true),
            (json!(["b", "a"]), true),
            (json!([]), false),
            (json!("A"), false),
            (json!("a "), false),
            (json!(["a", 7]), false),
            (json!(null), false),
            (json!({"a": "a"}), false),
        ] {
            let text = with(HEADER, &json!({"aud": audience}).to_string());
            assert_eq!(Jwt::parse(&text).ok().unwrap().is_for("a"), ours, "{audience}");
        }
    }

    #[test]
    fn times_are_whole_numbers_and_have_half_a_minute_of_leeway() {
        const NOW: i64 = 1_800_000_000;
        let check = |claims: Value| {
            let text = with(HEADER, &claims.to_string());
            Jwt::parse(&text).ok().unwrap().check_times(Timestamp(NOW * 1_000_000))
        };
        let end = NOW + 60;
        assert_eq!(check(json!({"exp": NOW - 29})), Ok(()));
        assert_eq!(check(json!({"exp": NOW - 30})), Err(TokenRefusal::Expired));
        assert_eq!(check(json!({"exp": 0})), Err(TokenRefusal::Expired));
        assert_eq!(check(json!({"exp": i64::MAX})), Ok(()));
        for name in ["nbf", "iat"] {
            assert_eq!(check(json!({"exp": end, name: NOW + 30})), Ok(()));
            assert_eq!(check(json!({"exp": end, name: NOW + 31})), Err(TokenRefusal::TooEarly));
            assert_eq!(check(json!({"exp": end, name: "0"})), Err(TokenRefusal::Malformed));
        }
        for odd in [
            json!(null),
            json!("9999999999"),
            json!(1e10),
            json!(1.5),
            json!(-1),
            json!([]),
            json!(u64::MAX),
        ] {
            assert_eq!(check(json!({"exp": odd})), Err(TokenRefusal::Malformed), "{odd}");
        }
        assert_eq!(check(json!({})), Err(TokenRefusal::Malformed));
    }
}
