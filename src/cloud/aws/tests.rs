//! Against a server that answers as STS does.

use std::sync::Mutex;

use ::http::{StatusCode, Uri, header};
use axum::{Router, extract::State, response::IntoResponse as _, routing::any};

use super::*;
use crate::net::{AddressPolicy, Resolver};

const ARN: &str = "arn:aws:iam::123456789012:role/bedrock";

/// What the next calls are answered, and the forms that came.
#[derive(Clone, Default)]
struct Sts {
    answer: Arc<Mutex<(u16, String)>>,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Sts {
    async fn start(&self) -> String {
        let app = Router::new().fallback(any(answer)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    fn says(&self, status: u16, body: &str) -> &Self {
        *self.answer.lock().unwrap() = (status, body.to_owned());
        self
    }

    fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(
    State(sts): State<Sts>,
    uri: Uri,
    headers: ::http::HeaderMap,
    body: String,
) -> axum::response::Response {
    let signed = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    sts.seen.lock().unwrap().push((format!("{uri} {}", signed.unwrap_or_default()), body));
    let (status, body) = sts.answer.lock().unwrap().clone();
    let kind = [(header::CONTENT_TYPE, "text/xml")];
    (StatusCode::from_u16(status).unwrap(), kind, body).into_response()
}

fn assumed(key: &str, ends: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
         <SessionToken>t</SessionToken><Expiration>{ends}</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>"
    )
}

fn refused(message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>AccessDenied</Code><Message>{message}</Message></Error><RequestId>r</RequestId>\
         </ErrorResponse>"
    )
}

fn fetcher(deny: &[&str]) -> Fetcher {
    let deny = deny.iter().map(|range| range.parse().unwrap()).collect();
    let policy = AddressPolicy { deny, allow: Vec::new() };
    Fetcher::new(policy, Resolver::default(), Duration::from_secs(2), None).unwrap()
}

/// With the process's own chain replaced by fixed credentials.
fn aws(url: &str, guarded: Fetcher, principal: Option<&str>) -> Aws {
    let aws = Aws::new(guarded, fetcher(&[]), principal.map(str::to_owned));
    let credentials = Credentials::new("AKIAPLATFORM", "platform-secret", None, None, "test");
    let provider = aws_credential_types::provider::SharedCredentialsProvider::new(credentials);
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .credentials_provider(provider)
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build();
    aws.0.config.set(config).unwrap();
    aws
}

fn role() -> Role {
    Role { region: "eu-west-1".to_owned(), arn: ARN.to_owned(), external_id: "ext-1".to_owned() }
}

#[tokio::test]
async fn a_role_is_assumed_with_its_external_id_by_a_signed_request() {
    let sts = Sts::default();
    sts.says(200, &assumed("ASIA1", "2099-01-01T00:00:00Z"));
    let aws = aws(&sts.start().await, fetcher(&[]), None);
    let got = aws.credentials(&role()).await.unwrap();
    assert_eq!((got.access_key_id(), got.session_token()), ("ASIA1", Some("t")));
    let (head, body) = sts.seen().remove(0);
    assert!(
        head.contains("Credential=AKIAPLATFORM/") && head.contains("/eu-west-1/sts/"),
        "{head}"
    );
    for part in ["Action=AssumeRole", "ExternalId=ext-1", "bedrock", "RoleSessionName=turnpike"] {
        assert!(body.contains(part), "{body}");
    }
    // Kept: the second use asks nobody.
    aws.credentials(&role()).await.unwrap();
    assert_eq!(sts.seen().len(), 1);
    // Another external id is another identity.
    aws.credentials(&Role { external_id: "ext-2".to_owned(), ..role() }).await.unwrap();
    assert_eq!(sts.seen().len(), 2);
    // A validation is never answered from what is kept.
    aws.validate(&role()).await.unwrap();
    assert_eq!(sts.seen().len(), 3);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_vendors_own_words() {
    let sts = Sts::default();
    let message =
        "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: sts:AssumeRole";
    sts.says(403, &refused(message));
    let aws = aws(&sts.start().await, fetcher(&[]), None);
    assert_eq!(aws.validate(&role()).await, Err(CloudError::Vendor(message.to_owned())));
}

#[tokio::test]
async fn nothing_else_that_an_address_answers_is_repeated() {
    let sts = Sts::default();
    let aws = aws(&sts.start().await, fetcher(&[]), None);
    for (status, body) in [
        (403, "canary"),
        (500, "<html>canary</html>"),
        (403, "<ErrorResponse><Error><Canary>canary</Canary></Error></ErrorResponse>"),
        (200, "canary"),
        (200, "<AssumeRoleResponse><canary/></AssumeRoleResponse>"),
        (302, "canary"),
        (404, "{\"message\":\"canary\"}"),
    ] {
        sts.says(status, body);
        let error = aws.validate(&role()).await.unwrap_err();
        assert!(matches!(error, CloudError::Own(_)), "{status} {body}: {error:?}");
        assert!(!error.to_string().to_lowercase().contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn an_address_that_is_denied_is_not_asked() {
    let sts = Sts::default();
    let aws = aws(&sts.start().await, fetcher(&["127.0.0.0/8"]), None);
    let error = aws.validate(&role()).await.unwrap_err().to_string();
    assert!(error.contains("upstream.deny_addresses"), "{error}");
    assert!(sts.seen().is_empty());
}

#[tokio::test]
async fn the_principal_is_asked_once_and_named_as_a_trust_policy_names_it() {
    let sts = Sts::default();
    sts.says(
        200,
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/gateway/i-0</Arn>\
         <UserId>u</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>",
    );
    let aws = aws(&sts.start().await, fetcher(&[]), None);
    for _ in 0..2 {
        let principal = aws.principal().await;
        assert_eq!(principal.as_deref(), Some("arn:aws:iam::123456789012:role/gateway"));
    }
    assert_eq!(sts.seen().len(), 1);
}

#[tokio::test]
async fn a_configured_principal_is_believed_and_a_missing_one_is_none() {
    let sts = Sts::default();
    sts.says(403, &refused("no"));
    let url = sts.start().await;
    let known = aws(&url, fetcher(&[]), Some(ARN));
    assert_eq!(known.principal().await.as_deref(), Some(ARN));
    assert!(sts.seen().is_empty());
    let unknown = aws(&url, fetcher(&[]), None);
    assert_eq!(unknown.principal().await, None);
    assert_eq!(unknown.principal().await, None);
    assert_eq!(sts.seen().len(), 1, "that there is none is believed for a while");
}

#[test]
fn users_and_roots_are_trusted_as_they_are() {
    for arn in ["arn:aws:iam::1:user/a", "arn:aws:iam::1:root", "arn:aws:sts::1:assumed-role/x"] {
        assert_eq!(as_trusted(arn), arn);
    }
    assert_eq!(
        as_trusted("arn:aws-us-gov:sts::1:assumed-role/path/R/s"),
        "arn:aws-us-gov:iam::1:role/path/R"
    );
}
