//! Who may call what.

use serde_json::json;

use crate::{api::Document, support::Scene};

fn path(template: &str) -> String {
    format!("/api/llm-gateway{template}")
}

#[tokio::test]
async fn nothing_but_a_valid_jwt_opens_the_admin_and_user_api() {
    let scene = Scene::new().await;
    let operations = Document::of(&scene.gateway).await.operations();
    let jwt = scene.acme.admin.caller.secret.clone();
    let (head, signature) = jwt.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{head}.{flipped}{}", &signature[1..]);
    let payload = jwt.split('.').nth(1).unwrap();
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
    for secret in [scene.key.secret.as_str(), "garbage", "a.b.c", &forged, &unsigned] {
        for operation in operations.iter().filter(|operation| operation.role != "anyone") {
            let at = operation.at(&uuid::Uuid::new_v4().to_string());
            let answer = scene.key.holding(secret).ask(&operation.method, &at).json("{}").await;
            assert_eq!(answer.status, 401, "{}: {}", operation.id, answer.tell());
            answer.refusal(401, "Unauthorized");
        }
    }
    let by_key = scene.gateway.stranger().get(&path("/admin/providers")).header("x-api-key", &jwt);
    assert_eq!(by_key.await.status, 401, "a JWT travels as a bearer token only");
}

#[tokio::test]
async fn a_superadmin_administers_any_organization_by_its_name() {
    let scene = Scene::new().await;
    let token = scene.gateway.token("globex", "root@globex.test", "superadmin", &[]);
    let root = scene.key.holding(&token);
    let own = root.get(&path("/admin/providers")).await.has_status(200).json();
    assert_eq!(own, json!([]), "without the header it is the token's own");
    let named =
        root.with("x-turnpike-org", "acme").get(&path("/admin/providers")).await.has_status(200);
    assert_eq!(named.json().as_array().unwrap().len(), 2);
    let org_id = scene.openai_provider.row["org_id"].as_str().unwrap();
    let by_id =
        root.with("x-turnpike-org", org_id).get(&path("/admin/providers")).await.has_status(200);
    assert_eq!(by_id.json().as_array().unwrap().len(), 2);

    let globex = scene.gateway.admin("globex").caller.with("x-turnpike-org", "acme");
    let answer = globex.get(&path("/admin/providers")).await;
    assert!(
        answer.status == 403 || answer.json() == json!([]),
        "an admin stays at home: {}",
        answer.tell()
    );
}

#[tokio::test]
async fn the_token_command_works_while_the_gateway_runs_and_prints_only_the_token() {
    let scene = Scene::new().await;
    let token = scene.gateway.token("acme", "someone", "user", &["--group", "a", "--group", "b"]);
    assert_eq!(token.split('.').count(), 3);
    scene.key.holding(&token).get(&path("/user/api-keys")).await.has_status(200);
    let by_id = scene.openai_provider.row["org_id"].as_str().unwrap();
    let token = scene.gateway.token(by_id, "admin@acme.test", "admin", &[]);
    let listed = scene.key.holding(&token).get(&path("/admin/providers")).await.has_status(200);
    assert_eq!(listed.json().as_array().unwrap().len(), 2);
}
