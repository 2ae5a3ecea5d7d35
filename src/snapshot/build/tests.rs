use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    domain::{
        CredentialId, Endpoint, OrgId, Price, PriceSource, PriceVersion, Rates, Timestamp,
        testing::price_version,
    },
    provider::catalog,
    secrets,
    store::{ConnectionRow, OrgRow, testing},
};

/// Rows of one organization, put together in sentences.
struct World {
    rows: RuntimeRows,
    keyring: Keyring,
}

impl World {
    fn new() -> Self {
        let org = OrgRow {
            id: OrgId::random(),
            name: "acme".into(),
            created_at: Timestamp(0),
            revision: 0,
        };
        let rows = RuntimeRows {
            org,
            connections: vec![],
            providers: vec![],
            routes: vec![],
            prices: vec![],
            model_overrides: vec![],
            rate_limits: vec![],
            budgets: vec![],
            access: vec![],
            smart_models: vec![],
        };
        Self { rows, keyring: Keyring::new([3; 32]) }
    }

    fn seal(&self, record: uuid::Uuid, key: &str) -> Vec<u8> {
        secrets::seal_api_key(&self.keyring, self.rows.org.id, record, key).unwrap()
    }

    fn provider(&mut self, name: &str, vendor: &str) -> &mut ProviderRow {
        let mut row = testing::provider(self.rows.org.id, name);
        row.model_provider = vendor.to_owned();
        row.base_url = "https://host.example/v1".to_owned();
        row.sealed = Some(self.seal(row.id.0, "sk-own"));
        self.rows.providers.push(row);
        self.rows.providers.last_mut().unwrap()
    }

    /// A route of the provider of that name; an empty upstream model means the 1:1 row.
    fn route(&mut self, provider: &str, alias: &str, upstream: &str) -> &mut RouteRow {
        let upstream = if upstream.is_empty() { alias } else { upstream };
        let id = self.rows.providers.iter().find(|row| row.name == provider).unwrap().id;
        let mut row = testing::route(self.rows.org.id, id, alias, upstream);
        row.created_at = Timestamp(self.rows.routes.len().try_into().unwrap());
        self.rows.routes.push(row);
        self.rows.routes.last_mut().unwrap()
    }

    fn build(&self) -> OrgSnapshot {
        build_org(&self.rows, &self.keyring, catalog()).unwrap()
    }
}

fn upstreams(snapshot: &OrgSnapshot, alias: &str) -> Vec<String> {
    let routes =
        snapshot.aliases.get(alias).map(|alias| alias.routes.as_slice()).unwrap_or_default();
    routes.iter().map(|route| format!("{}/{}", route.provider.name, route.upstream_model)).collect()
}

fn listed(snapshot: &OrgSnapshot) -> Vec<&str> {
    snapshot.listing.iter().map(|model| model.id.as_str()).collect()
}

#[test]
fn an_alias_tries_its_routes_by_priority_and_then_by_age() {
    let mut world = World::new();
    for name in ["one", "two", "three"] {
        world.provider(name, "openai");
        world.route(name, "m", "");
    }
    world.route("one", "fast", "m").priority = 5;
    world.route("two", "fast", "m").priority = 5;
    world.route("three", "fast", "m").priority = -1;
    assert_eq!(upstreams(&world.build(), "fast"), ["three/m", "one/m", "two/m"]);
}

#[test]
fn a_row_without_bare_alias_is_reached_by_prefix_only() {
    let mut world = World::new();
    world.provider("Main", "openai");
    world.route("Main", "gpt", "");
    let snapshot = world.build();
    assert!(snapshot.aliases.is_empty());
    assert!(snapshot.prefixes["main"].routes.contains_key("gpt"));
    assert_eq!(listed(&snapshot), ["Main/gpt"]);
}

#[test]
fn a_custom_alias_is_dark_without_its_enablement() {
    let mut world = World::new();
    world.provider("p", "openai");
    world.route("p", "fast", "gpt");
    assert!(world.build().aliases.is_empty(), "no 1:1 row");

    world.route("p", "gpt", "").enabled = false;
    assert!(world.build().aliases.is_empty(), "1:1 row disabled");

    world.rows.routes[1].enabled = true;
    assert_eq!(upstreams(&world.build(), "fast"), ["p/gpt"]);

    world.rows.routes[0].enabled = false;
    assert!(world.build().aliases.is_empty(), "row disabled");
}

#[test]
fn a_provider_that_is_off_or_unhealthy_is_not_routed_to() {
    let mut world = World::new();
    world.provider("p", "openai");
    world.route("p", "gpt", "").bare_alias = true;
    assert_eq!(upstreams(&world.build(), "gpt"), ["p/gpt"], "unverified counts as well");

    world.rows.providers[0].health_status = "unhealthy".into();
    assert!(world.build().aliases.is_empty());
    assert!(world.build().prefixes["p"].routes.is_empty());

    world.rows.providers[0].enforce_health_check = false;
    assert_eq!(upstreams(&world.build(), "gpt"), ["p/gpt"]);

    world.rows.providers[0].enabled = false;
    assert!(world.build().aliases.is_empty());
}

#[test]
fn timeouts_come_from_the_most_specific_tier() {
    let mut world = World::new();
    world.provider("p", "openai");
    world.route("p", "gpt", "");
    world.route("p", "fast", "gpt");
    let limits = |world: &World| {
        let route = Arc::clone(&world.build().aliases["fast"].routes[0]);
        (route.request_timeout.as_secs(), route.stream_idle_timeout.as_secs())
    };
    assert_eq!(limits(&world), (120, 180), "platform");
    world.rows.providers[0].request_timeout_secs = Some(60);
    world.rows.providers[0].stream_idle_timeout_secs = Some(61);
    assert_eq!(limits(&world), (60, 61), "provider");
    world.rows.routes[0].request_timeout_secs = Some(50);
    world.rows.routes[0].stream_idle_timeout_secs = Some(51);
    assert_eq!(limits(&world), (50, 51), "1:1 row");
    world.rows.routes[1].request_timeout_secs = Some(40);
    assert_eq!(limits(&world), (40, 51), "own row, each limit for itself");
}

#[test]
fn a_route_knows_what_to_send_and_how_often() {
    let mut world = World::new();
    world.provider("p", "openai");
    let row = world.route("p", "models/\"odd\"", "");
    row.bare_alias = true;
    row.retry_on_429_count = 3;
    row.retry_on_429_max_wait_secs = 7;
    let snapshot = world.build();
    let route = &snapshot.aliases["models/\"odd\""].routes[0];
    assert_eq!(&route.upstream_model_json[..], br#""models/\"odd\"""#);
    assert_eq!(route.retry_on_429_count, 3);
    assert_eq!(route.retry_on_429_max_wait, Duration::from_secs(7));
}

#[test]
fn the_enablement_wins_over_a_custom_alias_of_its_name() {
    let mut world = World::new();
    world.provider("p", "openai");
    world.route("p", "gpt", "other");
    world.route("p", "gpt", "");
    world.route("p", "other", "");
    let pinned = Arc::clone(&world.build().prefixes["p"]);
    assert_eq!(&*pinned.routes["gpt"].upstream_model, "gpt");
    assert_eq!(&*pinned.routes["other"].upstream_model, "other");
}

#[test]
fn a_slug_is_a_prefix_while_one_provider_has_it_and_names_win() {
    let mut world = World::new();
    world.provider("Mine", "openai");
    world.provider("groq", "anthropic");
    world.provider("Other", "groq");
    let snapshot = world.build();
    let name =
        |prefix: &str| snapshot.prefixes.get(prefix).map(|pinned| pinned.provider.name.to_string());
    assert_eq!(name("mine").as_deref(), Some("Mine"));
    assert_eq!(name("openai").as_deref(), Some("Mine"), "by slug");
    assert_eq!(name("groq").as_deref(), Some("groq"), "the name, not the slug of Other");
    assert_eq!(name("Mine"), None, "keys are lower case");

    world.provider("Second", "openai").enabled = false;
    let snapshot = world.build();
    assert!(!snapshot.prefixes.contains_key("openai"), "two have it, whatever their switches");
}

#[test]
fn a_slug_of_the_catalog_is_a_prefix_before_that_of_the_vendor() {
    let mut world = World::new();
    world.provider("eu", "azure_openai");
    world.provider("direct", "anthropic");
    world.provider("own", "anthropic").auth_type = "oauth_passthrough".to_owned();
    let snapshot = world.build();
    let name =
        |prefix: &str| snapshot.prefixes.get(prefix).map(|pinned| pinned.provider.name.to_string());
    assert_eq!(name("azure").as_deref(), Some("eu"));
    assert_eq!(name("azure_openai").as_deref(), Some("eu"));
    assert_eq!(name("anthropic").as_deref(), Some("direct"), "of two, the one of that template");
    assert_eq!(name("anthropic-oauth").as_deref(), Some("own"));
}

#[test]
fn the_listing_names_what_can_be_sent() {
    let mut world = World::new();
    world.provider("OpenAI", "openai");
    world.provider("azure", "custom");
    for provider in ["OpenAI", "azure"] {
        world.route(provider, "gpt", "").bare_alias = true;
        world.route(provider, "gpt", "gpt-2"); // second row of the alias on the same provider
        world.route(provider, "gpt-2", "");
    }
    world.route("azure", "solo", "gpt");
    assert_eq!(
        listed(&world.build()),
        ["gpt", "OpenAI/gpt", "azure/gpt", "solo", "OpenAI/gpt-2", "azure/gpt-2"]
    );
    assert_eq!(world.build().listing[0].owned_by, "openai");
}

#[test]
fn what_is_listed_can_be_resolved() {
    let mut world = World::new();
    world.provider("A", "openai");
    world.provider("b", "groq");
    world.route("A", "x/y", "").bare_alias = true;
    world.route("b", "x/y", "").bare_alias = true;
    world.route("b", "quiet", "x/y").bare_alias = false;
    let snapshot = world.build();
    for name in listed(&snapshot) {
        let prefixed = name.split_once('/').and_then(|(prefix, rest)| {
            snapshot.prefixes.get(prefix.to_lowercase().as_str())?.routes.get(rest)
        });
        assert!(snapshot.aliases.contains_key(name) || prefixed.is_some(), "{name}");
    }
    assert_eq!(snapshot.listing.len(), 4);
}

#[test]
fn a_provider_that_cannot_be_used_does_not_hide_the_others() {
    let mut world = World::new();
    world.provider("good", "openai");
    world.route("good", "gpt", "").bare_alias = true;
    let stolen = world.rows.providers[0].sealed.clone();
    world.provider("moved", "openai").sealed = stolen;
    world.provider("unknown", "acme-ai");
    world.provider("keyless", "openai").sealed = None;
    world.provider("nowhere", "custom").base_url = String::new();
    world.provider("odd", "openai").base_url = "ftp://host".into();
    world.provider("strange", "custom").settings = json!({ "dialects": "chat" });
    world.provider("orphan", "openai").connection_id = Some(CredentialId::random());
    for name in ["moved", "unknown", "keyless", "nowhere", "odd", "strange", "orphan"] {
        world.route(name, "gpt", "").bare_alias = true;
    }
    let snapshot = world.build();
    assert_eq!(upstreams(&snapshot, "gpt"), ["good/gpt"]);
    assert_eq!(snapshot.prefixes.keys().map(AsRef::as_ref).collect::<Vec<&str>>(), ["good"]);
}

#[test]
fn a_key_that_no_header_can_carry_is_left_out() {
    let mut world = World::new();
    let id = world.provider("p", "openai").id;
    world.rows.providers[0].sealed = Some(world.seal(id.0, "sk-a\r\nx-evil: 1"));
    assert!(world.build().prefixes.is_empty());
}

#[test]
fn a_connection_lends_its_secret() {
    let mut world = World::new();
    let shared = CredentialId::random();
    let sealed = world.seal(shared.0, "sk-shared");
    world.rows.connections.push(ConnectionRow {
        id: shared,
        org_id: world.rows.org.id,
        name: "team".into(),
        model_provider: "openai".into(),
        auth_type: "api_key".into(),
        base_url: "https://host.example".into(),
        settings: json!({}),
        sealed: Some(sealed),
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    });
    let row = world.provider("p", "openai");
    row.connection_id = Some(shared);
    row.sealed = None;
    let provider = Arc::clone(&world.build().prefixes["p"].provider);
    assert_eq!(provider.api_key.as_ref().unwrap().expose(), "sk-shared");
}

#[test]
fn a_custom_provider_needs_no_key_and_speaks_what_it_says() {
    let mut world = World::new();
    let id = world.provider("local", "custom").id;
    world.rows.providers[0].sealed = Some(world.seal(id.0, ""));
    let speaks =
        |world: &World| Arc::clone(&world.build().prefixes["local"].provider).endpoints.clone();
    assert!(world.build().prefixes["local"].provider.api_key.is_none());
    assert!(!speaks(&world).contains(&Endpoint::Responses));
    world.rows.providers[0].settings = json!({ "dialects": ["responses"] });
    assert!(speaks(&world).contains(&Endpoint::Responses));
    assert!(!speaks(&world).contains(&Endpoint::ChatCompletions));
}

#[test]
fn the_version_at_the_end_of_a_base_url_is_not_doubled() {
    let mut world = World::new();
    world.provider("p", "openai");
    for (text, prefix) in [
        ("https://host.example/v1/", ""),
        ("https://host.example", ""),
        ("https://host.example/proxy/v1", "/proxy"),
        ("https://host.example/proxy", "/proxy"),
    ] {
        world.rows.providers[0].base_url = text.into();
        let provider = Arc::clone(&world.build().prefixes["p"].provider);
        assert_eq!(&*provider.base.prefix, prefix, "{text}");
    }
    world.rows.providers[0].base_url = String::new();
    let provider = Arc::clone(&world.build().prefixes["p"].provider);
    assert_eq!(&*provider.base.host, "api.openai.com", "the vendor's default");
}

#[test]
fn a_row_of_another_organization_stops_the_build() {
    let mut world = World::new();
    world.provider("p", "openai");
    world.route("p", "gpt", "").org_id = OrgId::random();
    assert!(build_org(&world.rows, &world.keyring, catalog()).is_err());
}

fn priced(pattern: &str, from: i64, input: &str) -> PriceVersion {
    let price: Price = input.parse().unwrap();
    let rates = Rates { input: price, output: price, cache_read: None, cache_write: None };
    price_version(pattern, Timestamp(from), rates)
}

#[test]
fn a_deployment_costs_what_its_base_does_until_its_own_price_takes_effect() {
    let mut world = World::new();
    world.provider("az", "azure_openai").settings =
        json!({ "base_models": { "prod-chat": "gpt-4o", "gpt-5.2": "gpt-4o" } });
    for name in ["prod-chat", "gpt-5.2", "gpt-4o"] {
        world.route("az", name, "").bare_alias = true;
    }
    world.rows.prices = vec![priced("prod-chat", 20, "1")];
    let snapshot = world.build();
    let rule = |alias: &str, at| {
        let price = snapshot.aliases[alias].routes[0].prices.at(Timestamp(at));
        price.map(|price| price.rule)
    };
    let base = rule("gpt-4o", 19);
    assert!(base.is_some());
    assert_eq!(rule("prod-chat", 19), base);
    assert_eq!(rule("prod-chat", 20), Some(world.rows.prices[0].id));
    assert_eq!(rule("gpt-5.2", 20), base, "its name is not what it is");
}

#[test]
fn a_route_knows_what_it_costs_and_from_when_on() {
    let mut world = World::new();
    let provider = world.provider("p", "openai").id;
    world.route("p", "gpt-4o", "").bare_alias = true;
    world.route("p", "unheard-of", "").bare_alias = true;
    let version = |from, provider_id, input: &str| PriceVersion {
        provider_id,
        ..priced("gpt*", from, input)
    };
    let source = |world: &World, alias: &str, at| {
        let route = Arc::clone(&world.build().aliases[alias].routes[0]);
        route.prices.at(Timestamp(at)).map(|price| price.source)
    };
    assert_eq!(source(&world, "gpt-4o", 5), Some(PriceSource::BarndoorDefault));
    assert_eq!(source(&world, "unheard-of", 5), None);
    world.rows.prices = vec![
        version(10, None, "1"),
        version(20, Some(provider), "2"),
        version(10, Some(ProviderId::random()), "3"),
    ];
    assert_eq!(source(&world, "gpt-4o", 9), Some(PriceSource::BarndoorDefault));
    assert_eq!(source(&world, "gpt-4o", 10), Some(PriceSource::OrgGeneric));
    assert_eq!(source(&world, "gpt-4o", 19), Some(PriceSource::OrgGeneric));
    assert_eq!(source(&world, "gpt-4o", 20), Some(PriceSource::OrgInstance));
    assert_eq!(source(&world, "unheard-of", 20), None);
}
