use std::collections::HashSet;

use super::*;
use crate::{
    domain::Endpoint,
    provider::{AuthScheme, Transport},
};

fn vendor(slug: &str) -> &'static Vendor {
    catalog().vendor(slug).unwrap_or_else(|| panic!("no row for {slug}"))
}

#[test]
fn the_file_parses_and_has_every_vendor_of_the_contract() {
    Catalog::parse(include_str!("../../../conf/providers.toml"))
        .expect("conf/providers.toml parses");
    let slugs = "openai anthropic groq together mistral cohere xai fireworks perplexity openrouter deepseek cerebras custom sandbox azure_openai google_ai bedrock vertex";
    for slug in slugs.split(' ') {
        vendor(slug);
    }
}

#[test]
fn an_unknown_field_is_refused() {
    let row =
        "[[vendor]]\nslug='a'\nname='A'\nendpoints=[]\nstream_usage_option=false\nmodels=[]\n";
    Catalog::parse(row).expect("a minimal row");
    let fault = Catalog::parse(&format!("{row}base='x'\n")).expect_err("unknown field");
    assert!(fault.to_string().contains("unknown field `base`"), "{fault}");
}

#[test]
fn slugs_are_unique_and_rows_are_complete() {
    let mut seen = HashSet::new();
    for row in catalog().vendors() {
        assert!(seen.insert(&row.slug), "{} is there twice", row.slug);
        assert!(
            row.endpoints.iter().collect::<HashSet<_>>().len() == row.endpoints.len(),
            "{}",
            row.slug
        );
        assert!(
            row.models.iter().collect::<HashSet<_>>().len() == row.models.len(),
            "{}",
            row.slug
        );
        assert!(row.base_url.is_none() || !row.models.is_empty(), "{} has no models", row.slug);
        for header in &row.forward_headers {
            assert_eq!(*header, header.to_lowercase(), "{}", row.slug);
        }
        for (endpoint, path) in &row.paths {
            assert!(
                row.endpoints.contains(endpoint),
                "{}: a path for {endpoint:?}, which it does not speak",
                row.slug
            );
            assert!(path.starts_with('/'), "{}: {path}", row.slug);
        }
    }
}

#[test]
fn every_vendor_on_the_network_is_reached_by_https() {
    for row in catalog().vendors() {
        let Some(base) = &row.base_url else { continue };
        let url = url::Url::parse(base).expect("a base URL");
        let scheme = if row.transport == Transport::InProcess { "http" } else { "https" };
        assert_eq!(url.scheme(), scheme, "{}", row.slug);
        assert!(
            !base.ends_with('/') && !base.ends_with("/v1"),
            "{}: {base} is not a root",
            row.slug
        );
    }
}

#[test]
fn only_the_sandbox_and_custom_servers_do_without_a_key() {
    let without: Vec<_> =
        catalog().vendors().filter(|row| row.key_optional).map(|row| row.slug.as_str()).collect();
    assert_eq!(without, ["custom", "sandbox"]);
}

#[test]
fn a_base_url_with_and_without_its_version_reaches_the_same_place() {
    for row in catalog().vendors() {
        let base = row.base_url.as_deref().unwrap_or("https://models.example.com/llm");
        for endpoint in &row.endpoints {
            let url = row.url(base, *endpoint);
            for spelling in ["/", "/v1", "/v1/"] {
                assert_eq!(row.url(&format!("{base}{spelling}"), *endpoint), url, "{}", row.slug);
            }
        }
    }
}

#[test]
fn the_documented_addresses_come_out() {
    let at = |slug: &str, endpoint| {
        vendor(slug).url(vendor(slug).base_url.as_deref().expect("base URL"), endpoint)
    };
    let chat = Endpoint::ChatCompletions;
    assert_eq!(at("openai", chat), "https://api.openai.com/v1/chat/completions");
    assert_eq!(at("groq", chat), "https://api.groq.com/openai/v1/chat/completions");
    assert_eq!(at("cohere", chat), "https://api.cohere.ai/compatibility/v1/chat/completions");
    assert_eq!(at("fireworks", chat), "https://api.fireworks.ai/inference/v1/chat/completions");
    assert_eq!(at("openrouter", chat), "https://openrouter.ai/api/v1/chat/completions");
    assert_eq!(at("perplexity", chat), "https://api.perplexity.ai/chat/completions");
    assert_eq!(at("perplexity", Endpoint::Responses), "https://api.perplexity.ai/v1/responses");
    assert_eq!(at("deepseek", chat), "https://api.deepseek.com/chat/completions");
    assert_eq!(
        at("deepseek", Endpoint::Messages),
        "https://api.deepseek.com/anthropic/v1/messages"
    );
    assert_eq!(
        at("anthropic", Endpoint::CountTokens),
        "https://api.anthropic.com/v1/messages/count_tokens"
    );
}

#[test]
fn a_version_is_only_removed_as_a_whole_path_segment() {
    assert_eq!(vendor("custom").root("https://host/beta-v1"), "https://host/beta-v1");
    assert_eq!(vendor("custom").root("https://host/v10"), "https://host/v10");
}

#[test]
fn a_custom_provider_speaks_responses_only_where_its_dialects_say_so() {
    let custom = vendor("custom");
    assert!(!custom.endpoints_for(None).contains(&Endpoint::Responses));
    let chosen = custom.endpoints_for(Some(&[Endpoint::Responses, Endpoint::Messages]));
    assert_eq!(chosen, [Endpoint::Models, Endpoint::Responses]);
}

#[test]
fn vendor_headers_are_forwarded_by_name_or_prefix() {
    assert!(vendor("openai").forwards("openai-project"));
    assert!(!vendor("openai").forwards("openai-project-x"));
    assert!(vendor("anthropic").forwards("anthropic-beta"));
    assert!(!vendor("anthropic").forwards("x-api-key"));
    assert_eq!(vendor("anthropic").auth, AuthScheme::XApiKey);
    assert_eq!(
        vendor("anthropic").default_headers,
        [(
            http::HeaderName::from_static("anthropic-version"),
            http::HeaderValue::from_static("2023-06-01")
        )]
    );
}

#[test]
fn quirks_name_what_the_api_has() {
    use crate::translate::form::Effort;

    // What `lacks` is asked for when a request is written.
    let known = "name user service_tier prompt_cache_key seed verbosity logprobs logit_bias top_k stop tools tool_choice parallel_tool_calls frequency_penalty presence_penalty image_url input_audio reasoning_details";
    let passed = "metadata store prediction";
    for row in catalog().vendors() {
        for word in &row.quirks.efforts {
            assert!(Effort::named(word).is_some(), "{}: no effort {word}", row.slug);
        }
        for name in &row.quirks.lacks {
            let found = known.split(' ').chain(passed.split(' ')).any(|one| one == name);
            assert!(found, "{}: nobody asks whether it lacks {name}", row.slug);
        }
        assert_eq!(row.quirks.stream_usage, row.stream_usage_option, "{}", row.slug);
    }
}

#[test]
fn vendors_of_claude_alone_refuse_thinking_that_nobody_signed() {
    let rows = catalog().vendors();
    let signed: Vec<_> =
        rows.filter(|row| row.quirks.signed_thinking).map(|row| &*row.slug).collect();
    assert_eq!(signed, ["anthropic", "openrouter", "bedrock", "vertex"]);
}
