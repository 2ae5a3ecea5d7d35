//! Prices and switches.

use super::*;
use crate::domain::testing::price_version;

on_both! {
    a_rule_has_one_version_at_an_instant,
    a_price_is_read_back_as_it_was_written,
    what_is_in_force_and_to_come_is_read_without_the_past,
    a_provider_leaves_its_prices_behind,
    switches_have_defaults_until_they_are_set,
}

/// A version of the rule for `pattern`, in force from `from` on.
fn price(pattern: &str, from: i64) -> PriceVersion {
    let rates = Rates {
        input: Price::from_units(i64::MAX),
        output: Price::default(),
        cache_read: Some(Price::from_units(1)),
        cache_write: None,
    };
    PriceVersion {
        sync_mode: SyncMode::Tracking,
        change_source: ChangeSource::AdminSchedule,
        ..price_version(pattern, Timestamp(from), rates)
    }
}

async fn a_rule_has_one_version_at_an_instant(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (globex, _) = org_with_user(&store, "globex").await;
    let now = Timestamp(1);
    let first = price("gpt*", 7);
    let insert = async |org: &OrgRow, version: PriceVersion| {
        let mut tx = store.write().await.unwrap();
        let inserted = tx.insert_price(org.id, &version, now).await;
        if inserted.is_ok() {
            tx.commit().await.unwrap();
        }
        inserted.map_err(|error| error.to_string())
    };
    let slug = Some("openai".to_owned());
    assert!(insert(&acme, first.clone()).await.is_ok());
    assert!(insert(&acme, PriceVersion { model_provider: slug, ..price("gpt*", 7) }).await.is_ok());
    let provider_id = Some(ProviderId::random());
    assert!(insert(&acme, PriceVersion { provider_id, ..price("gpt*", 7) }).await.is_ok());
    assert!(insert(&acme, price("gpt*", 8)).await.is_ok());
    assert!(insert(&globex, price("gpt*", 7)).await.is_ok());
    let refused = insert(&acme, price("gpt*", 7)).await.unwrap_err();
    assert_eq!(refused, StoreError::Conflict.to_string());

    let mut tx = store.write().await.unwrap();
    let moved = PriceVersion { effective_from: Timestamp(8), ..first };
    assert!(matches!(tx.update_price(acme.id, &moved).await, Err(StoreError::Conflict)));
}

async fn a_price_is_read_back_as_it_was_written(store: Store) {
    let (acme, ada) = org_with_user(&store, "acme").await;
    let (globex, _) = org_with_user(&store, "globex").await;
    let provider = provider(acme.id, "main");
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&provider, Inherits::default()).await.unwrap();
    let version = PriceVersion {
        provider_id: Some(provider.id),
        model_provider: Some("openai".to_owned()),
        catalog_slug: Some("openai".to_owned()),
        change_reason: Some("why".to_owned()),
        created_by: Some(ada.id),
        ..price("gpt-4o", 7)
    };
    tx.insert_price(acme.id, &version, Timestamp(1)).await.unwrap();
    let found = tx.price(acme.id, version.id).await.unwrap().unwrap();
    assert_eq!((&found.version, found.org_id), (&version, acme.id));
    assert_eq!(found.provider_name.as_deref(), Some("main"));
    assert_eq!(tx.price(globex.id, version.id).await.unwrap(), None, "it is acme's");

    let changed = PriceVersion { is_archived: true, ..version.clone() };
    let changed = PriceVersion { effective_from: Timestamp(9), ..changed };
    tx.update_price(globex.id, &changed).await.unwrap();
    tx.delete_price(globex.id, version.id).await.unwrap();
    assert_eq!(tx.price(acme.id, version.id).await.unwrap().unwrap().version, version);
    tx.update_price(acme.id, &changed).await.unwrap();
    let found = tx.price(acme.id, version.id).await.unwrap().unwrap().version;
    assert_eq!((found.effective_from, found.is_archived), (Timestamp(9), false));
    tx.delete_price(acme.id, version.id).await.unwrap();
    assert_eq!(tx.price(acme.id, version.id).await.unwrap(), None);
}

async fn what_is_in_force_and_to_come_is_read_without_the_past(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (globex, _) = org_with_user(&store, "globex").await;
    let mut tx = store.write().await.unwrap();
    for from in [10, 20, 30, 40] {
        tx.insert_price(acme.id, &price("a", from), Timestamp(1)).await.unwrap();
    }
    tx.insert_price(acme.id, &price("b", 50), Timestamp(1)).await.unwrap();
    tx.insert_price(globex.id, &price("a", 25), Timestamp(1)).await.unwrap();
    let mut read = async |now| {
        let found = tx.prices_in_force(acme.id, Timestamp(now)).await.unwrap();
        let shown = |version: PriceVersion| (version.model_pattern, version.effective_from.0);
        found.into_iter().map(shown).collect::<Vec<_>>()
    };
    let of = |pattern: &str, times: &[i64]| {
        times.iter().map(|time| (pattern.to_owned(), *time)).collect::<Vec<_>>()
    };
    assert_eq!(read(25).await, [of("a", &[20, 30, 40]), of("b", &[50])].concat());
    assert_eq!(read(20).await, [of("a", &[20, 30, 40]), of("b", &[50])].concat());
    assert_eq!(read(5).await, [of("a", &[10, 20, 30, 40]), of("b", &[50])].concat());
    assert_eq!(read(60).await, [of("a", &[40]), of("b", &[50])].concat());
    let counts = tx.price_counts(acme.id).await.unwrap();
    let counts: std::collections::BTreeMap<_, _> =
        counts.into_iter().map(|(key, count)| (key.model_pattern, count)).collect();
    assert_eq!(counts, [("a".to_owned(), 4), ("b".to_owned(), 1)].into());
}

async fn a_provider_leaves_its_prices_behind(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let provider = provider(acme.id, "main");
    let mut tx = store.write().await.unwrap();
    tx.insert_provider(&provider, Inherits::default()).await.unwrap();
    let version = PriceVersion { provider_id: Some(provider.id), ..price("gpt", 7) };
    tx.insert_price(acme.id, &version, Timestamp(1)).await.unwrap();
    tx.delete_provider(acme.id, provider.id).await.unwrap();
    let found = tx.price(acme.id, version.id).await.unwrap().unwrap();
    assert_eq!((found.version, found.provider_name), (version, None), "records may name it");
}

async fn switches_have_defaults_until_they_are_set(store: Store) {
    let (acme, _) = org_with_user(&store, "acme").await;
    let (globex, _) = org_with_user(&store, "globex").await;
    let mut tx = store.write().await.unwrap();
    for require_pricing_for_mappings in [true, false, true] {
        let row = GovernanceRow { require_pricing_for_mappings };
        tx.set_governance(acme.id, row).await.unwrap();
        assert_eq!(tx.governance(acme.id).await.unwrap(), row);
    }
    assert_eq!(tx.governance(globex.id).await.unwrap(), GovernanceRow::default());
}
