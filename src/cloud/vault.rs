//! The root secret wrapped by a key of Vault's transit engine, which never leaves Vault.
//!
//! Wire: <https://developer.hashicorp.com/vault/api-docs/secret/transit> (encrypt, decrypt), errors:
//! <https://developer.hashicorp.com/vault/api-docs#error-response>. `OpenBao` speaks the same.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::{
    net::{Bounds, Fetcher},
    secrets::{KeyWrap, Root, Secret, WrapError},
};

const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), bytes: 64 << 10 };
/// Vault's words that are repeated, at most.
const MAX_WORDS: usize = 300;

/// A key of the transit engine.
pub struct Vault {
    fetcher: Fetcher,
    address: String,
    mount: String,
    key: String,
    token: Secret,
}

impl Vault {
    /// `address` without trailing slash; `token` is the token, `file:<path>` or `env:<name>`.
    #[must_use]
    pub fn new(
        fetcher: Fetcher,
        address: String,
        mount: String,
        key: String,
        token: Secret,
    ) -> Self {
        Self { fetcher, address, mount, key, token }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        operation: &str,
        body: &impl Serialize,
    ) -> Result<T, WrapError> {
        let (address, mount, key) = (&self.address, &self.mount, &self.key);
        let failed = |why: String| {
            WrapError::Service(format!(
                "Vault cannot {operation} with the key '{key}' of {address}/v1/{mount}: {why}"
            ))
        };
        let body = serde_json::to_vec(body).map_err(|_| failed("no request".to_owned()))?;
        let request = Request::post(format!("{address}/v1/{mount}/{operation}/{key}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-vault-request", "true")
            .header("x-vault-token", self.header().map_err(failed)?)
            .body(Bytes::from(body))
            .map_err(|_| failed("secrets.vault_address is no URL".to_owned()))?;
        let answer = self.fetcher.send(request, BOUNDS).await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        if answer.status() != StatusCode::OK {
            return Err(failed(refusal(answer.status(), answer.body())));
        }
        let read = serde_json::from_slice::<Answer<T>>(answer.body());
        read.map(|read| read.data).map_err(|_| failed("it answered something else".to_owned()))
    }

    /// The token as it is now: an agent renews it in its file.
    fn header(&self) -> Result<HeaderValue, String> {
        let setting = self.token.expose();
        let token = Zeroizing::new(if let Some(path) = setting.strip_prefix("file:") {
            std::fs::read_to_string(path)
                .map_err(|error| format!("secrets.vault_token: cannot read {path}: {error}"))?
        } else if let Some(name) = setting.strip_prefix("env:") {
            std::env::var(name)
                .map_err(|_| format!("secrets.vault_token: the variable {name} is not set"))?
        } else {
            setting.to_owned()
        });
        let mut value = HeaderValue::from_str(token.trim())
            .map_err(|_| "secrets.vault_token is no token".to_owned())?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Serialize)]
struct Encrypt<'a> {
    plaintext: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Ciphertext {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Plaintext {
    plaintext: Secret,
}

/// Vault's own words, if it used its own form, and what they usually mean.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<String>,
    }
    let words = serde_json::from_slice::<Errors>(body).map(|found| found.errors.join("; "));
    let words: String = words.unwrap_or_default().trim().chars().take(MAX_WORDS).collect();
    let remedy = match status.as_u16() {
        403 => "; check secrets.vault_token and its policy",
        404 => "; check secrets.vault_mount and secrets.vault_key",
        503 => "; Vault is sealed",
        _ => "",
    };
    match words.as_str() {
        "" => format!("it answered {}{remedy}", status.as_u16()),
        words => format!("{words} ({}){remedy}", status.as_u16()),
    }
}

#[async_trait::async_trait]
impl KeyWrap for Vault {
    fn name(&self) -> String {
        // Not the address: Vault may move.
        format!("vault/{}/{}", self.mount, self.key)
    }

    async fn wrap(&self, root: &Root) -> Result<Vec<u8>, WrapError> {
        let plaintext = Zeroizing::new(STANDARD.encode(root.to_plain()));
        let made: Ciphertext = self.call("encrypt", &Encrypt { plaintext: &plaintext }).await?;
        Ok(made.ciphertext.into_bytes())
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Root, WrapError> {
        let ciphertext = std::str::from_utf8(wrapped).map_err(|_| WrapError::Damaged)?.to_owned();
        let found: Plaintext = self.call("decrypt", &Ciphertext { ciphertext }).await?;
        let plain = STANDARD.decode(found.plaintext.expose()).map_err(|_| WrapError::Content)?;
        Root::from_plain(&Zeroizing::new(plain))
    }
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
