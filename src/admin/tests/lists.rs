//! Lists that are searched, sorted and paged: `/admin/providers`, `/admin/model-mappings`,
//! `/admin/model-pricing`

use serde_json::{Value, json};

use super::desk::{Client, Desk};

const ROUTES: &str = "/admin/model-mappings";

/// A field of each entry.
fn each(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().unwrap().iter();
    entries.map(|entry| entry[field].as_str().unwrap().to_owned()).collect()
}

/// The field of the entries of every page, page by page. Each page says how many there are on all.
async fn pages(client: &Client<'_>, path: &str, field: &str, total: &str) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = client.get(&format!("{path}{cursor}")).await;
        assert_eq!(answer.headers["x-total-count"], total);
        let next = answer.headers.get("x-next-cursor").cloned();
        pages.push(each(&answer.ok(), field));
        let Some(next) = next else { return pages };
        cursor = format!("&cursor={}", next.to_str().unwrap());
    }
}

#[tokio::test]
async fn providers_are_searched_sorted_and_paged() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for name in ["west-10", "east", "West-9"] {
        acme.provider(name, &[]).await;
    }
    desk.admin("other").await.provider("west-1", &[]).await;
    let list = acme.get("/admin/providers").await;
    assert!(!list.headers.contains_key("x-next-cursor"));
    assert_eq!(each(&list.ok(), "name"), ["west-10", "east", "West-9"]);
    let found = acme.get("/admin/providers?q=WEST").await.ok();
    assert_eq!(each(&found, "name"), ["west-10", "West-9"]);
    let found = pages(&acme, "/admin/providers?q=west&limit=1&sort=-name", "name", "2").await;
    assert_eq!(found, [["west-10"], ["West-9"]]);
    let all = pages(&acme, "/admin/providers?limit=2", "name", "3").await;
    assert_eq!(all, [vec!["east", "West-9"], vec!["west-10"]]);
    assert_eq!(acme.get("/admin/providers?q=nowhere").await.ok(), json!([]));
    let together = json!({"name": "attic", "model_provider": "together", "api_key": "k"});
    acme.post("/admin/providers", together).await.ok();
    let found = acme.get("/admin/providers?q=together+AI+attic").await.ok();
    assert_eq!(each(&found, "name"), ["attic"], "by what people call the vendor");
    let cursor = acme.get("/admin/providers?limit=1&sort=name").await;
    let cursor = cursor.headers["x-next-cursor"].to_str().unwrap().to_owned();
    let other = acme.get(&format!("/admin/providers?sort=-name&cursor={cursor}")).await;
    let message = other.refused(400, "BadRequest");
    assert!(message.starts_with("cursor is of a list that was sorted"), "{message}");
}

#[tokio::test]
async fn a_page_of_routes_has_whole_aliases() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let east = acme.provider("east", &["m-1", "m-2"]).await;
    let west = acme.provider("west", &["m-1"]).await;
    for (provider, alias, model) in
        [(&east, "fast", "m-2"), (&west, "fast", "m-1"), (&west, "near", "m-1")]
    {
        acme.mapping(provider, alias, model).await;
    }
    let by_alias = pages(&acme, &format!("{ROUTES}?limit=1"), "model_alias", "4").await;
    assert_eq!(by_alias, [vec!["fast", "fast"], vec!["m-1", "m-1"], vec!["m-2"], vec!["near"]]);
    let given = pages(&acme, &format!("{ROUTES}?limit=2&kind=alias"), "model_alias", "2").await;
    assert_eq!(given, [vec!["fast", "fast", "near"]]);
    // The whole alias, though only one of its routes is what was looked for.
    let found = acme.get(&format!("{ROUTES}?q=EAST/m-2&kind=alias")).await.ok();
    assert_eq!(each(&found, "provider_name").len(), 2);
    let models = pages(&acme, &format!("{ROUTES}?limit=2&kind=model"), "model_alias", "3").await;
    assert_eq!(models, [vec!["m-1", "m-1"], vec!["m-2"]]);
    let sorted = acme.get(&format!("{ROUTES}?kind=model&sort=-provider")).await.ok();
    assert_eq!(each(&sorted, "provider_name"), ["west", "east", "east"]);
    let of_east = format!("/admin/providers/{east}/model-mappings?limit=1&kind=model");
    let of_east = pages(&acme, &of_east, "upstream_model", "2").await;
    assert_eq!(of_east, [["m-1"], ["m-2"]]);
}

#[tokio::test]
async fn a_name_that_is_called_without_its_provider_is_a_given_one() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["pinned"]).await;
    let bare = json!({
        "provider_id": provider, "model_alias": "plain", "upstream_model": "plain",
        "bare_alias": true,
    });
    acme.post(ROUTES, bare).await.ok();
    let given = acme.get(&format!("{ROUTES}?kind=alias")).await.ok();
    assert_eq!(each(&given, "model_alias"), ["plain"]);
}

#[tokio::test]
async fn a_route_says_whether_its_model_is_on() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["m"]).await;
    acme.mapping(&provider, "fast", "m").await;
    let model = acme.get(&format!("{ROUTES}?kind=model")).await.ok();
    let path = format!("{ROUTES}/{}", model[0]["id"].as_str().unwrap());
    acme.put(&path, json!({"enabled": false})).await.ok();
    let routes = acme.get(ROUTES).await.ok();
    let told = |at: usize| [&routes[at]["enabled"], &routes[at]["model_enabled"]].map(Value::clone);
    assert_eq!(each(&routes, "model_alias"), ["fast", "m"]);
    assert_eq!(told(0), [json!(true), json!(false)]);
    assert_eq!(told(1), [json!(false), json!(false)]);
}

#[tokio::test]
async fn prices_are_searched_sorted_and_paged() {
    const PATH: &str = "/admin/model-pricing";
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for (pattern, input, vendor) in [
        ("aurora-2", 10, json!("openai")),
        ("borealis", 9, json!(null)),
        ("aurora-10", 9, json!(null)),
    ] {
        let rule = json!({
            "model_pattern": pattern, "model_provider": vendor,
            "input_cost_per_million_tokens": input, "output_cost_per_million_tokens": 20 - input,
        });
        acme.post(PATH, rule).await.ok();
    }
    let all = pages(&acme, &format!("{PATH}?limit=2"), "model_pattern", "3").await;
    assert_eq!(all, [vec!["aurora-2", "aurora-10"], vec!["borealis"]]);
    let dearest = acme.get(&format!("{PATH}?sort=-input&limit=1")).await.ok();
    assert_eq!(each(&dearest, "model_pattern"), ["aurora-2"]);
    let of_vendor = acme.get(&format!("{PATH}?q=OpenAI+aurora")).await.ok();
    assert_eq!(each(&of_vendor, "model_pattern"), ["aurora-2"]);
    // Rules for any vendor come last, both ways.
    let vendors = acme.get(&format!("{PATH}?sort=-for")).await.ok();
    assert_eq!(each(&vendors, "model_pattern")[0], "aurora-2");
    let archived = acme.get(&format!("{PATH}/archived?limit=5")).await;
    assert_eq!(archived.headers["x-total-count"], "0");
    let id = dearest[0]["id"].as_str().unwrap();
    acme.delete(&format!("{PATH}/{id}")).await.ok();
    let archived = acme.get(&format!("{PATH}/archived?q=aurora&limit=5")).await.ok();
    assert_eq!(each(&archived, "model_pattern"), ["aurora-2"]);
}

#[tokio::test]
async fn what_a_list_cannot_be_asked_for_is_refused_by_name() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for (query, said) in [
        ("sort=colour", "sort must be one of name, vendor, health, created, with - before it"),
        ("sort=", "sort must be one of name"),
        ("sort=--name", "sort must be one of name"),
        ("limit=0", "limit must be between 1 and 500"),
        ("cursor=nonsense", "cursor must be the next_cursor"),
        ("q=%00", "q must not contain"),
    ] {
        let answer = acme.get(&format!("/admin/providers?{query}")).await;
        let message = answer.refused(400, "BadRequest");
        assert!(message.starts_with(said), "{message}");
    }
    let message = acme.get(&format!("{ROUTES}?kind=both")).await.refused(400, "BadRequest");
    assert_eq!(message, "kind must be model or alias");
    let message = acme.get(&format!("{ROUTES}?sort=input")).await.refused(400, "BadRequest");
    assert!(message.starts_with("sort must be one of alias,"), "{message}");
}
