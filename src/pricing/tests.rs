use serde_json::json;

use super::*;
use crate::{
    domain::{
        ChangeSource, Price, PriceSource, PriceVersion, ProviderId, Rates, SyncMode, Timestamp,
        UserId, testing::price_version,
    },
    provider,
};

const NOW: Timestamp = Timestamp(1_000);

fn rates(input: &str, output: &str) -> Rates {
    let price = |text: &str| text.parse().unwrap();
    Rates { input: price(input), output: price(output), cache_read: None, cache_write: None }
}

/// A version that says `input`, in force since the beginning.
fn version(pattern: &str, input: &str) -> PriceVersion {
    PriceVersion {
        created_by: Some(UserId::random()),
        ..price_version(pattern, Timestamp(1), rates(input, "8"))
    }
}

fn of_line(slug: &str, pattern: &str, input: &str) -> PriceVersion {
    PriceVersion { model_provider: Some(slug.to_owned()), ..version(pattern, input) }
}

fn of_provider(provider: ProviderId, pattern: &str, input: &str) -> PriceVersion {
    PriceVersion { provider_id: Some(provider), ..version(pattern, input) }
}

fn from(at: i64, version: PriceVersion) -> PriceVersion {
    PriceVersion { effective_from: Timestamp(at), ..version }
}

fn archived(version: PriceVersion) -> PriceVersion {
    PriceVersion { is_archived: true, ..version }
}

/// `gpt-4o` at 100 and `gpt-5*` at 101, both of OpenAI; of `gpt-5-secret` no price is known.
fn shipped() -> Defaults {
    Defaults::parse(
        r#"{"_format":[],"vendors":[{"slugs":["openai"],"source":"https://vendor.test/","as_of":"2026-11-20",
        "prices":[
            {"model":"gpt-4o","input":100,"output":200,"cache_read":50},
            {"model":"gpt-5","patterns":["gpt-5*"],"input":101,"output":200},
            {"model":"gpt-5-secret","input":null,"output":null}
        ]}]}"#,
    )
    .unwrap()
}

#[test]
fn writing_to_a_cache_for_an_hour_costs_the_defaults_unless_a_rule_says_what_writing_costs() {
    let shipped = Defaults::parse(
        r#"{"_format":[],"vendors":[{"slugs":["openai"],"source":"https://vendor.test/","as_of":"2026-11-20",
        "prices":[{"model":"gpt-4o","input":4,"output":20,"cache_write":5,"cache_write_1h":8}]}]}"#,
    )
    .unwrap();
    let price = |text: &str| text.parse::<Price>().unwrap();
    let default = shipped.iter().next().unwrap();
    let billed = |own: Rates| default.billed(&own);
    assert_eq!(billed(default.rates).cache_write_hour, price("8"));
    let open = Rates { cache_write: None, ..default.rates };
    assert_eq!(billed(open).cache_write_hour, price("8"));
    let own = Rates { cache_write: Some(price("6")), ..default.rates };
    assert_eq!(billed(own).cache_write_hour, price("6"));
    let dearer = Rates { input: price("10"), ..open };
    assert_eq!(billed(dearer).cache_write_hour, price("8"), "its cache is the default's");
}

fn line(provider: ProviderId) -> Line<'static> {
    Line { provider, vendor: "openai", catalog: "openai" }
}

/// The names of a model that is called what it is.
fn named(model: &str) -> ModelNames<'_> {
    ModelNames { sent: model, told: model, base: model }
}

/// What `gpt-4o` costs on an OpenAI provider: the tier and the input's price.
fn priced(versions: &[PriceVersion], provider: ProviderId) -> Option<(PriceSource, String)> {
    priced_model(versions, &line(provider), "gpt-4o")
}

fn priced_model(
    versions: &[PriceVersion],
    line: &Line<'_>,
    model: &str,
) -> Option<(PriceSource, String)> {
    priced_names(versions, line, &named(model), NOW)
}

fn priced_names(
    versions: &[PriceVersion],
    line: &Line<'_>,
    names: &ModelNames<'_>,
    at: Timestamp,
) -> Option<(PriceSource, String)> {
    let defaults = shipped();
    let found = PriceBook::new(versions, &defaults).price(line, names, at)?;
    Some((found.source, serde_json::to_string(&found.rates.input).unwrap()))
}

#[test]
fn the_first_tier_that_has_a_price_wins() {
    let provider = ProviderId::random();
    let mut rules = vec![
        of_provider(provider, "*", "1"),
        of_line("openai", "gpt-4o*", "2"),
        version("gpt-4o", "3"),
        of_provider(ProviderId::random(), "gpt-4o", "4"),
        of_line("anthropic", "gpt-4o", "5"),
    ];
    for (source, input) in [
        (PriceSource::OrgInstance, "1"),
        (PriceSource::OrgCatalog, "2"),
        (PriceSource::OrgGeneric, "3"),
        (PriceSource::BarndoorDefault, "100"),
    ] {
        assert_eq!(priced(&rules, provider), Some((source, input.to_owned())));
        rules.remove(0);
    }
    assert_eq!(priced_model(&[], &line(provider), "gpt-9"), None, "nobody prices it");
}

#[test]
fn in_a_tier_the_closest_pattern_wins() {
    let rules = ["*", "gpt*", "gpt-4o*", "gpt-4o"].map(|pattern| {
        let input = pattern.len().to_string();
        of_line("openai", pattern, &input)
    });
    let provider = ProviderId::random();
    for (model, input) in
        [("gpt-4o", "6"), ("gpt-4o-mini", "7"), ("gpt-4", "4"), ("o3", "1"), ("GPT-4o", "1")]
    {
        let found = priced_model(&rules, &line(provider), model);
        assert_eq!(found, Some((PriceSource::OrgCatalog, input.to_owned())), "{model}");
    }
}

#[test]
fn a_rule_may_name_the_vendor_or_the_catalog_line() {
    let line =
        Line { provider: ProviderId::random(), vendor: "bedrock", catalog: "bedrock-claude" };
    let input = |rules: &[PriceVersion]| priced_model(rules, &line, "m").map(|(_, input)| input);
    let (vendor, catalog) = (of_line("bedrock", "m", "1"), of_line("bedrock-claude", "m", "2"));
    assert_eq!(input(std::slice::from_ref(&vendor)).as_deref(), Some("1"));
    assert_eq!(input(std::slice::from_ref(&catalog)).as_deref(), Some("2"));
    assert_eq!(input(&[vendor.clone(), catalog]).as_deref(), Some("2"), "the narrower one");
    let loose = of_line("bedrock-claude", "*", "3");
    assert_eq!(input(&[vendor, loose]).as_deref(), Some("1"), "the closer pattern");
    assert_eq!(input(&[of_line("aws-bedrock", "m", "4")]), None, "another line");
}

#[test]
fn the_newest_version_in_force_counts() {
    let rule = [
        from(10, version("gpt-4o", "1")),
        from(1_000, version("gpt-4o", "2")),
        from(1_001, version("gpt-4o", "3")),
    ];
    let found = priced(&rule, ProviderId::random());
    assert_eq!(found, Some((PriceSource::OrgGeneric, "2".to_owned())), "from its instant on");
}

#[test]
fn an_archived_rule_prices_nothing_and_hides_nothing() {
    let provider = ProviderId::random();
    let mut rules = vec![
        from(1, version("gpt-4o", "1")),
        from(2, archived(version("gpt-4o", "1"))),
        version("gpt*", "7"),
    ];
    assert_eq!(priced(&rules, provider), Some((PriceSource::OrgGeneric, "7".to_owned())));
    rules.pop();
    assert_eq!(priced(&rules, provider), Some((PriceSource::BarndoorDefault, "100".to_owned())));
    rules.push(from(3, version("gpt-4o", "9")));
    assert_eq!(priced(&rules, provider), Some((PriceSource::OrgGeneric, "9".to_owned())));
}

#[test]
fn a_provider_may_have_rules_of_its_own_for_one_pattern() {
    let (one, two) = (ProviderId::random(), ProviderId::random());
    let rules = [of_provider(one, "gpt-4o", "1"), of_provider(two, "gpt-4o", "2")];
    assert_eq!(priced(&rules, one), Some((PriceSource::OrgInstance, "1".to_owned())));
    assert_eq!(priced(&rules, two), Some((PriceSource::OrgInstance, "2".to_owned())));
    let with_slug =
        PriceVersion { model_provider: Some("openai".into()), ..from(5, rules[0].clone()) };
    let rules = [rules[0].clone(), PriceVersion { rates: rates("3", "8"), ..with_slug }];
    assert_eq!(priced(&rules, one), Some((PriceSource::OrgInstance, "3".to_owned())), "the newer");
}

#[test]
fn an_open_cache_rate_is_the_defaults_for_the_same_model() {
    let defaults = shipped();
    let rules = [version("*", "1")];
    let book = PriceBook::new(&rules, &defaults);
    let provider = ProviderId::random();
    let cache_read = |model| {
        let found = book.price(&line(provider), &named(model), NOW).unwrap();
        serde_json::to_string(&found.rates.cache_read).unwrap()
    };
    assert_eq!(cache_read("gpt-4o"), "50", "the default has one");
    assert_eq!(cache_read("gpt-5"), "1", "the default has none");
    assert_eq!(cache_read("other"), "1", "there is no default");
}

#[test]
fn a_scheduled_price_takes_effect_by_itself() {
    let provider = ProviderId::random();
    let rules = [
        from(10, version("gpt-4o", "1")),
        from(2_000, version("gpt-4o", "2")),
        from(3_000, archived(version("gpt-4o", "2"))),
        from(2_500, of_provider(provider, "gpt*", "3")),
        from(2_600, of_provider(ProviderId::random(), "gpt*", "4")),
    ];
    let defaults = shipped();
    let book = PriceBook::new(&rules, &defaults);
    let names = named("gpt-4o");
    let timeline = book.timeline(&line(provider), &names);
    for moment in [0, 9, 10, 1_999, 2_000, 2_499, 2_500, 2_600, 3_000, 9_000] {
        let at = Timestamp(moment);
        assert_eq!(timeline.at(at).copied(), book.price(&line(provider), &names, at), "{moment}");
    }
    assert_eq!(Timeline::default().at(NOW), None);
}

#[test]
fn a_managed_price_is_that_of_what_a_deployment_is() {
    let line = line(ProviderId::random());
    let price = |rules: &[PriceVersion], sent, told| {
        let names = ModelNames { sent, told, base: told };
        priced_names(rules, &line, &names, NOW).map(|(_, input)| input)
    };
    assert_eq!(price(&[], "gpt-5", "gpt-4o").as_deref(), Some("100"), "not of its name");
    assert_eq!(price(&[], "gpt-4o", "gpt-9"), None, "a name is no price");
    let regional = ModelNames { sent: "prod", told: "us.gpt-4o", base: "gpt-4o" };
    let found = priced_names(&[], &line, &regional, NOW);
    assert_eq!(found, Some((PriceSource::BarndoorDefault, "100".to_owned())), "wherever it runs");
    let own = [version("gpt-5", "1")];
    assert_eq!(price(&own, "gpt-5", "gpt-4o").as_deref(), Some("1"), "rules may be for the name");
}

#[test]
fn in_a_tier_the_closest_pattern_to_any_name_wins() {
    let provider = ProviderId::random();
    let names = ModelNames { sent: "prod-chat", told: "gpt-4o", base: "gpt-4o" };
    let price = |rules: &[PriceVersion]| {
        priced_names(rules, &line(provider), &names, NOW).map(|(_, input)| input)
    };
    let mut rules = vec![version("*", "1"), version("gpt-4*", "2")];
    assert_eq!(price(&rules).as_deref(), Some("2"));
    rules.extend([version("prod-*", "3"), version("gpt-4o", "4")]);
    assert_eq!(price(&rules).as_deref(), Some("4"), "an exact one");
    rules.push(version("prod-chat", "5"));
    assert_eq!(price(&rules).as_deref(), Some("5"), "as exact, and of the name that is sent");
    rules.push(of_provider(provider, "*", "6"));
    assert_eq!(price(&rules).as_deref(), Some("6"), "tiers go before");
    rules.push(of_provider(provider, "prod-chat", "7"));
    rules.push(from(5, of_provider(provider, "gpt-4o", "8")));
    assert_eq!(price(&rules).as_deref(), Some("7"), "a newer rule for another name is no rival");
}

#[test]
fn until_a_rule_for_a_deployment_takes_effect_its_base_is_what_it_costs() {
    let line = line(ProviderId::random());
    let names = ModelNames { sent: "prod-chat", told: "gpt-4o", base: "gpt-4o" };
    let rules = [
        from(2_000, version("prod-chat", "1")),
        from(3_000, archived(version("prod-chat", "1"))),
        from(2_500, version("gpt-4o", "2")),
    ];
    let defaults = shipped();
    let book = PriceBook::new(&rules, &defaults);
    let timeline = book.timeline(&line, &names);
    for (moment, input) in
        [(0, "100"), (1_999, "100"), (2_000, "1"), (2_500, "1"), (3_000, "2"), (9_000, "2")]
    {
        let at = Timestamp(moment);
        let found = priced_names(&rules, &line, &names, at).map(|(_, input)| input);
        assert_eq!(found.as_deref(), Some(input), "{moment}");
        assert_eq!(timeline.at(at).copied(), book.price(&line, &names, at), "{moment}");
    }
}

#[test]
fn a_rule_knows_its_current_and_its_coming_versions() {
    let versions = [
        from(10, version("m", "1")),
        from(1_000, archived(version("m", "1"))),
        from(1_001, version("m", "2")),
        from(1_002, version("m", "3")),
    ];
    let rule = Rule::new(&versions);
    assert_eq!(rule.current(Timestamp(9)), None);
    assert_eq!(rule.current(Timestamp(999)), Some(&versions[0]));
    assert_eq!(rule.current(NOW), Some(&versions[1]), "from its instant on");
    assert_eq!(rule.pending(NOW).count(), 2);
    assert!(rule.has_at(Timestamp(1_001), None));
    assert!(!rule.has_at(Timestamp(1_001), Some(versions[2].id)), "it may stay where it is");
    assert!(!rule.has_at(Timestamp(1_003), None));
}

#[test]
fn a_write_that_says_nothing_new_is_recognised() {
    let versions = [from(10, version("m", "1"))];
    let says = |rates: Rates, mode| Rule::new(&versions).says(&rates, mode, NOW).is_some();
    let same = versions[0].rates;
    assert!(says(same, SyncMode::Pinned));
    assert!(!says(same, SyncMode::Auto));
    assert!(!says(Rates { output: "9".parse().unwrap(), ..same }, SyncMode::Pinned));
    assert!(!says(Rates { cache_read: Some(same.input), ..same }, SyncMode::Pinned));
    assert!(!says(Rates { cache_write: Some(same.input), ..same }, SyncMode::Pinned));
    let dead = [from(10, archived(version("m", "1")))];
    assert!(
        Rule::new(&dead).says(&same, SyncMode::Pinned, NOW).is_none(),
        "a tombstone says nothing"
    );
}

#[test]
fn what_is_written_later_takes_effect_later_whatever_the_clocks_say() {
    let at_once = |versions: &[PriceVersion]| Rule::new(versions).at_once(NOW).0;
    let scheduled = |at, input| PriceVersion {
        change_source: ChangeSource::AdminSchedule,
        ..from(at, version("m", input))
    };
    assert_eq!(at_once(&[]), 1_000);
    assert_eq!(at_once(&[from(999, version("m", "1"))]), 1_000);
    assert_eq!(at_once(&[from(1_000, version("m", "1"))]), 1_001, "in the same microsecond");
    let ahead = from(3_000_000, version("m", "1"));
    assert_eq!(
        at_once(std::slice::from_ref(&ahead)),
        3_000_001,
        "another replica's clock is ahead"
    );
    assert_eq!(at_once(&[ahead, scheduled(3_000_001, "2")]), 3_000_002, "alone at its instant");
    assert_eq!(at_once(&[scheduled(1_001, "1")]), 1_000, "scheduled ones wait for their time");
    assert_eq!(at_once(&[from(i64::MAX, version("m", "1"))]), 1_000, "a clock gone wrong");
}

#[test]
fn copies_are_brought_to_what_the_defaults_say() {
    let defaults = shipped();
    let stale = |mode| {
        let default = defaults.of_rule("openai", "gpt-4o").unwrap();
        let copy = copy_of(default, mode, Timestamp(1), None);
        PriceVersion { rates: rates("99", "8"), ..copy }
    };
    let count =
        |versions: &[PriceVersion], source| due(versions, &defaults, source, |_| true, NOW).len();
    for (mode, manual, auto) in
        [(SyncMode::Pinned, 0, 0), (SyncMode::Tracking, 1, 0), (SyncMode::Auto, 1, 1)]
    {
        assert_eq!(count(&[stale(mode)], ChangeSource::SyncManual), manual, "{mode:?}");
        assert_eq!(count(&[stale(mode)], ChangeSource::SyncAuto), auto, "{mode:?}");
    }
    let tracking = stale(SyncMode::Tracking);
    let manual = |version: PriceVersion| count(&[version], ChangeSource::SyncManual);
    let default = defaults.of_rule("openai", "gpt-4o").unwrap();
    assert_eq!(manual(PriceVersion { rates: default.rates, ..tracking.clone() }), 0, "up to date");
    assert_eq!(manual(archived(tracking.clone())), 0);
    assert_eq!(manual(from(2_000, tracking.clone())), 0, "not in force yet");
    assert_eq!(manual(PriceVersion { model_provider: None, ..tracking.clone() }), 0, "no copy");
    let renewed = due(&[tracking], &defaults, ChangeSource::SyncManual, |_| true, NOW);
    assert_eq!((renewed[0].rates, renewed[0].effective_from), (default.rates, NOW));
    let none = due(&[stale(SyncMode::Auto)], &defaults, ChangeSource::SyncManual, |_| false, NOW);
    assert!(none.is_empty(), "others were asked for");
}

#[test]
fn a_default_without_a_known_price_prices_nothing() {
    let provider = ProviderId::random();
    assert_eq!(priced_model(&[], &line(provider), "gpt-5-secret"), None);
    assert!(priced_model(&[], &line(provider), "gpt-5-other").is_some());
    let defaults = shipped();
    assert_eq!(defaults.iter().count(), 2, "it is not listed");
    assert!(defaults.mentions("openai", "gpt-5-secret"));
}

#[test]
fn a_defaults_id_stays() {
    let defaults = shipped();
    let default = defaults.of_rule("openai", "gpt-4o").unwrap();
    assert_eq!(default.id.to_string(), ID_OF_GPT_4O);
    assert_eq!(defaults.get(default.id), Some(default));
    assert_eq!(super::defaults().of_rule("openai", "gpt-4o").unwrap().id, default.id);
}

const ID_OF_GPT_4O: &str = "2aff11f1-8510-4bb5-b685-75152e843b82";

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let file = |prices: &str| {
        let text = format!(
            r#"{{"_format":[],"vendors":[{{"slugs":["v"],"source":"s","as_of":"2026-11-20","prices":[{prices}]}}]}}"#
        );
        Defaults::parse(&text).map(|_| ()).unwrap_err().to_string()
    };
    assert!(file(r#"{"model":"m","input":1,"output":null}"#).contains("v, m: input and output"));
    assert!(file(r#"{"model":"m","input":-1,"output":1}"#).contains("must not be negative"));
    assert!(file(r#"{"model":"m*x","input":1,"output":1}"#).contains("at its end only"));
    let twice = r#"{"model":"m","input":1,"output":1}"#;
    assert!(file(&format!("{twice},{twice}")).contains("v, m: stands there twice"));
}

#[test]
fn the_shipped_file_speaks_of_every_model_of_the_catalogue() {
    Defaults::parse(include_str!("../../conf/prices.json")).unwrap();
    let mut missing = Vec::new();
    for vendor in provider::catalog().vendors().filter(|vendor| vendor.slug != "sandbox") {
        let lines = [json!({}), json!({"model_api_family": "anthropic_messages"})]
            .map(|settings| provider::catalog_slug(&vendor.slug, "api_key", &settings));
        let unknown = |model: &&String| !lines.iter().any(|line| defaults().mentions(line, model));
        missing.extend(vendor.models.iter().filter(unknown).map(|model| (&vendor.slug, model)));
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_shipped_file_has_every_line_of_the_catalogue_and_says_where_from() {
    for slug in [
        "openai",
        "anthropic",
        "anthropic-oauth",
        "azure",
        "google-ai-studio",
        "google-vertex",
        "vertex-anthropic",
        "aws-bedrock",
        "bedrock-claude",
        "groq",
        "together",
        "mistral",
        "cohere",
        "xai",
        "fireworks",
        "perplexity",
        "openrouter",
        "deepseek",
        "cerebras",
    ] {
        let of_line = |default: &&DefaultPrice| default.provider_slug == slug;
        assert!(defaults().iter().any(|default| of_line(&default)), "{slug}");
    }
    for default in defaults().iter() {
        let what = format!("{} {}", default.provider_slug, default.model_pattern);
        assert!(default.source.starts_with("https://"), "{what}");
        assert!(default.as_of > "2026-01-01T00:00:00Z".parse().unwrap(), "{what}");
        let rates = default.rates;
        assert!(rates.input.units() > 0, "{what}: an unknown price is null, never 0");
        let is_embedding = what.contains("embed");
        assert_eq!(rates.output.units() == 0, is_embedding, "{what}");
        assert!(rates.cache_read.is_none_or(|rate| rate <= rates.input), "{what}");
        assert!(rates.cache_write.is_none_or(|rate| rate.units() > 0), "{what}");
        let claude = what.contains("claude");
        assert_eq!(default.cache_write_hour.is_some(), claude, "{what}");
        if let Some(hour) = default.cache_write_hour {
            assert_eq!(hour.units(), rates.input.units() * 2, "{what}: twice the input's");
        }
    }
    assert!(defaults().iter().count() < 700, "a few hundred rows");
}
