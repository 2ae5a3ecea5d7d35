//! What AWS and Google say about an organization's set-up, through the whole gateway.

use serde_json::{Value, json};

use crate::support::{Gateway, GatewayBuilder, MockCloud, Org};

const ARN: &str = "arn:aws:iam::123456789012:role/bedrock";

/// With credentials of its own at AWS, and STS at the mock.
fn at_aws(sts: &MockCloud) -> GatewayBuilder {
    Gateway::configured()
        .env("AWS_ENDPOINT_URL_STS", sts.url())
        .env("AWS_ACCESS_KEY_ID", "AKIAPLATFORM")
        .env("AWS_SECRET_ACCESS_KEY", "canary-platform-secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

/// With the mock as Google's metadata server and its IAM credentials API.
fn at_google(google: &MockCloud) -> GatewayBuilder {
    google.says(
        "/computeMetadata/",
        200,
        json!({"access_token": "canary-platform-token", "expires_in": 3599, "token_type": "Bearer"}),
    );
    Gateway::configured()
        .env("GCE_METADATA_HOST", google.address())
        .env("HOME", "/nonexistent")
        .set("google.iam_credentials_url", google.url())
        .set("upstream.trusted_hosts", r#"["127.0.0.1"]"#)
}

fn error(message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>AccessDenied</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}

async fn validate(acme: &Org, what: &str, body: &Value) -> (u16, Value) {
    let answer = acme.post(&format!("/admin/connections/{what}"), body.clone()).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn an_aws_role_is_tried_and_the_refusal_is_awss_own() {
    let sts = MockCloud::start().await;
    let gateway = at_aws(&sts).start().await;
    let acme = gateway.org("acme");
    let body = json!({"region": "eu-west-1", "iam_role_arn": ARN, "external_id": "ext-1"});
    let message =
        "User: arn:aws:iam::1:user/g is not authorized to perform: sts:AssumeRole on resource: x";
    sts.says("/", 403, error(message));
    let (status, refused) = validate(&acme, "aws-role-validate", &body).await;
    assert_eq!((status, &refused), (400, &json!({"error": "BadRequest", "message": message})));
    let asked = sts.asked().remove(0);
    assert!(asked.header("authorization").contains("Credential=AKIAPLATFORM/"), "{asked:?}");
    assert!(asked.body.contains("ExternalId=ext-1"), "{}", asked.body);

    sts.says("/", 500, "<html>canary of an internal page</html>");
    let (status, refused) = validate(&acme, "aws-role-validate", &body).await;
    assert_eq!(status, 400);
    assert!(!refused.to_string().contains("canary"), "{refused}");

    sts.says(
        "/",
        200,
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
    );
    assert_eq!(validate(&acme, "aws-role-validate", &body).await, (200, json!({"ok": true})));
    assert!(!gateway.log().join("\n").contains("canary"));
}

#[tokio::test]
async fn the_principal_is_the_configured_one_or_what_sts_says() {
    let sts = MockCloud::start().await;
    sts.says(
        "/",
        200,
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/gateway/i-0</Arn>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>",
    );
    let asking =
        at_aws(&sts).start().await.org("acme").get("/admin/connections/aws-role-config").await;
    assert_eq!(
        asking.json(),
        json!({"configured": true, "principal_arn": "arn:aws:iam::123456789012:role/gateway"})
    );
    let told = Gateway::configured().set("aws.principal_arn", ARN).start().await;
    let told = told.org("acme").get("/admin/connections/aws-role-config").await;
    assert_eq!(told.json(), json!({"configured": true, "principal_arn": ARN}));
    let nobody = Gateway::configured().env("AWS_EC2_METADATA_DISABLED", "true").start().await;
    let acme = nobody.org("acme");
    let none = acme.get("/admin/connections/aws-role-config").await;
    assert_eq!(none.json(), json!({"configured": false, "principal_arn": null}));
    let body = json!({"region": "eu-west-1", "iam_role_arn": ARN, "external_id": "ext-1"});
    let (status, refused) = validate(&acme, "aws-role-validate", &body).await;
    assert_eq!(status, 400);
    assert!(
        refused["message"].as_str().unwrap().contains("no AWS credentials of its own"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_vertex_model_is_asked_with_a_token_of_the_chosen_identity() {
    let google = MockCloud::start().await;
    let gateway = at_google(&google).start().await;
    let acme = gateway.org("acme");
    google
        .says(
            "/v1/projects/-/serviceAccounts/",
            200,
            json!({"accessToken": "theirs", "expireTime": "2099-01-01T00:00:00Z"}),
        )
        .says("/v1/projects/p-1/", 200, json!({"totalTokens": 1}));
    let adc = json!({"project_id": "p-1", "location": "us-central1", "base_url": google.url()});
    assert_eq!(validate(&acme, "google-vertex-validate", &adc).await, (200, json!({"ok": true})));
    let last = google.asked().pop().unwrap();
    assert_eq!(last.header("authorization"), "Bearer canary-platform-token");
    assert_eq!(google.asked()[0].header("metadata-flavor"), "Google");

    let mut target = adc.clone();
    target["auth_type"] = json!("google_impersonation");
    target["target_service_account"] = json!("r@p.iam.gserviceaccount.com");
    target["model_api_family"] = json!("anthropic_messages");
    assert_eq!(
        validate(&acme, "google-vertex-validate", &target).await,
        (200, json!({"ok": true}))
    );
    let last = google.asked().pop().unwrap();
    assert_eq!(last.header("authorization"), "Bearer theirs");
    assert!(last.path.contains("/publishers/anthropic/models/"), "{}", last.path);

    let message =
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
    google.says(
        "/v1/projects/-/",
        403,
        json!({"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED"}}),
    );
    let refused = validate(&acme, "google-vertex-validate", &target).await;
    assert_eq!(refused, (400, json!({"error": "BadRequest", "message": message})));
    google.says("/v1/projects/p-1/", 502, "canary of an internal page");
    let (status, refused) = validate(&acme, "google-vertex-validate", &adc).await;
    assert_eq!(status, 400);
    assert!(!refused.to_string().contains("canary"), "{refused}");
    assert!(!gateway.log().join("\n").contains("canary"));
}

#[tokio::test]
async fn the_platforms_google_token_goes_to_no_other_host() {
    let google = MockCloud::start().await;
    let gateway = at_google(&google).set("upstream.trusted_hosts", "[]").start().await;
    let body = json!({"project_id": "p-1", "location": "us-central1", "base_url": google.url()});
    let (status, refused) = validate(&gateway.org("acme"), "google-vertex-validate", &body).await;
    assert_eq!(status, 400);
    assert!(refused["message"].as_str().unwrap().contains("upstream.trusted_hosts"), "{refused}");
    assert!(google.asked().is_empty(), "nothing was asked at all");
}

#[tokio::test]
async fn a_token_endpoint_at_a_denied_address_is_not_asked() {
    let google = MockCloud::start().await;
    let gateway =
        at_google(&google).set("upstream.deny_addresses", r#"["127.0.0.0/8"]"#).start().await;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_pem();
    let body = json!({
        "project_id": "p-1", "location": "us-central1", "auth_type": "google_service_account",
        "credentials": {"client_email": "a@b", "private_key": key, "token_uri": google.url()},
    });
    let (status, refused) = validate(&gateway.org("acme"), "google-vertex-validate", &body).await;
    assert_eq!(status, 400);
    assert!(refused["message"].as_str().unwrap().contains("upstream.deny_addresses"), "{refused}");
    assert!(google.asked().is_empty());
}
