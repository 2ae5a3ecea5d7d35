//! A policy that can never match is kept, and whoever makes it is told.

use serde_json::json;

use crate::support::Gateway;

#[tokio::test]
async fn the_answer_for_a_policy_that_never_matches_warns() {
    let gateway = Gateway::start().await;
    let acme = gateway.admin("acme");
    let bodies = [
        ("rate-limits", json!({"name": "n", "requests_per_minute": 1})),
        ("budgets", json!({"name": "n", "period": "daily", "token_limit": 1})),
        (
            "model-access",
            json!({"name": "n", "policy_type": "denylist",
            "targets": [{"kind": "model", "model": "m"}]}),
        ),
    ];
    for (kind, body) in bodies {
        for (scope, traffic, named) in [
            ("project", "all", Some("scope_type 'project'")),
            ("agent", "all", Some("scope_type 'agent'")),
            ("mcp_server", "llm", Some("scope_type 'mcp_server'")),
            ("user", "mcp", Some("traffic_type 'mcp'")),
            ("team", "llm", None),
            ("group", "all", None),
        ] {
            let mut body = body.clone();
            body["scope_type"] = json!(scope);
            body["traffic_type"] = json!(traffic);
            let answer = acme.post(&format!("/admin/{kind}"), body).await.has_status(200);
            assert_eq!(answer.json()["scope_type"], scope, "it is stored as it was sent");
            let path = format!("/admin/{kind}/{}", answer.json()["id"].as_str().unwrap());
            let again = acme.put(&path, json!({"name": "other"})).await.has_status(200);
            for answer in [answer, again] {
                let warning = answer.header("warning");
                let expected = named.map(|named| format!("299 - \"{named} never matches here\""));
                assert_eq!(warning.map(str::to_owned), expected, "{kind} {scope} {traffic}");
            }
        }
    }
}

#[tokio::test]
async fn the_answer_for_a_policy_on_a_provider_that_the_organization_has_not_warns() {
    let gateway = Gateway::start().await;
    let (acme, globex) = (gateway.org("acme"), gateway.org("globex"));
    let own = acme.provider("openai").await;
    let others = globex.provider("openai").await;
    let nobodys = "00000000-0000-4000-8000-000000000000";
    for (provider, warns) in [(own.id.as_str(), false), (others.id.as_str(), true), (nobodys, true)]
    {
        let budget = json!({"name": "n", "scope_type": "org", "period": "daily", "token_limit": 1,
            "target_provider_id": provider});
        let of = |target| {
            json!({"name": "n", "scope_type": "org", "policy_type": "denylist",
                "targets": [{"kind": "model", "model": "m"}, target]})
        };
        let whole = of(json!({"kind": "provider", "provider_id": provider}));
        let part = of(json!({"kind": "provider_model", "provider_id": provider, "model": "m"}));
        let missing = "a provider that this organization has not";
        for (kind, body, named) in [
            (
                "budgets",
                budget,
                "target_provider_id is no provider of this organization".to_owned(),
            ),
            ("model-access", whole, format!("targets name {missing}")),
            ("model-access", part, format!("targets name {missing}")),
        ] {
            let answer = acme.post(&format!("/admin/{kind}"), body).await.has_status(200);
            let path = format!("/admin/{kind}/{}", answer.json()["id"].as_str().unwrap());
            let again = acme.put(&path, json!({"name": "other"})).await.has_status(200);
            for answer in [answer, again] {
                let expected = warns.then(|| format!("299 - \"{named}: it never matches here\""));
                let warning = answer.header("warning").map(str::to_owned);
                assert_eq!(warning, expected, "{kind} {provider}");
            }
            acme.delete(&path).await.has_status(200);
        }
    }
}
