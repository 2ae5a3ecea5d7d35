//! A service account's key, made into a token: a signed assertion, exchanged at its token endpoint.
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>, RFC 7523.

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, header};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use serde_json::json;

use super::{SCOPE, ServiceAccount, TokenAnswer, ask};
use crate::{cloud::CloudError, domain::Timestamp, net::Fetcher, secrets::Secret};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const LIFETIME_SECS: i64 = 3600;

/// Exchanges the key for a token.
pub(super) async fn exchange(
    fetcher: &Fetcher,
    account: &ServiceAccount,
) -> Result<(Secret, Duration), CloudError> {
    let assertion = sign(account, Timestamp::now().unix_seconds())?;
    let body = form(&[("grant_type", GRANT), ("assertion", assertion.expose())]);
    let request = form_request(&account.token_uri);
    let answer: TokenAnswer = ask(fetcher, "the token endpoint", request, body.into()).await?;
    Ok(answer.with_lifetime())
}

/// A form to be posted.
pub(super) fn form_request(url: &str) -> http::request::Builder {
    Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

pub(super) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn sign(account: &ServiceAccount, now: i64) -> Result<Secret, CloudError> {
    let claims = json!({
        "iss": account.client_email, "scope": SCOPE, "aud": account.token_uri,
        "iat": now, "exp": now + LIFETIME_SECS,
    });
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let key = key(account.private_key.expose())?;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| unusable())?;
    Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// Line breaks that were copied out of a JSON file arrive as `\n`.
fn key(pem: &str) -> Result<RsaKeyPair, CloudError> {
    let pem = zeroize::Zeroizing::new(pem.replace("\\n", "\n"));
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| unusable())? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        _ => return Err(unusable()),
    }
    .map_err(|_| unusable())
}

fn unusable() -> CloudError {
    CloudError::own(
        "private_key must be an RSA private key in PEM form, as a service account's key file has it \
         (-----BEGIN PRIVATE KEY-----)",
    )
}

#[cfg(test)]
pub(super) mod testing {
    use aws_lc_rs::{
        encoding::{AsDer as _, Pkcs8V1Der},
        rsa::KeySize,
        signature::RsaKeyPair,
    };
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    pub fn pair() -> RsaKeyPair {
        RsaKeyPair::generate(KeySize::Rsa2048).unwrap()
    }

    pub fn pem_of(pair: &RsaKeyPair, newline: &str) -> String {
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let body = STANDARD.encode(der.as_ref());
        format!(
            "-----BEGIN PRIVATE KEY-----{newline}{body}{newline}-----END PRIVATE KEY-----{newline}"
        )
    }

    pub fn pem() -> String {
        pem_of(&pair(), "\n")
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    fn account(pem: String) -> ServiceAccount {
        ServiceAccount {
            client_email: "robot@p.iam.gserviceaccount.com".to_owned(),
            private_key: Secret::new(pem),
            token_uri: "https://token.example/x".to_owned(),
        }
    }

    #[test]
    fn an_assertion_says_who_it_is_from_and_for_and_its_signature_holds() {
        let pair = testing::pair();
        for newline in ["\n", "\\n"] {
            let jwt = sign(&account(testing::pem_of(&pair, newline)), 1_000).unwrap();
            let (text, signature) = jwt.expose().rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let public =
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
            public.verify(text.as_bytes(), &signature).unwrap();
            let claims = URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().1).unwrap();
            let claims: Value = serde_json::from_slice(&claims).unwrap();
            assert_eq!(claims["iss"], "robot@p.iam.gserviceaccount.com");
            assert_eq!(claims["aud"], "https://token.example/x");
            assert_eq!(claims["scope"], SCOPE);
            assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(1000), Some(4600)));
        }
    }

    #[test]
    fn what_is_no_key_is_told_and_not_repeated() {
        for pem in
            ["", "canary", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----"]
        {
            let error = sign(&account(pem.to_owned()), 0).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains("PEM") && !error.contains("canary"), "{error}");
        }
    }
}
