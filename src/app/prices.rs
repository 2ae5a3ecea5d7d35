//! Rules in the mode `auto` follow the managed defaults: looked after at every start, because the
//! defaults change with the program.

use uuid::Uuid;

use crate::{
    domain::{ChangeSource, OrgId, Timestamp},
    pricing::{Defaults, due},
    store::{ChangeRow, Store, StoreError},
};

/// Who brought the prices up to date, in the audit log.
const GATEWAY: &str = "turnpike";

/// Brings every organization's `auto` rules to what the defaults say; answers how many.
///
/// # Errors
/// When the store is unavailable. What was brought up to date until then stays so.
pub async fn follow_defaults(store: &Store, defaults: &Defaults) -> Result<usize, StoreError> {
    let mut followed = 0;
    for (org, _) in store.revisions().await? {
        followed += follow(store, org, defaults).await?;
    }
    if followed > 0 {
        tracing::info!(rules = followed, "prices follow the new managed defaults");
    }
    Ok(followed)
}

async fn follow(store: &Store, org: OrgId, defaults: &Defaults) -> Result<usize, StoreError> {
    let now = Timestamp::now();
    let due_in = |versions: &[_]| due(versions, defaults, ChangeSource::SyncAuto, |_| true, now);
    // Nearly every start finds nothing to do, and needs no writer for that.
    if due_in(&store.read().await?.prices_in_force(org, now).await?).is_empty() {
        return Ok(0);
    }
    let mut tx = store.write().await?;
    // Another replica may have been here in the meantime.
    let versions = due_in(&tx.prices_in_force(org, now).await?);
    for version in &versions {
        tx.insert_price(org, version, now).await?;
    }
    if !versions.is_empty() {
        tx.record(&change(org, versions.len(), now)).await?;
        tx.commit().await?;
    }
    Ok(versions.len())
}

fn change(org: OrgId, rules: usize, at: Timestamp) -> ChangeRow {
    ChangeRow {
        org,
        actor: None,
        actor_name: GATEWAY.to_owned(),
        action: "pricing.sync_auto".to_owned(),
        resource: "pricing".to_owned(),
        resource_id: None,
        before: None,
        after: Some(serde_json::json!({ "synced": rules })),
        request_id: Uuid::new_v4().to_string(),
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::SyncMode,
        pricing::copy_of,
        store::testing::{org_with_user, temp_store},
    };

    fn shipped(input: &str) -> Defaults {
        Defaults::parse(&format!(
            r#"{{"_format":[],"vendors":[{{"slugs":["openai"],"source":"https://vendor.test/",
            "as_of":"2026-11-20","prices":[
                {{"model":"auto","input":{input},"output":2}},
                {{"model":"tracking","input":{input},"output":2}},
                {{"model":"pinned","input":{input},"output":2}}
            ]}}]}}"#
        ))
        .unwrap()
    }

    #[tokio::test]
    async fn only_auto_rules_follow_new_defaults_and_only_once() {
        let (_dir, store) = temp_store().await;
        let (org, user) = org_with_user(&store, "acme").await;
        let then = Timestamp(1_000);
        let mut tx = store.write().await.unwrap();
        for default in shipped("1").iter() {
            let mode = match default.model_name.as_str() {
                "auto" => SyncMode::Auto,
                "tracking" => SyncMode::Tracking,
                _ => SyncMode::Pinned,
            };
            let copy = copy_of(default, mode, then, Some(user.id));
            tx.insert_price(org.id, &copy, then).await.unwrap();
        }
        tx.commit().await.unwrap();
        let revision = store.revisions().await.unwrap();

        assert_eq!(follow_defaults(&store, &shipped("1")).await.unwrap(), 0, "nothing is new");
        assert_eq!(store.revisions().await.unwrap(), revision, "and nobody is told of it");
        assert_eq!(follow_defaults(&store, &shipped("3")).await.unwrap(), 1);
        assert_ne!(store.revisions().await.unwrap(), revision, "the others are told");
        assert_eq!(follow_defaults(&store, &shipped("3")).await.unwrap(), 0, "once is enough");

        let mut tx = store.read().await.unwrap();
        let history = tx.price_history(org.id, "auto", "openai").await.unwrap();
        let newest = &history[0].version;
        assert_eq!(history.len(), 2);
        assert_eq!(newest.rates.input, "3".parse().unwrap());
        assert_eq!(newest.change_source, ChangeSource::SyncAuto);
        assert_eq!((newest.sync_mode, newest.created_by), (SyncMode::Auto, None));
        for model in ["tracking", "pinned"] {
            assert_eq!(
                tx.price_history(org.id, model, "openai").await.unwrap().len(),
                1,
                "{model}"
            );
        }
    }
}
