//! Service accounts: made on the command line or over the API, exchanged for tokens, ended at once.

use serde_json::{Value, json};

use crate::support::{Admin, Answer, Caller, Gateway};

const TOKEN: &str = "/api/llm-gateway/auth/token";
const FORM: &str = "application/x-www-form-urlencoded";

/// What the token endpoint answers to this form.
async fn exchange(caller: &Caller, form: &str) -> Answer {
    caller.ask("POST", TOKEN).header("content-type", FORM).body(form.to_owned()).await
}

fn form(account: &Value) -> String {
    let part = |name: &str| account[name].as_str().expect(name).to_owned();
    let (id, secret) = (part("client_id"), part("client_secret"));
    format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
}

/// The holder of the account's token.
async fn holder(gateway: &Gateway, account: &Value) -> Admin {
    let answer = exchange(&gateway.stranger(), &form(account)).await.has_status(200);
    Admin::new(gateway.caller(answer.json()["access_token"].as_str().expect("a token")))
}

/// What `turnpike service-account create` prints.
fn from_command_line(gateway: &Gateway, name: &str, role: &str) -> Value {
    let printed = gateway.run_command(&[
        "service-account",
        "create",
        "--org",
        "acme",
        "--name",
        name,
        "--role",
        role,
    ]);
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("no JSON alone: {printed}"))
}

#[tokio::test]
async fn the_command_line_makes_an_account_that_administers_its_organization() {
    let gateway = Gateway::start().await;
    let account = from_command_line(&gateway, "ci", "admin");
    let fields: Vec<&String> = account.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["client_id", "client_secret"]);
    let ci = holder(&gateway, &account).await;
    ci.create("connections", json!({"name": "c", "model_provider": "openai", "api_key": "k"}))
        .await;
    let seen = gateway.admin("acme").get("/admin/connections").await.json();
    assert_eq!(seen[0]["name"], "c");
}

#[tokio::test]
async fn the_token_answer_is_oauths_and_is_not_kept() {
    let gateway = Gateway::start().await;
    let account = from_command_line(&gateway, "ci", "admin");
    let answer = exchange(&gateway.stranger(), &form(&account)).await.has_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert!(!answer.text().contains(account["client_secret"].as_str().unwrap()));
}

#[tokio::test]
async fn the_client_may_also_be_told_by_http_basic() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let gateway = Gateway::start().await;
    let account = from_command_line(&gateway, "ci", "user");
    let part = |name: &str| account[name].as_str().unwrap().to_owned();
    let (id, secret) = (part("client_id"), part("client_secret"));
    let basic = |text: String| {
        gateway.stranger().with("authorization", &format!("Basic {}", STANDARD.encode(text)))
    };
    let good = basic(format!("{id}:{secret}"));
    exchange(&good, "grant_type=client_credentials").await.has_status(200);
    let encoded = basic(format!("{}:{secret}", id.replace('-', "%2D")));
    exchange(&encoded, "grant_type=client_credentials").await.has_status(200);
    exchange(&good, &form(&account)).await.has_status(400);
    for wrong in [format!("{id}:{secret}x"), format!("{id}:"), id.clone(), String::new()] {
        let answer = exchange(&basic(wrong), "grant_type=client_credentials").await;
        assert_eq!(answer.has_status(401).json()["error"], "invalid_client");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_token_request_is_told_in_oauths_words() {
    let gateway = Gateway::start().await;
    let account = from_command_line(&gateway, "ci", "user");
    let good = form(&account);
    let id = account["client_id"].as_str().unwrap();
    let client = |secret: &str| {
        format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
    };
    let unknown = format!("sa-{}", uuid::Uuid::new_v4());
    for (form, status, error) in [
        (String::new(), 400, "invalid_request"),
        ("grant_type=".to_owned(), 400, "invalid_request"),
        (good.replace("grant_type=client_credentials&", ""), 400, "invalid_request"),
        (good.replace("client_credentials", "password"), 400, "unsupported_grant_type"),
        (good.replace("client_credentials", "Client_Credentials"), 400, "unsupported_grant_type"),
        (format!("{good}&client_id={id}"), 400, "invalid_request"),
        (format!("{good}&grant_type=client_credentials"), 400, "invalid_request"),
        (client(""), 400, "invalid_request"),
        (good.replace(id, ""), 400, "invalid_request"),
        ("grant_type=client_credentials".to_owned(), 401, "invalid_client"),
        (client("wrong"), 401, "invalid_client"),
        (client("tps-%00%FF"), 401, "invalid_client"),
        (good.replace(id, &unknown), 401, "invalid_client"),
        (good.replace(id, "sa-nope"), 401, "invalid_client"),
        (good.replace(id, "' OR 1=1"), 401, "invalid_client"),
        (format!("{good}&padding={}", "x".repeat(20_000)), 400, "invalid_request"),
    ] {
        let answer = exchange(&gateway.stranger(), &form).await;
        assert_eq!(answer.status, status, "{form}: {}", answer.tell());
        assert_eq!(answer.json()["error"], error, "{form}");
        assert!(answer.json()["error_description"].is_string());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let challenge = (status == 401).then_some("Basic realm=\"turnpike\"");
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    let json = gateway.stranger().post(TOKEN, good.clone()).await;
    assert_eq!(json.has_status(400).json()["error"], "invalid_request");
    gateway.stranger().get(TOKEN).await.has_status(405);
    exchange(&gateway.stranger(), &format!("{good}&scope=x&audience=y")).await.has_status(200);
}

#[tokio::test]
async fn an_account_is_listed_without_its_secret_and_with_its_last_use() {
    let gateway = Gateway::start().await;
    let admin = gateway.admin("acme");
    let made = admin.create("service-accounts", json!({"name": "ci", "role": "admin"})).await;
    let secret = made["client_secret"].as_str().unwrap();
    let listed = admin.get("/admin/service-accounts").await.has_status(200);
    assert!(!listed.text().contains(secret) && !listed.text().contains("secret"));
    let row = listed.json()[0].clone();
    for name in ["id", "name", "role", "client_id", "created_at"] {
        assert!(row[name].is_string(), "{name} in {row}");
        assert_eq!(row[name], made[name]);
    }
    assert_eq!(row["last_used_at"], Value::Null);
    holder(&gateway, &made).await.get("/admin/users").await.has_status(200);
    let used = admin.get("/admin/service-accounts").await.json()[0]["last_used_at"].clone();
    assert!(used.is_string(), "{used}");
}

#[tokio::test]
async fn an_account_is_no_stronger_than_its_role_and_no_stronger_than_its_maker() {
    let gateway = Gateway::start().await;
    let admin = gateway.admin("acme");
    let user = admin.create("service-accounts", json!({"name": "reader", "role": "user"})).await;
    let reader = holder(&gateway, &user).await;
    reader.get("/user/api-keys").await.has_status(200);
    reader.get("/admin/users").await.refusal(403, "Forbidden");
    let over = json!({"name": "root", "role": "superadmin"});
    let message =
        admin.post("/admin/service-accounts", over.clone()).await.refusal(403, "Forbidden");
    assert!(message.contains("role"), "{message}");
    let unknown = json!({"name": "x", "role": "owner"});
    let message = admin.post("/admin/service-accounts", unknown).await.refusal(400, "BadRequest");
    assert!(message.contains("role") && message.contains("admin"), "{message}");

    let token = gateway.token("acme", "root", "superadmin", &[]);
    let root = Admin::new(gateway.caller(&token));
    let strong = holder(&gateway, &root.create("service-accounts", over).await).await;
    gateway.admin("globex");
    let visiting = strong.caller.with("x-turnpike-org", "globex");
    visiting.get("/api/llm-gateway/admin/users").await.has_status(200);
}

#[tokio::test]
async fn a_name_is_taken_once_in_an_organization() {
    let gateway = Gateway::start().await;
    let (acme, globex) = (gateway.admin("acme"), gateway.admin("globex"));
    let ci = json!({"name": "ci", "role": "user"});
    acme.create("service-accounts", ci.clone()).await;
    let message = acme.post("/admin/service-accounts", ci.clone()).await.refusal(409, "Conflict");
    assert!(message.contains("ci"), "{message}");
    globex.create("service-accounts", ci).await;
    let refused = gateway.refused_command(&[
        "service-account",
        "create",
        "--org",
        "acme",
        "--name",
        "ci",
        "--role",
        "user",
    ]);
    assert!(refused.contains("--name"), "{refused}");
}

#[tokio::test]
async fn a_deleted_accounts_tokens_are_void_at_once_here_and_on_every_replica() {
    let gateway = Gateway::start().await;
    let admin = gateway.admin("acme");
    let made = admin.create("service-accounts", json!({"name": "ci", "role": "admin"})).await;
    let here = holder(&gateway, &made).await;
    let data = gateway.data_dir();
    let other = Gateway::configured()
        .set("storage.url", format!("sqlite://{}", data.join("turnpike.db").display()))
        .set("secrets.master_key", format!("file:{}", data.join("master.key").display()))
        .start()
        .await;
    let there = Admin::new(other.caller(&here.caller.secret));
    for holder in [&here, &there] {
        holder.get("/admin/users").await.has_status(200);
    }
    let path = format!("/admin/service-accounts/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.has_status(200).json(), json!({"deleted": true}));
    for holder in [&here, &there] {
        holder.get("/admin/users").await.refusal(401, "Unauthorized");
        holder.get("/user/api-keys").await.refusal(401, "Unauthorized");
    }
    for gateway in [&gateway, &other] {
        let answer = exchange(&gateway.stranger(), &form(&made)).await;
        assert_eq!(answer.has_status(401).json()["error"], "invalid_client");
    }
    admin.delete(&path).await.refusal(404, "NotFound");
    let again = admin.create("service-accounts", json!({"name": "ci", "role": "admin"})).await;
    assert_ne!(again["client_id"], made["client_id"]);
    here.get("/admin/users").await.refusal(401, "Unauthorized");
}

#[tokio::test]
async fn the_endpoint_leaves_the_public_port_with_the_administration() {
    let gateway = Gateway::configured().set("admin.listen", "127.0.0.1:0").start().await;
    let account = from_command_line(&gateway, "ci", "admin");
    exchange(&gateway.stranger(), &form(&account)).await.has_status(404);
    let address = crate::support::until("the admin listener is told", async || {
        let lines = gateway.log();
        let line = lines.iter().find(|line| line.contains("admin listening"))?;
        let line: Value = serde_json::from_str(line).ok()?;
        line["address"].as_str()?.parse().ok()
    })
    .await;
    exchange(&Caller::nobody(address), &form(&account)).await.has_status(200);
}

#[tokio::test]
async fn the_secret_is_in_no_file_of_the_data_folder_and_in_no_log_line() {
    let gateway = Gateway::start().await;
    let account = from_command_line(&gateway, "ci", "admin");
    let secret = account["client_secret"].as_str().unwrap();
    holder(&gateway, &account).await.get("/admin/users").await.has_status(200);
    exchange(&gateway.stranger(), &form(&account).replace("client_credentials", "x")).await;
    assert!(gateway.log().iter().all(|line| !line.contains(secret)));
    let mut folders = vec![gateway.data_dir()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}
