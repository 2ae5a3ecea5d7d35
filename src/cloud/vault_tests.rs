//! Against a server that answers as Vault does.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::{Value, json};

use super::*;
use crate::{
    auth::{KeySource, UnlockError, add, finish, unlock},
    net::{AddressPolicy, Resolver},
    store::testing::temp_store,
};

/// Keeps plain texts by ciphertext, for one mount and token.
#[derive(Clone, Default)]
struct MockVault {
    kept: Arc<Mutex<Vec<String>>>,
    sealed: Arc<AtomicBool>,
}

impl MockVault {
    async fn start(&self) -> String {
        let app = Router::new()
            .route("/v1/{mount}/{operation}/{key}", post(answer))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }
}

async fn answer(
    State(vault): State<MockVault>,
    Path((mount, operation, _key)): Path<(String, String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let refuse = |status: u16, words: &[&str]| {
        let status = StatusCode::from_u16(status).unwrap();
        (status, Json(json!({"errors": words}))).into_response()
    };
    if vault.sealed.load(Ordering::SeqCst) {
        return refuse(503, &["Vault is sealed"]);
    }
    if headers["x-vault-token"] != "hvs.right" {
        return refuse(403, &["permission denied"]);
    }
    if mount != "transit" {
        return refuse(404, &[]);
    }
    let mut kept = vault.kept.lock().unwrap();
    let data = if operation == "encrypt" {
        kept.push(body["plaintext"].as_str().unwrap().to_owned());
        json!({"ciphertext": format!("vault:v1:{}", kept.len()), "key_version": 1})
    } else {
        let number = body["ciphertext"].as_str().unwrap().strip_prefix("vault:v1:");
        let place: Option<usize> = number.and_then(|number| number.parse().ok());
        match place.and_then(|place| kept.get(place - 1)) {
            Some(plain) => json!({"plaintext": plain}),
            None => return refuse(400, &["cipher: message authentication failed"]),
        }
    };
    Json(json!({"request_id": "1", "data": data, "auth": null})).into_response()
}

fn fetcher() -> Fetcher {
    let second = Duration::from_secs(1);
    Fetcher::new(AddressPolicy::default(), Resolver::default(), second, None).unwrap()
}

fn vault(address: &str, mount: &str, token: &str) -> Vault {
    let token = Secret::new(token.to_owned());
    Vault::new(fetcher(), address.to_owned(), mount.to_owned(), "turnpike".to_owned(), token)
}

#[tokio::test]
async fn a_root_goes_into_vault_and_comes_back() {
    let address = MockVault::default().start().await;
    let vault = vault(&address, "transit", "hvs.right");
    let root = Root::random().unwrap();
    let wrapped = vault.wrap(&root).await.unwrap();
    assert!(wrapped.starts_with(b"vault:v1:"));
    assert_eq!(vault.unwrap(&wrapped).await.unwrap().to_plain(), root.to_plain());
    assert!(matches!(vault.unwrap(b"vault:v1:9").await, Err(WrapError::Service(_))));
}

#[tokio::test]
async fn the_token_may_lie_in_a_file() {
    let address = MockVault::default().start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let vault = vault(&address, "transit", &format!("file:{}", file.display()));
    std::fs::write(&file, "hvs.old\n").unwrap();
    assert!(vault.wrap(&Root::new([1; 32])).await.is_err());
    std::fs::write(&file, "hvs.right\n").unwrap();
    assert!(vault.wrap(&Root::new([1; 32])).await.is_ok());
}

#[tokio::test]
async fn refusals_say_what_to_do_and_repeat_no_secret() {
    let server = MockVault::default();
    let address = server.start().await;
    let refused = async |mount: &str, token: &str| {
        let error = vault(&address, mount, token).wrap(&Root::new([1; 32])).await.unwrap_err();
        let text = error.to_string();
        assert!(!text.contains("hvs."), "{text}");
        text
    };
    assert!(
        refused("transit", "hvs.wrong")
            .await
            .contains("permission denied (403); check secrets.vault_token")
    );
    assert!(refused("elsewhere", "hvs.right").await.contains("404; check secrets.vault_mount"));
    server.sealed.store(true, Ordering::SeqCst);
    assert!(refused("transit", "hvs.right").await.contains("Vault is sealed (503)"));
    let gone = vault("http://127.0.0.1:1", "transit", "hvs.right");
    let error = gone.wrap(&Root::new([1; 32])).await.unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn an_installation_moves_to_vault_and_back() {
    let address = MockVault::default().start().await;
    let vault = vault(&address, "transit", "hvs.right");
    let (dir, store) = temp_store().await;
    let local = KeySource::Master { setting: None, data_dir: dir.path() };
    let service = KeySource::Service(&vault);
    let before = unlock(&store, &local).await.unwrap();
    let refused = unlock(&store, &service).await.unwrap_err();
    assert!(refused.to_string().contains("rotate-master-key --to vault"), "{refused}");

    add(&store, &local, &vault).await.unwrap();
    assert_eq!(unlock(&store, &local).await.unwrap().key_id(), before.key_id());
    assert_eq!(unlock(&store, &service).await.unwrap().key_id(), before.key_id());
    finish(&store, &service).await.unwrap();
    assert_eq!(unlock(&store, &service).await.unwrap().key_id(), before.key_id());
    let refused = unlock(&store, &local).await.unwrap_err();
    assert!(matches!(refused, UnlockError::WrappedByService), "{refused}");

    let back = crate::secrets::LocalWrap::new([4; 32]);
    add(&store, &service, &back).await.unwrap();
    assert_eq!(unlock(&store, &KeySource::Service(&back)).await.unwrap().key_id(), before.key_id());
}

#[tokio::test]
async fn a_new_installation_can_begin_with_vault() {
    let address = MockVault::default().start().await;
    let vault = vault(&address, "transit", "hvs.right");
    let (dir, store) = temp_store().await;
    let first = unlock(&store, &KeySource::Service(&vault)).await.unwrap();
    let again = unlock(&store, &KeySource::Service(&vault)).await.unwrap();
    assert_eq!(first.key_id(), again.key_id());
    assert!(!dir.path().join("master.key").exists(), "no master key is made");
}
