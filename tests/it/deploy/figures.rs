//! The figures that dashboards, alerts and documents name are those that the gateway has.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::json;

use super::tools::text;
use crate::support::{Reply, TwoRoutes};

/// What contract and README promise.
const PROMISED: [&str; 11] = [
    "attempts_total",
    "build_info",
    "cost_total",
    "denied_total",
    "in_flight",
    "ledger_backlog",
    "request_duration_seconds",
    "requests_total",
    "time_to_first_byte_seconds",
    "tokens_total",
    "upstream_state",
];

type Names = BTreeSet<String>;

/// The names of figures in a text; those of a histogram's parts are the histogram's.
fn named(text: &str) -> Names {
    let word = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    text.match_indices("turnpike_")
        .filter(|(at, _)| !text[..*at].ends_with(|before: char| before.is_ascii_alphanumeric()))
        .map(|(at, _)| text[at..].split(|letter| !word(letter)).next().unwrap())
        .map(|name| {
            let parts = ["_bucket", "_sum", "_count"];
            let whole = parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
            whole.trim_end_matches('_').to_owned()
        })
        .collect()
}

/// What a gateway shows that has had one of everything: a failover, a retry, a refusal, a cost.
async fn shown() -> Names {
    let scene = TwoRoutes::new().await;
    let price = json!({
        "model_pattern": "*", "input_cost_per_million_tokens": 1.0,
        "output_cost_per_million_tokens": 2.0,
    });
    scene.acme.admin.create("model-pricing", price).await;
    let patient = json!({"retry_on_429_count": 1});
    scene.acme.route("patient", &scene.first_provider, "gpt-4o", patient).await;
    scene.first.will(Reply::status(503));
    scene.key.chat("fast").await.has_status(200);
    scene.first.will(Reply::status(429));
    scene.key.chat("patient").await.has_status(200);
    scene.key.chat("there is no such model").await.has_status(404);
    let metrics = scene.gateway.metrics().await;
    let families = metrics.text().lines().filter_map(|line| line.strip_prefix("# TYPE "));
    families.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn whatever_is_named_exists_and_whatever_exists_is_explained() {
    let shown = shown().await;
    for promised in PROMISED {
        assert!(shown.contains(&format!("turnpike_{promised}")), "{promised} is not in {shown:?}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let guide = document("docs/operations.md");
    for (place, text) in [
        ("the dashboard", text("grafana/dashboards/turnpike.json")),
        ("the alerts", text("prometheus/alerts.yaml")),
        ("the alerts' tests", document("tests/deploy/alerts.yaml")),
        ("docs/operations.md", guide.clone()),
        ("docs/replicas.md", document("docs/replicas.md")),
        ("README.md", document("README.md")),
    ] {
        let names = named(&text);
        let unknown: Vec<_> = names.difference(&shown).collect();
        assert!(!names.is_empty() && unknown.is_empty(), "{place} names {unknown:?} of {names:?}");
    }
    let unexplained: Vec<_> = shown.difference(&named(&guide)).cloned().collect();
    assert!(unexplained.is_empty(), "docs/operations.md does not explain {unexplained:?}");
}
