//! Lists that are searched, sorted and paged: of providers, routes, prices, credentials, policies,
//! smart models and webhooks; and of users and keys, by their ids

use serde_json::{Value, json};

use uuid::Uuid;

use super::desk::{Client, Desk, id};

const ROUTES: &str = "/admin/model-mappings";

/// A field of each entry, or a field of a field.
fn each(list: &Value, field: &str) -> Vec<String> {
    let field = format!("/{field}");
    let entries = list.as_array().unwrap().iter();
    entries.map(|entry| entry.pointer(&field).unwrap().as_str().unwrap().to_owned()).collect()
}

/// What every such list does: it is whole where nothing is asked for, pages are the list in either
/// order, cursors are its own, and another organization sees nothing of it.
async fn is_listed(acme: &Client<'_>, path: &str, field: &str, by_name: &[&str]) {
    let whole = acme.get(path).await;
    assert!(!whole.headers.contains_key("x-next-cursor"), "{path}");
    let mut whole = each(&whole.ok(), field);
    whole.sort_by_key(|name| by_name.iter().position(|known| known == name));
    assert_eq!(whole, by_name, "{path}");
    let total = by_name.len().to_string();
    let by = if field == "model_alias" { "alias" } else { "name" };
    let backwards: Vec<&str> = by_name.iter().rev().copied().collect();
    for (order, wanted) in [
        (String::new(), by_name),
        (format!("&sort={by}"), by_name),
        (format!("&sort=-{by}"), &*backwards),
    ] {
        for limit in 1..=3 {
            let found = pages(acme, &format!("{path}?limit={limit}{order}"), field, &total).await;
            assert_eq!(found.concat(), wanted, "{path} by {limit}{order}");
        }
    }
    let cursor = acme.get(&format!("{path}?limit=1")).await;
    let cursor = cursor.headers["x-next-cursor"].to_str().unwrap().to_owned();
    let elsewhere = acme.get(&format!("/admin/providers?limit=1&cursor={cursor}")).await;
    let message = elsewhere.refused(400, "BadRequest");
    assert!(message.starts_with("cursor is of a list that was sorted"), "{message}");
    let message = acme.get(&format!("{path}?sort=colour")).await.refused(400, "BadRequest");
    assert!(message.starts_with("sort must be one of"), "{message}");
    let other = acme.desk.admin("other").await.get(&format!("{path}?limit=5")).await;
    assert_eq!(other.headers["x-total-count"], "0");
    assert_eq!(other.ok(), json!([]));
}

/// The same field of what is found.
async fn found(acme: &Client<'_>, path: &str, field: &str) -> Vec<String> {
    each(&acme.get(path).await.ok(), field)
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

#[tokio::test]
async fn credentials_are_searched_sorted_and_paged() {
    const PATH: &str = "/admin/connections";
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let mut ids = Vec::new();
    for (name, vendor) in [("west-10", "openai"), ("east", "together"), ("West-9", "openai")] {
        let body = json!({"name": name, "model_provider": vendor, "api_key": "k"});
        ids.push(id(&acme.post(PATH, body).await.ok()));
    }
    for name in ["one", "two"] {
        let body = json!({"name": name, "model_provider": "openai", "connection_id": ids[0]});
        acme.post("/admin/providers", body).await.ok();
    }
    is_listed(&acme, PATH, "name", &["east", "West-9", "west-10"]).await;
    assert_eq!(found(&acme, &format!("{PATH}?q=OpenAI+west-9"), "name").await, ["West-9"]);
    assert_eq!(found(&acme, &format!("{PATH}?q=together+ai"), "name").await, ["east"]);
    assert_eq!(found(&acme, &format!("{PATH}?sort=-used&limit=1"), "name").await, ["west-10"]);
    assert_eq!(found(&acme, &format!("{PATH}?sort=-vendor&limit=1"), "name").await, ["east"]);
    acme.put(&format!("{PATH}/{}", ids[1]), json!({"name": "north"})).await.ok();
    assert_eq!(found(&acme, &format!("{PATH}?sort=-changed&limit=1"), "name").await, ["north"]);
}

/// The id of the organization's admin, whom names of scopes stand for here.
async fn ada(acme: &Client<'_>) -> String {
    id(&acme.get("/admin/users?q=ada@example.org").await.ok()[0])
}

#[tokio::test]
async fn budgets_are_searched_sorted_and_paged() {
    const PATH: &str = "/admin/budgets";
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("attic", &[]).await;
    for body in [
        json!({
            "name": "west-10", "scope_type": "group", "scope_value": "zeta", "period": "yearly",
            "token_limit": 100, "target_provider_id": provider,
        }),
        json!({
            "name": "east", "scope_type": "user", "scope_id": ada(&acme).await, "period": "daily",
            "token_limit": 0, "cost_limit": 5,
        }),
        json!({
            "name": "West-9", "scope_type": "org", "period": "weekly", "token_limit": 20,
            "target_model_alias": "fast",
        }),
    ] {
        acme.post(PATH, body).await.ok();
    }
    for (path, field) in [(PATH, "name"), ("/admin/budgets/status", "budget/name")] {
        is_listed(&acme, path, field, &["east", "West-9", "west-10"]).await;
        let found = async |query: &str| found(&acme, &format!("{path}?{query}"), field).await;
        assert_eq!(found("q=USER+ada@").await, ["east"], "by whom it is about");
        assert_eq!(found("q=attic").await, ["west-10"], "by what it counts");
        assert_eq!(found("q=fast").await, ["West-9"]);
        assert_eq!(found("sort=scope").await, ["east", "west-10", "West-9"]);
        assert_eq!(found("sort=-scope").await, ["west-10", "east", "West-9"]);
    }
    let found = async |query: &str| found(&acme, &format!("{PATH}?{query}"), "name").await;
    assert_eq!(found("sort=period").await, ["east", "West-9", "west-10"]);
    assert_eq!(found("sort=-tokens").await, ["west-10", "West-9", "east"]);
    assert_eq!(found("sort=cost&limit=1").await, ["east"]);
}

#[tokio::test]
async fn rate_limits_are_searched_sorted_and_paged() {
    const PATH: &str = "/admin/rate-limits";
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let key = id(&acme.post("/admin/api-keys", json!({"name": "nightly"})).await.ok());
    for body in [
        json!({"name": "west-10", "scope_type": "org", "requests_per_minute": 100}),
        json!({
            "name": "east", "scope_type": "api_key", "scope_id": key, "requests_per_minute": 20,
            "tokens_per_minute": 5,
        }),
        // A limit of nothing is used up.
        json!({"name": "West-9", "scope_type": "role", "tokens_per_minute": 0}),
    ] {
        acme.post(PATH, body).await.ok();
    }
    for (path, field) in [(PATH, "name"), ("/admin/rate-limits/status", "policy/name")] {
        is_listed(&acme, path, field, &["east", "West-9", "west-10"]).await;
        let found = async |query: &str| found(&acme, &format!("{path}?{query}"), field).await;
        assert_eq!(found("q=NIGHTLY").await, ["east"]);
        assert_eq!(found("q=The+organization").await, ["west-10"], "as people are shown it");
        assert_eq!(found("q=every+role").await, ["West-9"]);
        assert_eq!(found("sort=-scope&limit=1").await, ["east"]);
    }
    assert_eq!(
        found(&acme, &format!("{PATH}?sort=requests"), "name").await[..2],
        ["east", "west-10"]
    );
    assert_eq!(
        found(&acme, &format!("{PATH}?sort=-tokens"), "name").await[..2],
        ["east", "West-9"]
    );
    let used = format!("{PATH}/status?sort=-used&limit=1");
    assert_eq!(found(&acme, &used, "policy/name").await, ["West-9"]);
}

#[tokio::test]
async fn access_policies_are_searched_sorted_and_paged() {
    const PATH: &str = "/admin/model-access";
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("attic", &[]).await;
    for (name, scope, kind, target) in [
        (
            "west-10",
            json!({"scope_type": "org"}),
            "denylist",
            json!({"kind": "model", "model": "m*"}),
        ),
        (
            "east",
            json!({"scope_type": "user", "scope_id": ada(&acme).await}),
            "allowlist",
            json!({"kind": "provider", "provider_id": provider}),
        ),
        (
            "West-9",
            json!({"scope_type": "role", "scope_value": "viewer"}),
            "allowlist",
            json!({"kind": "model_alias", "alias": "fast"}),
        ),
    ] {
        let mut body = scope;
        body["name"] = json!(name);
        body["policy_type"] = json!(kind);
        body["targets"] = json!([target]);
        acme.post(PATH, body).await.ok();
    }
    is_listed(&acme, PATH, "name", &["east", "West-9", "west-10"]).await;
    let found = async |query: &str| found(&acme, &format!("{PATH}?{query}"), "name").await;
    assert_eq!(found("q=attic+ADA").await, ["east"]);
    assert_eq!(found("q=m*").await, ["west-10"]);
    assert_eq!(found("sort=-scope").await, ["West-9", "east", "west-10"]);
    assert_eq!(found("sort=-kind&limit=1").await, ["west-10"]);
}

#[tokio::test]
async fn smart_models_are_searched_sorted_and_paged() {
    const PATH: &str = "/admin/smart-models";
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["m"]).await;
    for alias in ["small", "large"] {
        acme.mapping(&provider, alias, "m").await;
    }
    for (alias, determiner) in [("auto-10", "small"), ("best", "p/m"), ("Auto-9", "small")] {
        let body = json!({
            "model_alias": alias, "determiner_model_alias": determiner, "description": "for all",
            "slots": [{"model_alias": "small"}, {"model_alias": "large", "label": "hard"}],
            "context_breakpoints": [10],
        });
        acme.post(PATH, body).await.ok();
    }
    is_listed(&acme, PATH, "model_alias", &["Auto-9", "auto-10", "best"]).await;
    let found = async |query: &str| found(&acme, &format!("{PATH}?{query}"), "model_alias").await;
    assert_eq!(found("q=HARD+all+p/m").await, ["best"]);
    assert_eq!(found("sort=determiner&limit=1").await, ["best"]);
}

#[tokio::test]
async fn webhooks_are_searched_sorted_and_paged() {
    const PATH: &str = "/admin/alert-webhooks";
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for (name, event) in
        [("west-10", "route_ejected"), ("east", "budget_exhausted"), ("West-9", "route_ejected")]
    {
        let url = format!("https://{name}.example.com/hook");
        acme.post(PATH, json!({"name": name, "url": url, "events": [event]})).await.ok();
    }
    is_listed(&acme, PATH, "name", &["east", "West-9", "west-10"]).await;
    for event in ["route_ejected", "route+Ejected"] {
        let searched = format!("{PATH}?q={event}+9.EXAMPLE");
        assert_eq!(found(&acme, &searched, "name").await, ["West-9"]);
    }
}

#[tokio::test]
async fn users_and_keys_are_picked_by_their_ids() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let uma = desk.user("acme", "uma@example.org").await;
    let mut keys = Vec::new();
    for name in ["one", "two"] {
        keys.push(id(&acme.post("/admin/api-keys", json!({"name": name})).await.ok()));
    }
    keys.push(id(&uma.post("/user/api-keys", json!({"name": "own"})).await.ok()));
    acme.delete(&format!("/admin/api-keys/{}", keys[0])).await.ok();
    let (ids, ada) = (keys.join(","), ada(&acme).await);
    let keys_of = format!("/admin/api-keys?id={ids},{}", Uuid::new_v4());
    assert_eq!(found(&acme, &keys_of, "name").await.len(), 3, "revoked ones too");
    let users_of = format!("/admin/users?id={},{ada}", Uuid::new_v4());
    assert_eq!(found(&acme, &users_of, "id").await, [ada]);
    let own = found(&uma, &format!("/user/api-keys?id={ids}"), "name").await;
    assert_eq!(own, ["own"], "nobody else's");
    let other = desk.admin("other").await;
    for path in [&keys_of, &users_of] {
        assert_eq!(other.get(path).await.ok(), json!([]));
    }
    assert_eq!(acme.get("/admin/users?id=").await.ok(), json!([]), "none are asked for");
    let many = vec![Uuid::nil().to_string(); 101].join(",");
    for path in ["/admin/users", "/admin/api-keys", "/user/api-keys"] {
        for (query, said) in [
            ("id=nope", "id: UUID parsing failed"),
            (&*format!("id={many}"), "id must name at most 100 ids"),
            (&*format!("id={ids}&q=o"), "id excludes q, limit and cursor"),
            (&*format!("id={ids}&limit=5"), "id excludes q, limit and cursor"),
        ] {
            let message = acme.get(&format!("{path}?{query}")).await.refused(400, "BadRequest");
            assert!(message.starts_with(said), "{path}: {message}");
        }
    }
    let message = acme.get(&format!("/admin/api-keys?id={ids}&state=active")).await;
    assert_eq!(message.refused(400, "BadRequest"), "id excludes state");
}
