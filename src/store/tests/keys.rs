//! API keys.

use super::*;

on_both! {
    a_key_is_found_by_its_hash_with_the_groups_of_its_user,
    a_second_revocation_keeps_the_time_of_the_first,
    pages_of_keys_hold_every_key_once_in_the_order_of_the_whole_list,
    keys_are_found_by_what_people_know_of_them,
    users_and_keys_are_found_by_their_ids,
}

async fn a_key_is_found_by_its_hash_with_the_groups_of_its_user(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let new = key(org.id, user.id, 7);
    let mut tx = store.write().await.unwrap();
    tx.insert_key(&new).await.unwrap();
    tx.commit().await.unwrap();

    let found = store.key_by_hash(&[7; 32]).await.unwrap().unwrap();
    assert_eq!(
        found,
        KeyRow { user_groups: vec!["research".to_owned()], person: Some(ada()), ..new }
    );
    assert_eq!(store.key_by_hash(&[8; 32]).await.unwrap(), None);
}

fn ada() -> Person {
    Person { subject: "ada".to_owned(), email: None, roles: vec!["admin".to_owned()] }
}

async fn a_second_revocation_keeps_the_time_of_the_first(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let new = key(org.id, user.id, 7);
    let mut tx = store.write().await.unwrap();
    tx.insert_key(&new).await.unwrap();
    tx.revoke_key(org.id, new.id, Timestamp(5)).await.unwrap();
    tx.revoke_key(org.id, new.id, Timestamp(6)).await.unwrap();
    assert_eq!(tx.key(org.id, new.id).await.unwrap().unwrap().revoked_at, Some(Timestamp(5)));
}

async fn pages_of_keys_hold_every_key_once_in_the_order_of_the_whole_list(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let (evil, stranger) = org_with_user(&store, "evil").await;
    let mut tx = store.write().await.unwrap();
    // Three of each moment: the id must break ties.
    for n in 0..20 {
        let at = Timestamp(i64::from(n / 3));
        let new = KeyRow { created_at: at, ..key(org.id, user.id, n) };
        tx.insert_key(&new).await.unwrap();
    }
    tx.insert_key(&key(evil.id, stranger.id, 99)).await.unwrap();
    let whole = tx.keys(org.id).await.unwrap();
    let all = KeyFilter::default();
    assert_eq!(tx.page_of_keys(org.id, &all, None, None).await.unwrap(), (whole.clone(), None));
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let (rows, next) = tx.page_of_keys(org.id, &all, after, Some(5)).await.unwrap();
        assert_eq!(rows.len(), 5);
        paged.extend(rows);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole);
    let (theirs, _) = tx.page_of_keys(evil.id, &all, None, Some(500)).await.unwrap();
    assert_eq!(theirs.len(), 1);
}

async fn keys_are_found_by_what_people_know_of_them(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let mut tx = store.write().await.unwrap();
    let plain = |n| KeyRow {
        created_at: Timestamp(i64::from(n)),
        user_id: None,
        user_email: None,
        ..key(org.id, user.id, n)
    };
    let name = |name: &str| name.to_owned();
    for new in [
        KeyRow { name: name("Nightly 100%"), ..plain(1) },
        KeyRow { name: name("nightly_100"), group_name: Some(name("Research")), ..plain(2) },
        KeyRow { name: name("laptop"), user_id: Some(user.id), ..plain(3) },
        KeyRow { name: name("old"), revoked_at: Some(Timestamp(9)), ..plain(4) },
        KeyRow { name: name("over"), expires_at: Some(Timestamp(9)), ..plain(5) },
        KeyRow { name: name("set"), expires_at: Some(Timestamp(i64::MAX)), ..plain(6) },
        KeyRow { name: name("mail"), user_email: Some(name("Bob@acme.test")), ..plain(7) },
    ] {
        tx.insert_key(&new).await.unwrap();
    }
    let mut found = async |filter: KeyFilter| {
        let (rows, _) = tx.page_of_keys(org.id, &filter, None, None).await.unwrap();
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    let text = |text: &str| KeyFilter { text: Some(text.to_owned()), ..KeyFilter::default() };
    assert_eq!(found(text("NIGHTLY")).await, ["nightly_100", "Nightly 100%"]);
    assert_eq!(found(text("0%")).await, ["Nightly 100%"]);
    assert_eq!(found(text("y_1")).await, ["nightly_100"]);
    assert_eq!(found(text("!")).await, [""; 0]);
    assert_eq!(found(text("reSEARCH")).await, ["nightly_100"]);
    assert_eq!(found(text("ada")).await, ["laptop"]);
    assert_eq!(found(text("bob@")).await, ["mail"]);
    let of = KeyFilter { user: Some(user.id), ..KeyFilter::default() };
    assert_eq!(found(of).await, ["laptop"]);
    let ended = KeyFilter { works: Some(false), ..KeyFilter::default() };
    assert_eq!(found(ended).await, ["over", "old"]);
    let works = KeyFilter { works: Some(true), ..text("O") };
    assert_eq!(found(works).await, ["mail", "laptop"]);
}

async fn users_and_keys_are_found_by_their_ids(store: Store) {
    let (org, user) = org_with_user(&store, "acme").await;
    let (evil, stranger) = org_with_user(&store, "evil").await;
    let mut tx = store.write().await.unwrap();
    let (one, two) = (key(org.id, user.id, 1), key(org.id, user.id, 2));
    let foreign = key(evil.id, stranger.id, 3);
    for new in [&one, &two, &foreign] {
        tx.insert_key(new).await.unwrap();
    }
    let ids = [one.id, foreign.id, KeyId::random()];
    let found = tx.keys_by_id(org.id, &ids).await.unwrap();
    assert_eq!(found.into_iter().map(|row| row.id).collect::<Vec<_>>(), [one.id]);
    assert_eq!(tx.keys_by_id(org.id, &[]).await.unwrap(), []);
    let found = tx.users_by_id(org.id, &[stranger.id, user.id]).await.unwrap();
    assert_eq!(found.into_iter().map(|row| row.id).collect::<Vec<_>>(), [user.id]);
    assert_eq!(tx.users_by_id(org.id, &[]).await.unwrap(), []);
}
