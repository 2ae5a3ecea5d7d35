//! Connections, providers and routes.

use super::*;

on_both! {
    inherited_values_follow_the_connection,
    names_are_unique_in_an_organization_and_free_in_another,
    a_model_is_enabled_once_and_goes_with_its_provider,
}

async fn inherited_values_follow_the_connection(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let mut shared = connection(org.id, "c", "https://one.example");
    let upstream = ProviderRow {
        connection_id: Some(shared.id),
        base_url: "https://own.example".into(),
        ..provider(org.id, "p")
    };
    let inherits = Inherits { auth_type: true, base_url: false, settings: true };
    let mut tx = store.write().await.unwrap();
    tx.insert_connection(&shared).await.unwrap();
    tx.insert_provider(&upstream, inherits).await.unwrap();
    shared.auth_type = "x_api_key".into();
    tx.update_connection(&shared).await.unwrap();

    let seen = tx.provider(org.id, upstream.id).await.unwrap().unwrap();
    assert_eq!(seen.auth_type, "x_api_key");
    assert_eq!(seen.base_url, "https://own.example");
    assert_eq!(seen.settings, shared.settings);
    assert_eq!(tx.provider_inherits(org.id, upstream.id).await.unwrap(), inherits);
    assert_eq!(tx.connection_users(org.id, shared.id).await.unwrap(), ["p"]);
}

async fn names_are_unique_in_an_organization_and_free_in_another(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let mut tx = store.write().await.unwrap();
    let none = Inherits::default();
    tx.insert_provider(&provider(acme.id, "OpenAI"), none).await.unwrap();
    let same = tx.insert_provider(&provider(acme.id, "openai"), none).await;
    assert!(matches!(same, Err(StoreError::Conflict)));
    drop(tx);
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&provider(acme.id, "OpenAI"), none).await.unwrap();
    tx.insert_provider(&provider(other.id, "openai"), none).await.unwrap();
}

async fn a_model_is_enabled_once_and_goes_with_its_provider(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let upstream = provider(org.id, "p");
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&upstream, Inherits::default()).await.unwrap();
    tx.insert_route(&route(org.id, upstream.id, "m", "m")).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.write().await.unwrap();
    let twice = tx.insert_route(&route(org.id, upstream.id, "m", "m")).await;
    assert!(matches!(twice, Err(StoreError::Conflict)));
    drop(tx);
    let mut tx = store.write().await.unwrap();
    tx.insert_route(&route(org.id, upstream.id, "fast", "m")).await.unwrap();
    tx.insert_route(&route(org.id, upstream.id, "fast", "m")).await.unwrap();
    assert_eq!(tx.custom_aliases(org.id, upstream.id, "m").await.unwrap(), ["fast", "fast"]);
    assert!(tx.delete_provider(org.id, upstream.id).await.unwrap());
    assert!(tx.routes(org.id).await.unwrap().is_empty());
}
