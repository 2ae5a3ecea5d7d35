//! The key of a webhook's signatures.

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    domain::{OrgId, WebhookId},
    secrets::{Keyring, SealError},
};

/// What the text form begins with.
const PREFIX: &str = "whsec_";
/// The standard asks for 24 to 64.
const LENGTH: usize = 32;
/// What the envelope is bound to beside organization and row.
const FIELD: &str = "webhook";

/// Bytes that the receiver has, too.
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// A new one; none when the system gives no random numbers.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = Zeroizing::new(vec![0; LENGTH]);
        rand::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// As the receiver's library takes it: `whsec_` and base64.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&*self.0))
    }

    /// Seals it for its row.
    ///
    /// # Errors
    /// When the cipher cannot be used.
    pub fn seal(
        &self,
        keyring: &Keyring,
        org: OrgId,
        webhook: WebhookId,
    ) -> Result<Vec<u8>, SealError> {
        keyring.seal(org, webhook.0, FIELD, &self.0)
    }

    /// Opens what [`WebhookSecret::seal`] made.
    ///
    /// # Errors
    /// When it was made with another key, for another row, or was changed.
    pub fn open(
        keyring: &Keyring,
        org: OrgId,
        webhook: WebhookId,
        sealed: &[u8],
    ) -> Result<Self, SealError> {
        keyring.open(org, webhook.0, FIELD, sealed).map(Self)
    }

    /// `webhook-signature` of a message.
    pub(super) fn signature(&self, id: &str, seconds: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // The example of the standard's own libraries.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = WebhookSecret(Zeroizing::new(key));
        let signature = secret.signature(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_opens_in_its_row_alone() {
        let keyring = Keyring::new([3; 32]);
        let (org, webhook) = (OrgId::random(), WebhookId::random());
        let secret = WebhookSecret::random().unwrap();
        assert!(secret.shown().starts_with("whsec_") && secret.shown().len() == 6 + 44);
        let sealed = secret.seal(&keyring, org, webhook).unwrap();
        let opened = WebhookSecret::open(&keyring, org, webhook, &sealed).unwrap();
        assert_eq!(opened.shown(), secret.shown());
        assert!(WebhookSecret::open(&keyring, org, WebhookId::random(), &sealed).is_err());
    }
}
