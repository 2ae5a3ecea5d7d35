//! Who may call what.

use serde_json::json;

use crate::support::Scene;

/// Every admin operation of this issue; `ID` stands for some id.
const ADMIN: [(&str, &str); 20] = [
    ("GET", "/admin/connections"),
    ("POST", "/admin/connections"),
    ("GET", "/admin/connections/ID"),
    ("PUT", "/admin/connections/ID"),
    ("DELETE", "/admin/connections/ID"),
    ("GET", "/admin/providers"),
    ("POST", "/admin/providers"),
    ("GET", "/admin/providers/ID"),
    ("PUT", "/admin/providers/ID"),
    ("DELETE", "/admin/providers/ID"),
    ("GET", "/admin/providers/ID/model-mappings"),
    ("GET", "/admin/model-mappings"),
    ("POST", "/admin/model-mappings"),
    ("PUT", "/admin/model-mappings/reorder"),
    ("PUT", "/admin/model-mappings/ID"),
    ("DELETE", "/admin/model-mappings/ID"),
    ("GET", "/admin/api-keys"),
    ("POST", "/admin/api-keys"),
    ("GET", "/admin/usage"),
    ("DELETE", "/admin/api-keys/ID"),
];
const USER: [(&str, &str); 5] = [
    ("GET", "/user/api-keys"),
    ("POST", "/user/api-keys"),
    ("DELETE", "/user/api-keys/ID"),
    ("GET", "/user/models"),
    ("GET", "/user/usage"),
];

fn path(template: &str) -> String {
    format!("/api/llm-gateway{}", template.replace("ID", &uuid::Uuid::new_v4().to_string()))
}

#[tokio::test]
async fn administration_needs_an_administrator() {
    let scene = Scene::new().await;
    let user = scene.gateway.user("acme", "ann@acme.test").caller;
    for (method, template) in ADMIN {
        let answer = user.ask(method, &path(template)).json("{}").await;
        assert_eq!(answer.status, 403, "{method} {template}: {}", answer.tell());
        answer.refusal(403, "Forbidden");
    }
}

#[tokio::test]
async fn nothing_but_a_valid_jwt_opens_the_admin_and_user_api() {
    let scene = Scene::new().await;
    let jwt = scene.acme.admin.caller.secret.clone();
    let (head, signature) = jwt.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{head}.{flipped}{}", &signature[1..]);
    let payload = jwt.split('.').nth(1).unwrap();
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
    for secret in [scene.key.secret.as_str(), "garbage", "a.b.c", &forged, &unsigned] {
        for (method, template) in ADMIN.into_iter().chain(USER) {
            let answer = scene.key.holding(secret).ask(method, &path(template)).json("{}").await;
            assert_eq!(answer.status, 401, "{method} {template}: {}", answer.tell());
            answer.refusal(401, "Unauthorized");
        }
    }
    for (method, template) in ADMIN.into_iter().chain(USER) {
        let answer = scene.gateway.stranger().ask(method, &path(template)).json("{}").await;
        assert_eq!(answer.status, 401, "{method} {template}: {}", answer.tell());
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
