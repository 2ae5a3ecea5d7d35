//! Credentials of clouds: what each kind needs, whose they are, and what is asked about them.

use serde_json::{Value, json};

use super::desk::{Client, Desk, id};
use crate::secrets::{Credential, open_credential};

const CONNECTIONS: &str = "/admin/connections";
const ARN: &str = "arn:aws:iam::123456789012:role/bedrock";

#[allow(clippy::needless_pass_by_value, reason = "reads as the literal that it is given")]
fn bedrock(name: &str, credentials: Value) -> Value {
    json!({
        "name": name, "model_provider": "bedrock", "auth_type": "aws_role",
        "settings": {"region": "eu-west-1"}, "credentials": credentials,
    })
}

fn with(mut body: Value, change: &Value) -> Value {
    for (field, value) in change.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

async fn stored(client: &Client<'_>, made: &Value) -> Option<Credential> {
    let (org, row) = (made["org_id"].as_str().unwrap(), made["id"].as_str().unwrap());
    let org = crate::domain::OrgId(org.parse().unwrap());
    let row: uuid::Uuid = row.parse().unwrap();
    let mut tx = client.desk.store.read().await.unwrap();
    let connection = tx.connection(org, crate::domain::CredentialId(row)).await.unwrap();
    let provider = tx.provider(org, crate::domain::ProviderId(row)).await.unwrap();
    let sealed = connection.and_then(|row| row.sealed).or(provider.and_then(|row| row.sealed))?;
    open_credential(&client.desk.keyring, org, row, &sealed).unwrap()
}

#[tokio::test]
async fn every_kind_of_credential_is_stored_in_both_vocabularies_and_never_shown() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let keys = json!({"access_key_id": "AKIA1", "secret_access_key": "canary-aws", "session_token": "canary-session"});
    let account =
        json!({"client_email": "r@p.iam.gserviceaccount.com", "private_key": "canary-pem"});
    let target = json!({"target_service_account": "r@p.iam.gserviceaccount.com"});
    let region = json!({"region": "eu-west-1", "model_api_family": "bedrock_converse"});
    let project = json!({"project_id": "p-1"});
    for (vendor, auth_type, settings, secret) in [
        (
            "bedrock",
            "aws_role",
            &region,
            json!({"credentials": {"iam_role_arn": ARN, "external_id": "ext-1"}}),
        ),
        ("bedrock", "aws_keys", &region, json!({"credentials": keys})),
        ("bedrock", "aws_static_credentials", &region, json!({"credentials": keys})),
        ("bedrock", "bedrock_api_key", &region, json!({"api_key": "canary-bedrock"})),
        ("vertex", "google_adc", &project, json!({})),
        ("vertex", "google_service_account", &project, json!({"credentials": account})),
        ("vertex", "google_impersonation", &project, json!({"credentials": target})),
        (
            "vertex",
            "google_service_account_impersonation",
            &project,
            json!({"credentials": target}),
        ),
        (
            "azure_openai",
            "azure_api_key",
            &json!({"api_version": "2024-10-21"}),
            json!({"api_key": "canary-azure", "base_url": "https://x.openai.azure.com"}),
        ),
        ("google_ai", "api_key", &json!({}), json!({"api_key": "canary-google"})),
    ] {
        let body = json!({"name": auth_type.to_owned() + vendor, "model_provider": vendor, "auth_type": auth_type, "settings": settings});
        let body = with(body, &secret);
        for path in [CONNECTIONS, "/admin/providers"] {
            let made = acme.post(path, body.clone()).await.ok();
            assert_eq!(made["auth_type"], auth_type, "echoed as written");
            assert_eq!(&made["settings"], settings, "no key is added");
            assert!(!made.to_string().contains("canary"), "{made}");
            assert_eq!(stored(&acme, &made).await.is_some(), auth_type != "google_adc");
        }
    }
    let passed =
        json!({"name": "claude", "model_provider": "anthropic", "auth_type": "claude_oauth"});
    let made = acme.post("/admin/providers", passed.clone()).await.ok();
    assert_eq!(
        (made["auth_type"].as_str(), made["health_status"].as_str()),
        (Some("claude_oauth"), Some("unverified"))
    );
    let refused = acme.post(CONNECTIONS, passed).await.refused(400, "BadRequest");
    assert!(refused.contains("set it on the provider"), "{refused}");
}

#[tokio::test]
async fn addresses_follow_from_the_settings_until_one_is_given() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let made = acme.post(CONNECTIONS, bedrock("a", json!({"iam_role_arn": ARN}))).await.ok();
    assert_eq!(made["base_url"], "https://bedrock-runtime.eu-west-1.amazonaws.com");
    let path = format!("{CONNECTIONS}/{}", id(&made));
    let moved = acme.put(&path, json!({"settings": {"region": "us-east-1"}})).await.ok();
    assert_eq!(moved["base_url"], "https://bedrock-runtime.us-east-1.amazonaws.com");
    let own = acme.put(&path, json!({"base_url": "https://vpce.example"})).await.ok();
    assert_eq!(own["base_url"], "https://vpce.example");
    let kept = acme.put(&path, json!({"settings": {"region": "eu-west-1"}})).await.ok();
    assert_eq!(kept["base_url"], "https://vpce.example");
    for (location, url) in [
        (None, "https://us-central1-aiplatform.googleapis.com"),
        (Some("europe-west4"), "https://europe-west4-aiplatform.googleapis.com"),
        (Some("global"), "https://aiplatform.googleapis.com"),
    ] {
        let settings = json!({"project_id": "p", "location": location});
        let body = json!({"name": url, "model_provider": "vertex", "settings": settings});
        assert_eq!(acme.post(CONNECTIONS, body).await.ok()["base_url"], url);
    }
}

#[tokio::test]
async fn an_external_id_is_made_where_none_is_given_and_stays_with_its_role() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let made = acme.post(CONNECTIONS, bedrock("a", json!({"iam_role_arn": ARN}))).await.ok();
    let path = format!("{CONNECTIONS}/{}", id(&made));
    let trust = format!("{path}/aws-trust-info");
    let first = acme.get(&trust).await.ok();
    assert_eq!(first["principal_arn"], "arn:aws:iam::123456789012:role/gateway");
    assert_eq!(first["external_id"].as_str().unwrap().len(), 36);
    acme.put(&path, json!({"name": "b", "credentials": {"iam_role_arn": ARN}})).await.ok();
    assert_eq!(acme.get(&trust).await.ok(), first);
    acme.put(&path, json!({"credentials": {"iam_role_arn": format!("{ARN}2")}})).await.ok();
    assert_ne!(acme.get(&trust).await.ok()["external_id"], first["external_id"]);
    // Both may stand in the settings instead, and are echoed there as they were sent.
    let settings = json!({"region": "eu-west-1", "iam_role_arn": ARN, "external_id": "mine"});
    let body = json!({"name": "s", "model_provider": "bedrock", "auth_type": "aws_role", "settings": settings});
    let made = acme.post(CONNECTIONS, body).await.ok();
    assert_eq!(made["settings"], settings);
    let trust = acme.get(&format!("{CONNECTIONS}/{}/aws-trust-info", id(&made))).await.ok();
    assert_eq!(trust["external_id"], "mine");
}

#[tokio::test]
async fn trust_values_are_those_of_a_role_of_ones_own() {
    let desk = Desk::open().await;
    let (acme, evil) = (desk.admin("acme").await, desk.admin("evil").await);
    let made = acme.post(CONNECTIONS, bedrock("a", json!({"iam_role_arn": ARN}))).await.ok();
    let path = format!("{CONNECTIONS}/{}/aws-trust-info", id(&made));
    let foreign = evil.get(&path).await;
    let unknown = format!("{CONNECTIONS}/{}/aws-trust-info", uuid::Uuid::new_v4());
    assert_eq!(foreign, evil.get(&unknown).await);
    foreign.refused(404, "NotFound");
    let key = json!({"name": "k", "model_provider": "openai", "api_key": "sk-1"});
    let key = id(&acme.post(CONNECTIONS, key).await.ok());
    let refused = acme.get(&format!("{CONNECTIONS}/{key}/aws-trust-info")).await;
    assert!(refused.refused(400, "BadRequest").contains("auth_type is not aws_role"));
    let config = acme.get("/admin/connections/aws-role-config").await.ok();
    assert_eq!(
        config,
        json!({"configured": true, "principal_arn": "arn:aws:iam::123456789012:role/gateway"})
    );
}

#[tokio::test]
async fn a_role_with_its_external_id_and_a_service_account_belong_to_one_organization() {
    let desk = Desk::open().await;
    let (acme, evil) = (desk.admin("acme").await, desk.admin("evil").await);
    let target = |name: &str| {
        json!({
            "name": name, "model_provider": "vertex", "auth_type": "google_impersonation",
            "settings": {"project_id": "p"},
            "credentials": {"target_service_account": "r@p.iam.gserviceaccount.com"},
        })
    };
    let role = |name: &str| bedrock(name, json!({"iam_role_arn": ARN, "external_id": "ext-1"}));
    let validations = [
        (
            "aws-role-validate",
            json!({"region": "eu-west-1", "iam_role_arn": ARN, "external_id": "ext-1"}),
        ),
        (
            "google-vertex-validate",
            json!({
                "project_id": "p", "location": "us-central1", "auth_type": "google_impersonation",
                "target_service_account": "R@p.iam.gserviceaccount.com",
            }),
        ),
    ];
    for (body, (validate, asked)) in [role("a"), target("b")].into_iter().zip(validations) {
        let made = acme.post(CONNECTIONS, body.clone()).await.ok();
        let second = acme.post("/admin/providers", body.clone()).await.ok();
        for path in [CONNECTIONS, "/admin/providers"] {
            let refused = evil.post(path, body.clone()).await.refused(409, "Conflict");
            assert!(refused.contains("in use by another organization"), "{refused}");
            assert!(!refused.contains("acme"), "{refused}");
        }
        evil.post(&format!("{CONNECTIONS}/{validate}"), asked).await.refused(409, "Conflict");
        acme.delete(&format!("{CONNECTIONS}/{}", id(&made))).await.ok();
        evil.post(CONNECTIONS, body.clone()).await.refused(409, "Conflict");
        acme.delete(&format!("/admin/providers/{}", id(&second))).await.ok();
        evil.post(CONNECTIONS, body).await.ok();
    }
    // The same role with another external id is another matter.
    acme.post(CONNECTIONS, bedrock("c", json!({"iam_role_arn": ARN, "external_id": "ext-2"})))
        .await
        .ok();
    let theirs = evil.get(CONNECTIONS).await.ok();
    let theirs = format!("{CONNECTIONS}/{}", id(theirs.as_array().unwrap().first().unwrap()));
    let taken = json!({"credentials": {"iam_role_arn": ARN, "external_id": "ext-2"}});
    evil.put(&theirs, taken).await.refused(409, "Conflict");
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_by_its_field() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let role = bedrock("a", json!({"iam_role_arn": ARN}));
    let vertex = json!({"name": "v", "model_provider": "vertex", "settings": {"project_id": "p"}});
    let account = json!({"auth_type": "google_service_account"});
    let cases = [
        (
            &role,
            json!({"settings": {}}),
            "settings.region is required for model_provider 'bedrock'",
        ),
        (
            &role,
            json!({"settings": {"region": "x.evil.example/"}}),
            "settings.region must be 1 to 128",
        ),
        (&role, json!({"settings": {"region": 1}}), "settings.region must be a string"),
        (
            &role,
            json!({"settings": {"region": "a", "model_api_family": "x"}}),
            "settings.model_api_family must be one of",
        ),
        (
            &role,
            json!({"credentials": null}),
            "credentials.iam_role_arn is required for auth_type 'aws_role'",
        ),
        (&role, json!({"credentials": {"iam_role_arn": "nope"}}), "must be the ARN of a role"),
        (
            &role,
            json!({"credentials": {"iam_role_arn": ARN, "external_id": "a b"}}),
            "credentials.external_id must be",
        ),
        (&role, json!({"api_key": "sk-1"}), "api_key is not used with auth_type 'aws_role'"),
        (&role, json!({"auth_type": "aws_keys"}), "credentials.access_key_id is required"),
        (
            &role,
            json!({"auth_type": "aws_keys", "credentials": {"access_key_id": "A"}}),
            "credentials.secret_access_key is required",
        ),
        (
            &role,
            json!({"auth_type": "bedrock_api_key", "credentials": null}),
            "api_key is required",
        ),
        (
            &role,
            json!({"auth_type": "google_adc"}),
            "auth_type 'google_adc' is not one of bedrock's",
        ),
        (&role, json!({"auth_type": "nope"}), "unknown auth_type 'nope'"),
        (&vertex, json!({"settings": {}}), "settings.project_id is required"),
        (&vertex, json!({"settings": {"project_id": "a/b"}}), "settings.project_id must be"),
        (
            &vertex,
            json!({"auth_type": "api_key", "api_key": "k"}),
            "auth_type 'api_key' is not one of vertex's",
        ),
        (&vertex, account.clone(), "credentials.client_email is required"),
        (
            &vertex,
            with(account.clone(), &json!({"credentials": {"client_email": "a@b"}})),
            "credentials.private_key is required",
        ),
        (
            &vertex,
            with(
                account,
                &json!({"credentials": {"client_email": "a@b", "private_key": "k", "token_uri": "nope"}}),
            ),
            "credentials.token_uri must be an absolute URL",
        ),
        (
            &vertex,
            json!({"auth_type": "google_impersonation"}),
            "credentials.target_service_account is required",
        ),
        (
            &vertex,
            json!({"auth_type": "google_impersonation", "credentials": {"target_service_account": "a/../b"}}),
            "must be a service account's e-mail address",
        ),
        (
            &vertex,
            json!({"model_provider": "azure_openai", "api_key": "k"}),
            "base_url is required for model_provider 'azure_openai'",
        ),
        (
            &vertex,
            json!({"model_provider": "azure_openai", "api_key": "k", "base_url": "https://a", "settings": {"endpoint_mode": "v2"}}),
            "settings.endpoint_mode must be one of",
        ),
    ];
    for (body, change, expected) in cases {
        for path in [CONNECTIONS, "/admin/providers"] {
            let answer = acme.post(path, with(body.clone(), &change)).await;
            let message = answer.refused(400, "BadRequest");
            assert!(message.contains(expected), "{change}: {message}");
        }
    }
}

#[tokio::test]
async fn what_names_stand_for_is_told_by_names_of_models() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for (given, expected) in [
        (json!(["gpt-5"]), "settings.base_models must be an object"),
        (json!({"prod": 5}), "settings.base_models.prod must be the name of a model"),
        (json!({"prod": " "}), "settings.base_models.prod must be the name of a model"),
    ] {
        let body = json!({"name": "a", "model_provider": "azure_openai", "api_key": "k",
            "base_url": "https://a.example", "settings": {"base_models": given}});
        let message = acme.post("/admin/providers", body).await.refused(400, "BadRequest");
        assert!(message.contains(expected), "{given}: {message}");
    }
}

#[tokio::test]
async fn tokens_of_the_platform_and_of_callers_go_to_trusted_hosts_only() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let vertex = json!({"model_provider": "vertex", "settings": {"project_id": "p"}, "auth_type": "google_adc"});
    let target = json!({"auth_type": "google_impersonation", "credentials": {"target_service_account": "a@b"}});
    let claude = json!({"model_provider": "anthropic", "auth_type": "oauth_passthrough"});
    for body in [vertex.clone(), with(vertex.clone(), &target), claude] {
        for (number, (url, fine)) in [
            ("https://evil.example", false),
            ("http://127.0.0.1:9", false),
            ("https://trusted.example:8443", true),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("{}{number}", body["auth_type"]);
            let answer = acme
                .post(
                    "/admin/providers",
                    with(body.clone(), &json!({"name": name, "base_url": url})),
                )
                .await;
            if fine {
                let path = format!("/admin/providers/{}", id(&answer.ok()));
                let moved = acme.put(&path, json!({"base_url": "https://evil.example"})).await;
                moved.refused(400, "BadRequest");
            } else {
                let message = answer.refused(400, "BadRequest");
                assert!(message.contains("upstream.trusted_hosts"), "{message}");
            }
        }
    }
    let key = json!({"client_email": "a@b", "private_key": "k"});
    let own = json!({"name": "own", "auth_type": "google_service_account", "credentials": key, "base_url": "https://proxy.example"});
    acme.post("/admin/providers", with(vertex, &own)).await.ok();
}

#[tokio::test]
async fn a_provider_uses_a_shared_credential_of_its_own_kind() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let shared = id(&acme.post(CONNECTIONS, bedrock("a", json!({"iam_role_arn": ARN}))).await.ok());
    let body =
        json!({"name": "p", "model_provider": "bedrock", "connection_id": shared, "models": ["m"]});
    let made = acme.post("/admin/providers", body.clone()).await.ok();
    assert_eq!(made["auth_type"], "aws_role");
    assert_eq!(made["base_url"], "https://bedrock-runtime.eu-west-1.amazonaws.com");
    let other = with(body.clone(), &json!({"name": "q", "auth_type": "aws_keys"}));
    let refused = acme.post("/admin/providers", other).await.refused(400, "BadRequest");
    assert!(refused.contains("cannot use the connection's credential"), "{refused}");
    let both = with(body, &json!({"name": "q", "credentials": {"access_key_id": "a"}}));
    let refused = acme.post("/admin/providers", both).await.refused(400, "BadRequest");
    assert!(refused.contains("exclude each other"), "{refused}");
}

#[tokio::test]
async fn another_kind_needs_its_own_secret() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let made = acme
        .post(CONNECTIONS, bedrock("a", json!({"iam_role_arn": ARN, "external_id": "e1"})))
        .await
        .ok();
    let path = format!("{CONNECTIONS}/{}", id(&made));
    acme.put(&path, json!({"auth_type": "aws_keys"})).await.refused(400, "BadRequest");
    let keys = json!({"access_key_id": "A", "secret_access_key": "s"});
    acme.put(&path, json!({"auth_type": "aws_keys", "credentials": keys})).await.ok();
    assert!(matches!(stored(&acme, &made).await, Some(Credential::AwsKeys { .. })));
    // The role is free again.
    let evil = desk.admin("evil").await;
    evil.post(CONNECTIONS, bedrock("a", json!({"iam_role_arn": ARN, "external_id": "e1"})))
        .await
        .ok();
}

#[tokio::test]
async fn validations_refuse_what_cannot_be_asked() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let role = json!({"region": "eu-west-1", "iam_role_arn": ARN, "external_id": "e1"});
    let vertex = json!({"project_id": "p", "location": "us-central1"});
    for (path, body, change, expected) in [
        ("aws-role-validate", &role, json!({"region": "evil.example/?"}), "region must be"),
        ("aws-role-validate", &role, json!({"iam_role_arn": "x"}), "iam_role_arn must be the ARN"),
        ("aws-role-validate", &role, json!({"external_id": "x"}), "external_id must be"),
        ("google-vertex-validate", &vertex, json!({"location": "a/b"}), "location must be"),
        ("google-vertex-validate", &vertex, json!({"project_id": ""}), "project_id must be"),
        ("google-vertex-validate", &vertex, json!({"model": "../x"}), "model must be"),
        (
            "google-vertex-validate",
            &vertex,
            json!({"model_api_family": "x"}),
            "model_api_family must be",
        ),
        (
            "google-vertex-validate",
            &vertex,
            json!({"auth_type": "aws_role"}),
            "not one of vertex's",
        ),
        (
            "google-vertex-validate",
            &vertex,
            json!({"auth_type": "google_impersonation"}),
            "target_service_account is required",
        ),
        (
            "google-vertex-validate",
            &vertex,
            json!({"base_url": "https://evil.example"}),
            "upstream.trusted_hosts",
        ),
    ] {
        let answer = acme.post(&format!("{CONNECTIONS}/{path}"), with(body.clone(), &change)).await;
        let message = answer.refused(400, "BadRequest");
        assert!(message.contains(expected), "{change}: {message}");
    }
}
