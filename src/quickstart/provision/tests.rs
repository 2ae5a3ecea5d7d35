use std::{collections::HashMap, sync::Mutex};

use super::*;
use crate::{
    auth::ApiKeys, provider::catalog, quickstart::DiscoverError, snapshot::build_org,
    store::testing,
};

/// Answers from a table and remembers who was asked with which key.
#[derive(Default)]
struct Lists {
    known: HashMap<&'static str, Vec<String>>,
    asked: Mutex<Vec<(String, String)>>,
}

#[async_trait::async_trait]
impl Discover for Lists {
    async fn models(&self, vendor: &Vendor, key: &Secret) -> Result<Vec<String>, DiscoverError> {
        self.asked.lock().unwrap().push((vendor.slug.clone(), key.expose().to_owned()));
        self.known.get(vendor.slug.as_str()).cloned().ok_or(DiscoverError::Unreachable)
    }
}

struct Fixture {
    _dir: tempfile::TempDir,
    store: Store,
    keyring: Keyring,
    lists: Lists,
}

impl Fixture {
    async fn new() -> Self {
        let (dir, store) = testing::temp_store().await;
        let mut lists = Lists::default();
        lists.known.insert("openai", vec!["gpt-new".into(), "gpt-old".into()]);
        Self { _dir: dir, store, keyring: Keyring::new([9; 32]), lists }
    }

    async fn run(&self, env: &[(&str, &str)]) -> Provisioned {
        let env: Vec<_> =
            env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        provision(&self.store, &self.keyring, catalog(), &env, &self.lists).await.unwrap()
    }
}

fn providers(provisioned: &Provisioned) -> Vec<&str> {
    provisioned.offers.iter().map(|offer| offer.provider.as_str()).collect()
}

#[tokio::test]
async fn a_first_run_without_any_vendor_key_offers_the_simulated_vendor() {
    let f = Fixture::new().await;
    let made = f.run(&[]).await;
    assert_eq!(providers(&made), ["sandbox"]);
    assert_eq!(made.offers[0].models, catalog().vendor("sandbox").unwrap().models);
    assert!(made.offers[0].simulated);
    assert!(f.lists.asked.lock().unwrap().is_empty(), "no network");

    let rows = f.store.runtime_rows(made.org.id).await.unwrap();
    let snapshot = build_org(&rows, &f.keyring, catalog()).unwrap();
    for model in &made.offers[0].models {
        assert!(snapshot.aliases.contains_key(model.as_str()), "{model}");
    }
}

#[tokio::test]
async fn the_key_works_and_acts_for_the_admin() {
    let f = Fixture::new().await;
    let made = f.run(&[]).await;
    let keys = ApiKeys::new(f.store.clone(), std::sync::Arc::new(Keyring::new([9; 32])));
    let principal = keys.verify(made.key.as_ref().unwrap().expose()).await.unwrap();
    assert_eq!((principal.org, principal.user), (made.org.id, Some(made.admin.id)));
}

#[tokio::test]
async fn a_second_run_keeps_everything_and_shows_no_key() {
    let f = Fixture::new().await;
    let env = [("OPENAI_API_KEY", "sk-one")];
    let first = f.run(&env).await;
    let before = f.store.runtime_rows(first.org.id).await.unwrap();
    let second = f.run(&env).await;
    assert!(first.key.is_some() && second.key.is_none());
    assert_eq!(first.offers, second.offers);
    assert_eq!(first.admin.id, second.admin.id);
    assert_eq!(before, f.store.runtime_rows(first.org.id).await.unwrap());
    assert_eq!(f.lists.asked.lock().unwrap().len(), 1, "known vendors are not asked again");
}

#[tokio::test]
async fn a_vendors_own_list_is_enabled_with_the_key_that_was_found() {
    let f = Fixture::new().await;
    let made = f.run(&[("OPENAI_API_KEY", " sk-one\n"), ("GROQ_API_KEY", "")]).await;
    assert_eq!(providers(&made).len(), 2);
    let openai = made.offers.iter().find(|offer| offer.provider == "openai").unwrap();
    assert_eq!(openai.models, ["gpt-new", "gpt-old"]);
    assert_eq!(*f.lists.asked.lock().unwrap(), [("openai".to_owned(), "sk-one".to_owned())]);

    let rows = f.store.runtime_rows(made.org.id).await.unwrap();
    let snapshot = build_org(&rows, &f.keyring, catalog()).unwrap();
    let provider = &snapshot.aliases["gpt-new"].routes[0].provider;
    assert_eq!(provider.api_key.as_ref().unwrap().expose(), "sk-one");
}

#[tokio::test]
async fn the_catalogues_models_stand_in_for_a_list_that_cannot_be_reached() {
    let f = Fixture::new().await;
    let made = f.run(&[("ANTHROPIC_API_KEY", "sk-ant")]).await;
    let anthropic = made.offers.iter().find(|offer| offer.provider == "anthropic").unwrap();
    assert_eq!(anthropic.models, catalog().vendor("anthropic").unwrap().models);
}

#[tokio::test]
async fn a_vendor_key_that_appears_later_adds_its_provider() {
    let f = Fixture::new().await;
    f.run(&[]).await;
    let made = f.run(&[("OPENAI_API_KEY", "sk-one")]).await;
    assert_eq!(providers(&made), ["sandbox", "openai"]);
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_not_used() {
    let f = Fixture::new().await;
    let made = f.run(&[("OPENAI_API_KEY", "two words")]).await;
    assert_eq!(providers(&made), ["sandbox"]);
}

#[tokio::test]
async fn what_an_admin_changed_stays_changed() {
    let f = Fixture::new().await;
    let made = f.run(&[("OPENAI_API_KEY", "sk-one")]).await;
    let mut tx = f.store.write().await.unwrap();
    let mut rows = tx.providers(made.org.id).await.unwrap();
    let openai = rows.iter_mut().find(|row| row.name == "openai").unwrap();
    openai.name = "Main".into();
    tx.update_provider(openai, Inherits::default()).await.unwrap();
    let route = tx.provider_routes(made.org.id, openai.id).await.unwrap().remove(0);
    tx.delete_route(made.org.id, route.id).await.unwrap();
    tx.commit().await.unwrap();

    let again = f.run(&[("OPENAI_API_KEY", "sk-two")]).await;
    let main = again.offers.iter().find(|offer| offer.provider == "Main").unwrap();
    assert_eq!(main.models, ["gpt-old"]);
    assert_eq!(again.offers.len(), 2);
}

#[tokio::test]
async fn a_revoked_key_is_replaced() {
    let f = Fixture::new().await;
    let made = f.run(&[]).await;
    let mut tx = f.store.write().await.unwrap();
    let key = tx.user_keys(made.org.id, made.admin.id).await.unwrap().remove(0);
    tx.revoke_key(made.org.id, key.id, Timestamp::now()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(f.run(&[]).await.key.is_some());
    assert!(f.run(&[]).await.key.is_none());
}

#[tokio::test]
async fn two_first_runs_at_once_make_one_of_everything() {
    let f = Fixture::new().await;
    let env = [("OPENAI_API_KEY", "sk-one")];
    let (one, two) = tokio::join!(f.run(&env), f.run(&env));
    assert_eq!(one.key.is_some(), two.key.is_none());
    assert_eq!(f.run(&env).await.offers.len(), 2);
}
