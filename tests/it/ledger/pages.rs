//! Reading the ledger in pages, whole or filtered.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Reply, Scene};

#[tokio::test]
async fn pages_hold_every_record_once_and_end() {
    let scene = Scene::new().await;
    let mut wire = scene.key.connect().await;
    for _ in 0..25 {
        scene.key.chat("fast").on(&mut wire).await.has_status(200);
    }
    scene.acme.records(25).await;
    let mut seen = BTreeSet::new();
    let mut sizes = Vec::new();
    let mut query = "limit=10".to_owned();
    loop {
        let page = scene.acme.usage_page(&query).await;
        let data = page["data"].as_array().unwrap();
        sizes.push(data.len());
        for record in data {
            assert!(seen.insert(record["id"].as_str().unwrap().to_owned()), "twice: {record}");
        }
        // New records that arrive in between must neither shift nor repeat the pages to come.
        scene.key.chat("fast").on(&mut wire).await.has_status(200);
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=10&cursor={cursor}");
    }
    assert!(seen.len() >= 25, "{sizes:?}");
    assert!(sizes[..2] == [10, 10], "{sizes:?}");
}

#[tokio::test]
async fn filters_select_by_what_they_name() {
    let scene = Scene::new().await;
    let second = scene.acme.create("api-keys", json!({"name": "second"})).await;
    let other = scene.key.holding(second["key"].as_str().unwrap());
    scene.key.chat("fast").header("x-request-id", "one").await.has_status(200);
    scene.openai.will(Reply::status(500));
    other.chat("openai/gpt-4o").header("x-request-id", "two").await.has_status(502);
    other.chat("nothing").header("x-request-id", "three").await.has_status(404);
    let records = scene.acme.records(3).await;
    let of = |id: &str| records.iter().find(|record| record["request_id"] == id).unwrap().clone();
    let key_id = second["id"].as_str().unwrap();
    let boundary = of("two")["ts"].as_str().unwrap().to_owned();
    for (filter, expected) in [
        ("status=200".to_owned(), vec!["one"]),
        ("status=502".to_owned(), vec!["two"]),
        ("alias=fast".to_owned(), vec!["one"]),
        (format!("api_key={key_id}"), vec!["three", "two"]),
        (format!("api_key={key_id}&status=404"), vec!["three"]),
        ("provider=openai".to_owned(), vec!["one", "two"]),
        ("model=gpt-4o".to_owned(), vec!["one", "two"]),
        (format!("from={boundary}"), vec!["three", "two"]),
        (format!("to={boundary}"), vec!["one"]),
        ("status=418".to_owned(), vec![]),
        ("outcome=ok".to_owned(), vec!["one"]),
        ("outcome=error".to_owned(), vec!["three", "two"]),
        ("outcome=error&alias=fast".to_owned(), vec![]),
        ("request_id=two".to_owned(), vec!["two"]),
        ("request_id=tw".to_owned(), vec![]),
    ] {
        let mut found: Vec<String> = scene
            .acme
            .usage_where(&filter)
            .await
            .iter()
            .map(|record| record["request_id"].as_str().unwrap().to_owned())
            .collect();
        found.sort();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found, expected, "{filter}");
    }
}

#[tokio::test]
async fn senseless_queries_are_refused_by_name() {
    let scene = Scene::new().await;
    for (query, named) in [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("cursor=made-up", "cursor"),
        ("from=yesterday", "from"),
        ("to=tomorrow", "to"),
        ("status=fine", "status"),
        ("outcome=fine", "outcome"),
        ("format=xml", "format"),
        ("api_key=not-a-uuid", "api_key"),
    ] {
        let answer = scene.acme.get(&format!("/admin/usage?{query}")).await;
        let message = answer.refusal(400, "BadRequest");
        assert!(message.contains(named), "{query}: {message}");
    }
}

#[tokio::test]
async fn records_are_exported_as_csv_whole_or_a_page_at_a_time() {
    let scene = Scene::new().await;
    let mut wire = scene.key.connect().await;
    for id in ["one", "two"] {
        scene.key.chat("fast").header("x-request-id", id).on(&mut wire).await.has_status(200);
    }
    let odd = scene.key.chat("=1+1").header("x-request-id", "three");
    odd.header("user-agent", "a \"b\", c").on(&mut wire).await.has_status(404);
    let records = scene.acme.records(3).await;

    let whole = scene.acme.get("/admin/usage?format=csv").await.has_status(200);
    assert!(whole.header("content-type").unwrap().starts_with("text/csv"));
    assert!(whole.header("content-disposition").unwrap().contains("usage.csv"));
    assert_eq!(whole.header("x-next-cursor"), None);
    let lines: Vec<&str> = whole.text().split("\r\n").collect();
    let names: Vec<&str> = lines[0].split(',').collect();
    assert_eq!((lines.len(), lines[4]), (5, ""));
    for (line, record) in lines[2..4].iter().zip(&records[1..]) {
        for (name, field) in names.iter().zip(line.split(',')) {
            let value = match &record[*name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(*field, value, "{name}");
        }
    }
    assert!(lines[1].contains(",'=1+1,"), "no field is a formula: {}", lines[1]);
    assert!(lines[1].ends_with(r#",three,"a ""b"", c""#), "{}", lines[1]);

    let first = scene.acme.get("/admin/usage?format=csv&limit=2").await.has_status(200);
    assert_eq!(first.text(), format!("{}\r\n", lines[..3].join("\r\n")));
    let cursor = first.header("x-next-cursor").unwrap();
    let rest = format!("/admin/usage?format=csv&limit=2&cursor={cursor}");
    let rest = scene.acme.get(&rest).await.has_status(200);
    assert_eq!(rest.text(), format!("{}\r\n{}\r\n", lines[0], lines[3]));
    assert_eq!(rest.header("x-next-cursor"), None);

    let failed = scene.acme.get("/admin/usage?format=csv&outcome=error").await.has_status(200);
    assert_eq!(failed.text(), format!("{}\r\n", lines[..2].join("\r\n")));
    let evil = scene.gateway.org("evil").get("/admin/usage?format=csv").await.has_status(200);
    assert_eq!(evil.text(), format!("{}\r\n", lines[0]));
}

#[tokio::test]
async fn users_read_only_their_own_usage() {
    let scene = Scene::new().await;
    let ann = scene.gateway.user("acme", "ann@acme.test");
    let bob = scene.gateway.user("acme", "bob@acme.test");
    let made = ann.post("/user/api-keys", json!({"name": "mine"})).await.has_status(200).json();
    scene.key.chat("fast").await.has_status(200);
    scene
        .key
        .holding(made["key"].as_str().unwrap())
        .chat("fast")
        .header("x-request-id", "anns")
        .await
        .has_status(200);
    scene.acme.records(2).await;
    let page: Value = ann.get("/user/usage").await.has_status(200).json();
    let data = page["data"].as_array().unwrap();
    assert_eq!(data.len(), 1);
    assert_eq!(data[0]["request_id"], "anns");
    assert!(page.get("next_cursor").is_some());
    assert_eq!(bob.get("/user/usage").await.has_status(200).json()["data"], json!([]));
    let foreign = data[0]["user_id"].as_str().unwrap();
    let answer = bob.get(&format!("/user/usage?user={foreign}")).await;
    assert!(answer.status == 400 || answer.json()["data"] == json!([]), "{}", answer.tell());
}

#[tokio::test]
async fn the_newest_come_first() {
    let scene = Scene::new().await;
    for id in ["first", "second", "third"] {
        scene.key.chat("fast").header("x-request-id", id).await.has_status(200);
    }
    let records = scene.acme.records(3).await;
    let order: Vec<_> =
        records.iter().map(|record| record["request_id"].as_str().unwrap()).collect();
    assert_eq!(order, ["third", "second", "first"]);
}
