//! Organizations, users and service accounts.

use super::*;

on_both! {
    an_organization_is_found_by_name_or_id_and_only_a_name_makes_one,
    a_user_keeps_the_id_while_mail_and_groups_follow_the_token,
    groups_that_an_administrator_gave_count_until_they_are_taken_away,
    a_service_account_is_its_organizations_alone,
    pages_of_users_hold_everybody_once_in_the_order_of_the_whole_list,
    users_are_found_by_what_people_know_of_them,
}

async fn an_organization_is_found_by_name_or_id_and_only_a_name_makes_one(store: Store) {
    let org = store.ensure_org(" acme ").await.unwrap();
    assert_eq!(store.ensure_org("acme").await.unwrap(), org);
    assert_eq!(store.ensure_org(&org.id.to_string()).await.unwrap(), org);
    let unknown = store.ensure_org(&Uuid::new_v4().to_string()).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))));
    assert!(matches!(store.ensure_org("  ").await, Err(StoreError::Invalid(_))));
    assert_eq!(store.orgs().await.unwrap(), vec![org]);
}

async fn a_user_keeps_the_id_while_mail_and_groups_follow_the_token(store: Store) {
    let (org, first) = org_with_user(&store, "acme").await;
    let again = SeenUser {
        org: org.id,
        issuer: "turnpike",
        subject: "ada",
        email: Some("ada@example.org"),
        roles: &[],
        groups: &["ops".to_owned()],
        at: Timestamp::now(),
    };
    let Sighting { user: second, regrouped } = store.ensure_user(&again).await.unwrap();
    assert!(regrouped);
    assert!(!store.ensure_user(&again).await.unwrap().regrouped);
    let promoted = SeenUser { roles: &["admin".to_owned()], ..again };
    assert!(!store.ensure_user(&promoted).await.unwrap().regrouped, "groups are as they were");
    assert_eq!(second.id, first.id);
    assert_eq!(second.email.as_deref(), Some("ada@example.org"));
    assert_eq!(second.groups, ["ops"]);
    let elsewhere = store.ensure_user(&SeenUser { issuer: "other", ..again }).await.unwrap();
    assert_ne!(elsewhere.user.id, first.id, "another issuer's subject is another user");
    assert!(!elsewhere.regrouped, "a user who is new had no groups before");
}

async fn groups_that_an_administrator_gave_count_until_they_are_taken_away(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let mut tx = store.write().await.unwrap();
    let own = KeyRow { user_id: Some(user.id), ..key(org.id, user.id, 7) };
    tx.insert_key(&own).await.unwrap();
    tx.commit().await.unwrap();
    let given = ["finance".to_owned(), "é".to_owned()];
    let put = async |org, groups: Option<&[String]>| {
        let mut tx = store.write().await.unwrap();
        tx.override_groups(org, user.id, groups).await.unwrap();
        tx.commit().await.unwrap();
        store.key_by_hash(&[7; 32]).await.unwrap().unwrap().user_groups
    };
    assert_eq!(put(other.id, Some(&given)).await, ["research"], "another's user is not touched");
    assert_eq!(put(org.id, Some(&given)).await, given);
    let seen = SeenUser {
        org: org.id,
        issuer: "turnpike",
        subject: "ada",
        email: None,
        roles: &[],
        groups: &["ops".to_owned()],
        at: Timestamp::now(),
    };
    let sighting = store.ensure_user(&seen).await.unwrap();
    assert!(!sighting.regrouped, "what counts is as it was");
    assert_eq!(sighting.user.effective_groups(), given);
    assert_eq!(sighting.user.groups, ["ops"]);
    assert_eq!(put(org.id, Some(&[])).await, [""; 0]);
    assert_eq!(put(org.id, None).await, ["ops"]);
    let listed = store.read().await.unwrap().users(org.id).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].groups_override, None);
}

async fn a_service_account_is_its_organizations_alone(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let (other, _) = org_with_user(&store, "other").await;
    let account = ServiceAccountRow {
        id: ServiceAccountId::random(),
        org_id: org.id,
        name: "ci".to_owned(),
        role: Role::Admin,
        secret_hash: vec![7; 32],
        created_at: Timestamp(1),
        last_used_at: None,
    };
    let mut tx = store.write().await.unwrap();
    tx.insert_service_account(&account).await.unwrap();
    tx.commit().await.unwrap();
    let twin = ServiceAccountRow { id: ServiceAccountId::random(), ..account.clone() };
    let refused = store.write().await.unwrap().insert_service_account(&twin).await;
    assert!(matches!(refused, Err(StoreError::Conflict)));
    let mut tx = store.write().await.unwrap();
    let elsewhere = ServiceAccountRow { org_id: other.id, ..twin };
    tx.insert_service_account(&elsewhere).await.unwrap();
    tx.delete_service_account(other.id, account.id).await.unwrap();
    tx.commit().await.unwrap();
    store.service_account_used(other.id, account.id, Timestamp(2)).await.unwrap();
    assert_eq!(store.service_account(other.id, account.id).await.unwrap(), None);
    assert_eq!(store.service_account(org.id, account.id).await.unwrap(), Some(account.clone()));
    store.service_account_used(org.id, account.id, Timestamp(3)).await.unwrap();
    let used = ServiceAccountRow { last_used_at: Some(Timestamp(3)), ..account.clone() };
    assert_eq!(store.service_account_by_id(account.id).await.unwrap(), Some(used.clone()));
    let mut tx = store.write().await.unwrap();
    assert_eq!(tx.service_accounts(org.id).await.unwrap(), [used]);
    tx.delete_service_account(org.id, account.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.service_account_by_id(account.id).await.unwrap(), None);
    let left = store.read().await.unwrap().service_accounts(other.id).await.unwrap();
    assert_eq!(left, [elsewhere]);
}

/// A user of that subject, in whatever groups.
async fn seen(store: &Store, org: OrgId, issuer: &str, subject: &str, groups: &[&str]) -> UserRow {
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    let email = format!("{subject}@Acme.test");
    let at = Timestamp::now();
    let roles = &["viewer".to_owned()];
    let seen = SeenUser { org, issuer, subject, email: Some(&email), roles, groups: &groups, at };
    store.ensure_user(&seen).await.unwrap().user
}

async fn pages_of_users_hold_everybody_once_in_the_order_of_the_whole_list(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let (evil, _) = org_with_user(&store, "evil").await;
    for subject in ["Zoe", "ann", "bob", "ä", "_x"] {
        for issuer in ["https://a.test", "https://b.test"] {
            seen(&store, org.id, issuer, subject, &[]).await;
        }
    }
    let mut tx = store.read().await.unwrap();
    let whole = tx.users(org.id).await.unwrap();
    assert_eq!(whole.len(), 11);
    let all = tx.page_of_users(org.id, None, None, None).await.unwrap();
    assert_eq!(all, (whole.clone(), false));
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let (rows, more) = tx.page_of_users(org.id, None, after.as_ref(), Some(3)).await.unwrap();
        after = rows.last().cloned().map(UserPosition::from);
        paged.extend(rows);
        if !more {
            break;
        }
    }
    assert_eq!(paged, whole);
    assert_eq!(tx.page_of_users(evil.id, None, None, Some(3)).await.unwrap().0.len(), 1);
}

async fn users_are_found_by_what_people_know_of_them(store: Store) {
    let (org, _) = org_with_user(&store, "acme").await;
    let issuer = "https://a.test";
    seen(&store, org.id, issuer, "ann", &["Research", "a\0b"]).await;
    let bob = seen(&store, org.id, issuer, "bob", &["Sales"]).await;
    seen(&store, org.id, issuer, "c_d", &["\"quoted\""]).await;
    let mut tx = store.write().await.unwrap();
    tx.override_groups(org.id, bob.id, Some(&["Support".to_owned()])).await.unwrap();
    let mut found = async |text: &str| {
        let (rows, _) = tx.page_of_users(org.id, Some(text), None, None).await.unwrap();
        rows.into_iter().map(|row| row.subject).collect::<Vec<_>>()
    };
    assert_eq!(found("ANN").await, ["ann"]);
    assert_eq!(found("@acme").await, ["ann", "bob", "c_d"]);
    assert_eq!(found("research").await, ["ada", "ann"]);
    assert_eq!(found("support").await, ["bob"]);
    assert_eq!(found("sales").await, [""; 0], "groups that do not count");
    assert_eq!(found("VIEWER").await, ["ann", "bob", "c_d"]);
    assert_eq!(found("admin").await, ["ada"]);
    assert_eq!(found("_").await, ["c_d"]);
    assert_eq!(found("%").await, [""; 0]);
    assert_eq!(found("\"").await, ["c_d"], "what is between the words of a list is no word");
    assert_eq!(found("[").await, [""; 0]);
}
