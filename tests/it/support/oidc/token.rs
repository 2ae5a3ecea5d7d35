//! Tokens, good ones and others.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::{SigningKey, base64url};

/// Unix seconds.
pub fn now() -> i64 {
    turnpike::domain::Timestamp::now().unix_seconds()
}

/// A token in the making: its header and claims may be anything.
#[derive(Clone)]
pub struct Forge {
    pub header: Value,
    pub claims: Value,
    key: SigningKey,
}

impl Forge {
    /// A good one, to be made worse.
    pub fn new(key: &SigningKey, claims: Value) -> Self {
        let header = json!({"alg": key.alg, "kid": key.kid, "typ": "JWT"});
        Self { header, claims, key: key.clone() }
    }

    /// With this claim set; null takes it away.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        set(&mut self.claims, name, value);
        self
    }

    /// With this header parameter set; null takes it away.
    pub fn header(mut self, name: &str, value: Value) -> Self {
        set(&mut self.header, name, value);
        self
    }

    /// Signed by its key.
    pub fn sign(&self) -> String {
        self.sign_texts(&self.header.to_string(), &self.claims.to_string())
    }

    /// These texts, whatever they are, signed by its key.
    pub fn sign_texts(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", base64url(header), base64url(claims));
        format!("{signed}.{}", base64url(self.key.sign(signed.as_bytes())))
    }

    /// With this text in the signature's place.
    pub fn with_signature(&self, signature: &str) -> String {
        format!("{}.{signature}", self.unsigned())
    }

    /// With an HMAC under that secret in the signature's place.
    pub fn hmac(&self, secret: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        self.with_signature(&base64url(hmac::sign(&key, self.unsigned().as_bytes())))
    }

    fn unsigned(&self) -> String {
        format!("{}.{}", base64url(self.header.to_string()), base64url(self.claims.to_string()))
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let object = object.as_object_mut().expect("an object");
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value);
    }
}
