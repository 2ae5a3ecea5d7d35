//! AWS Signature Version 4 as the service checks it, written from its documentation and independent of
//! what the gateway signs with:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};

use super::mock::Call;

/// What a signed request says of its signature.
pub struct Signed {
    pub access_key_id: String,
    pub region: String,
    pub service: String,
    /// The names of the headers that are signed.
    pub headers: Vec<String>,
    signature: String,
    scope: String,
}

impl Signed {
    /// Reads the `Authorization` header; panics if it is no signature.
    pub fn of(call: &Call) -> Self {
        let header = call.header("authorization").expect("the request is signed");
        let rest = header.strip_prefix("AWS4-HMAC-SHA256 ").expect("version 4");
        let part = |name: &str| {
            let mut parts = rest.split(", ").filter_map(|part| part.split_once('='));
            parts.find(|(known, _)| *known == name).expect(name).1.to_owned()
        };
        let credential = part("Credential");
        let (access_key_id, scope) = credential.split_once('/').unwrap();
        let scope: Vec<&str> = scope.split('/').collect();
        assert_eq!(scope.last(), Some(&"aws4_request"), "{header}");
        Self {
            access_key_id: access_key_id.to_owned(),
            region: scope[1].to_owned(),
            service: scope[2].to_owned(),
            headers: part("SignedHeaders").split(';').map(str::to_owned).collect(),
            signature: part("Signature"),
            scope: scope.join("/"),
        }
    }

    /// Panics unless the signature is the one of this secret over the request as it arrived.
    #[track_caller]
    pub fn is_by(&self, secret: &str, call: &Call) -> &Self {
        let time = call.header("x-amz-date").expect("x-amz-date");
        let text = ["AWS4-HMAC-SHA256", time, &self.scope, &hash(self.canonical(call).as_bytes())];
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in self.scope.split('/') {
            key = sign(&key, part.as_bytes());
        }
        let expected = hex(&sign(&key, text.join("\n").as_bytes()));
        assert_eq!(self.signature, expected, "of {}", self.canonical(call));
        self
    }

    fn canonical(&self, call: &Call) -> String {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        pairs.sort_unstable();
        let mut headers = String::new();
        for name in &self.headers {
            let value = call.header(name).expect("a signed header is sent");
            writeln!(headers, "{name}:{value}").unwrap();
        }
        [
            call.method.as_str(),
            &encoded(path),
            &pairs.join("&"),
            &headers,
            &self.headers.join(";"),
            &hash(&call.body),
        ]
        .join("\n")
    }
}

/// Every byte of the path as it was sent but unreserved ones and slashes: what is encoded already is
/// encoded twice.
fn encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap();
        }
    }
    out
}

fn sign(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}
