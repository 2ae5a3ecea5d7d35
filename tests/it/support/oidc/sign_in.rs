//! Signing in at the provider: its authorization and token endpoints. It checks what a provider has to
//! check, and remembers nothing else.

use std::collections::BTreeMap;

use axum::{
    Json,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{Forge, base64url};

/// The console's client there.
pub const CLIENT_ID: &str = "console";
/// Its secret.
pub const CLIENT_SECRET: &str = "s3cret of/the+console";

/// Sign-ins that wait for their code to be given back, and what the tokens say beside the usual.
#[derive(Default)]
pub struct SignIns {
    waiting: BTreeMap<String, Wanted>,
    /// Claims of the `id_token`, in place of the usual ones; null takes one away.
    pub says: BTreeMap<String, Value>,
}

struct Wanted {
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
}

type Fields = BTreeMap<String, String>;

fn fields(text: &str) -> Fields {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

impl SignIns {
    /// `/authorize`: whoever comes is ann, and says yes at once.
    pub fn authorize(&mut self, query: &str) -> Response {
        let asked = fields(query);
        let is = |name: &str, value: &str| asked.get(name).is_some_and(|given| given == value);
        assert!(is("response_type", "code") && is("client_id", CLIENT_ID), "{asked:?}");
        assert!(is("code_challenge_method", "S256"), "{asked:?}");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"), "{asked:?}");
        assert!(asked["state"].len() >= 32 && asked["nonce"].len() >= 32, "{asked:?}");
        let code = format!("code-{}", uuid::Uuid::new_v4());
        let wanted = Wanted {
            redirect_uri: asked["redirect_uri"].clone(),
            challenge: asked["code_challenge"].clone(),
            nonce: asked.get("nonce").cloned(),
        };
        let mut back = Url::parse(&wanted.redirect_uri).unwrap();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
        self.waiting.insert(code, wanted);
        (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
    }

    /// `/token`: a code for an `id_token`, once, for the client that asked, with the verifier.
    pub fn token(&mut self, headers: &HeaderMap, body: &str, usual: Forge) -> Response {
        let given = fields(body);
        let text = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
        if !is_client(headers) {
            return refused(StatusCode::UNAUTHORIZED, "invalid_client");
        }
        let Some(wanted) = self.waiting.remove(text("code")) else {
            return refused(StatusCode::BAD_REQUEST, "invalid_grant");
        };
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text("code_verifier").as_bytes());
        let proven = base64url(digest) == wanted.challenge;
        let same = text("redirect_uri") == wanted.redirect_uri;
        if !proven || !same || text("grant_type") != "authorization_code" {
            return refused(StatusCode::BAD_REQUEST, "invalid_grant");
        }
        let token = usual.claim("aud", json!(CLIENT_ID)).claim("azp", json!(CLIENT_ID));
        let token = token.claim("nonce", json!(wanted.nonce)).claim("typ", json!("ID"));
        let said = self.says.iter();
        let token = said.fold(token, |token, (name, value)| token.claim(name, value.clone()));
        let answer = json!({
            "access_token": "opaque", "token_type": "Bearer", "expires_in": 300,
            "id_token": token.sign(),
        });
        Json(answer).into_response()
    }
}

/// RFC 6749, 2.3.1.
fn is_client(headers: &HeaderMap) -> bool {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(CLIENT_ID), encode(CLIENT_SECRET));
    let wanted = format!("Basic {}", STANDARD.encode(pair));
    headers.get(header::AUTHORIZATION).is_some_and(|given| given == wanted.as_str())
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}
