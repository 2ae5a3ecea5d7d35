use super::*;
use crate::provider::catalog;

/// A provider with these settings.
fn with(
    vendor: &str,
    base: &str,
    key: &str,
    settings: &[(&str, &str)],
) -> Result<Provider, ProviderError> {
    let vendor = catalog().vendor(vendor).unwrap();
    let base = BaseUrl::parse(base).unwrap();
    let root = vendor.root(&base.prefix).to_owned();
    Provider::new(ProviderParts {
        id: ProviderId::random(),
        name: "p".into(),
        vendor,
        catalog: &vendor.slug,
        base: base.with_prefix(&root),
        api_key: Some(Secret::new(key.to_owned())),
        auth: Auth::Headers,
        endpoints: vendor.endpoints.clone(),
        setting: &|name| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        },
    })
}

fn provider(vendor: &str, base: &str, key: &str) -> Result<Provider, ProviderError> {
    with(vendor, base, key, &[])
}

fn header<'a>(provider: &'a Provider, name: &str) -> Option<&'a HeaderValue> {
    provider.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value)
}

/// Where a request to `endpoint` goes.
fn target(provider: &Provider, endpoint: Endpoint, model: &str, stream: bool) -> String {
    let way = provider.way(endpoint, "m").expect("there is a way");
    let call = Upcall { endpoint, way, model, base_model: model, stream, query: None };
    provider.target(&call).unwrap().to_string()
}

const CHAT: Endpoint = Endpoint::ChatCompletions;
const MESSAGES: Endpoint = Endpoint::Messages;
const VERTEX: [(&str, &str); 2] = [("project_id", "p-1"), ("location", "europe-west1")];

#[test]
fn the_credential_travels_as_its_vendor_wants_it_and_is_never_printed() {
    for (vendor, name, value) in [
        ("openai", "authorization", "Bearer sk-1"),
        ("anthropic", "x-api-key", "sk-1"),
        ("azure_openai", "api-key", "sk-1"),
        ("google_ai", "x-goog-api-key", "sk-1"),
        ("bedrock", "authorization", "Bearer sk-1"),
    ] {
        let provider = provider(vendor, "https://host.example", "sk-1").unwrap();
        let sent = header(&provider, name).unwrap();
        assert_eq!(sent, value);
        assert!(!format!("{sent:?}").contains("sk-1"));
    }
}

#[test]
fn without_a_key_no_credential_travels() {
    let provider = provider("custom", "http://[::1]:8000", "").unwrap();
    assert_eq!(header(&provider, "authorization"), None);
    assert_eq!(header(&provider, "host").unwrap(), "[::1]:8000");
}

#[test]
fn paths_stand_below_the_base_url() {
    for base in ["https://host.example/proxy", "https://host.example/proxy/v1/"] {
        let provider = provider("openai", base, "sk").unwrap();
        assert_eq!(target(&provider, CHAT, "gpt-4o", false), "/proxy/v1/chat/completions");
        assert_eq!(
            provider.way(MESSAGES, "m"),
            Some(Way::Translate(ClientApi::Messages, VendorApi::Chat))
        );
        assert_eq!(target(&provider, MESSAGES, "gpt-4o", true), "/proxy/v1/chat/completions");
    }
}

#[test]
fn a_server_of_responses_alone_is_translated_into_them() {
    let vendor = catalog().vendor("custom").unwrap();
    let parts = ProviderParts {
        id: ProviderId::random(),
        name: "p".into(),
        vendor,
        catalog: &vendor.slug,
        base: BaseUrl::parse("https://host.example").unwrap(),
        api_key: None,
        auth: Auth::Headers,
        endpoints: vendor.endpoints_for(Some(&[Endpoint::Responses])),
        setting: &|_| None,
    };
    let provider = Provider::new(parts).unwrap();
    let way = Way::Translate(ClientApi::Chat, VendorApi::Responses);
    assert_eq!(provider.way(CHAT, "m"), Some(way));
    assert_eq!(target(&provider, CHAT, "m", false), "/v1/responses");
    assert_eq!(provider.way(Endpoint::Embeddings, "m"), None);
}

#[test]
fn azure_has_the_deployment_in_the_path_or_the_model_in_the_body() {
    for base in ["https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1/"] {
        let usual = provider("azure_openai", base, "k").unwrap();
        for (endpoint, path) in [
            (CHAT, "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21"),
            (
                Endpoint::Completions,
                "/openai/deployments/my%20gpt/completions?api-version=2024-10-21",
            ),
            (
                Endpoint::Embeddings,
                "/openai/deployments/my%20gpt/embeddings?api-version=2024-10-21",
            ),
            (Endpoint::Responses, "/openai/responses?api-version=2025-04-01-preview"),
        ] {
            assert_eq!(usual.way(endpoint, "m"), Some(Way::Pass), "{endpoint:?}");
            assert_eq!(target(&usual, endpoint, "my gpt", true), path);
        }
        let v1 = with("azure_openai", base, "k", &[("endpoint_mode", "v1")]).unwrap();
        for (endpoint, path) in [
            (CHAT, "/openai/v1/chat/completions"),
            (Endpoint::Completions, "/openai/v1/completions"),
            (Endpoint::Embeddings, "/openai/v1/embeddings"),
            (Endpoint::Responses, "/openai/v1/responses"),
        ] {
            assert_eq!(v1.way(endpoint, "m"), Some(Way::Pass), "{endpoint:?}");
            assert_eq!(target(&v1, endpoint, "gpt", false), path);
        }
        let dated = [("endpoint_mode", "deployment"), ("api_version", "2025-04-01-preview")];
        let dated = with("azure_openai", base, "k", &dated).unwrap();
        assert_eq!(
            target(&dated, MESSAGES, "gpt", false),
            "/openai/deployments/gpt/chat/completions?api-version=2025-04-01-preview"
        );
    }
}

#[test]
fn gemini_is_asked_by_method_and_its_streams_as_events() {
    for base in ["https://generativelanguage.googleapis.com", "https://h.example/g/v1beta/"] {
        let provider = provider("google_ai", base, "k").unwrap();
        let prefix = if base.contains("/g/") { "/g" } else { "" };
        for endpoint in [CHAT, MESSAGES, Endpoint::Responses, Endpoint::Completions] {
            let Some(Way::Translate(_, VendorApi::Gemini)) = provider.way(endpoint, "m") else {
                panic!("{:?}", provider.way(endpoint, "m"));
            };
            assert_eq!(
                target(&provider, endpoint, "gemini-3.5-flash", false),
                format!("{prefix}/v1beta/models/gemini-3.5-flash:generateContent")
            );
            assert_eq!(
                target(&provider, endpoint, "gemini-3.5-flash", true),
                format!("{prefix}/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse")
            );
        }
    }
}

#[test]
fn bedrock_is_asked_by_family() {
    let base = "https://bedrock-runtime.eu-west-1.amazonaws.com";
    let converse = provider("bedrock", base, "k").unwrap();
    assert_eq!(
        converse.way(MESSAGES, "m"),
        Some(Way::Translate(ClientApi::Messages, VendorApi::Converse))
    );
    let model = "us.amazon.nova-lite-v1:0";
    assert_eq!(target(&converse, CHAT, model, false), "/model/us.amazon.nova-lite-v1%3A0/converse");
    assert_eq!(
        target(&converse, CHAT, model, true),
        "/model/us.amazon.nova-lite-v1%3A0/converse-stream"
    );
    let claude = with("bedrock", base, "k", &[("model_api_family", "anthropic_messages")]).unwrap();
    assert_eq!(claude.way(MESSAGES, "m"), Some(Way::Rehost(Platform::Bedrock)));
    assert_eq!(claude.way(CHAT, "m"), Some(Way::Translate(ClientApi::Chat, VendorApi::Messages)));
    assert_eq!(claude.platform, Platform::Bedrock);
    let arn = "arn:aws:bedrock:eu-west-1:1:inference-profile/global.anthropic.claude-x";
    let segment =
        "arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fglobal.anthropic.claude-x";
    assert_eq!(target(&claude, MESSAGES, arn, false), format!("/model/{segment}/invoke"));
    assert_eq!(
        target(&claude, CHAT, arn, true),
        format!("/model/{segment}/invoke-with-response-stream")
    );
}

#[test]
fn vertex_is_asked_by_family_project_and_location() {
    for base in ["https://europe-west1-aiplatform.googleapis.com", "https://h.example/v1"] {
        let place = "/v1/projects/p-1/locations/europe-west1/publishers";
        let gemini = with("vertex", base, "", &VERTEX).unwrap();
        assert_eq!(gemini.way(CHAT, "m"), Some(Way::Translate(ClientApi::Chat, VendorApi::Gemini)));
        assert_eq!(gemini.platform, Platform::Vertex);
        assert_eq!(
            target(&gemini, CHAT, "gemini-3.5-flash", false),
            format!("{place}/google/models/gemini-3.5-flash:generateContent")
        );
        assert_eq!(
            target(&gemini, CHAT, "gemini-3.5-flash", true),
            format!("{place}/google/models/gemini-3.5-flash:streamGenerateContent?alt=sse")
        );
        let settings = [VERTEX[0], VERTEX[1], ("model_api_family", "anthropic_messages")];
        let claude = with("vertex", base, "", &settings).unwrap();
        assert_eq!(claude.way(MESSAGES, "m"), Some(Way::Rehost(Platform::Vertex)));
        assert_eq!(
            target(&claude, MESSAGES, "claude-sonnet-4-5@20250929", false),
            format!("{place}/anthropic/models/claude-sonnet-4-5@20250929:rawPredict")
        );
        assert_eq!(
            target(&claude, Endpoint::Responses, "claude-sonnet-4-5@20250929", true),
            format!("{place}/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict")
        );
    }
    let usual = with("vertex", "https://h.example", "", &VERTEX[..1]).unwrap();
    assert!(target(&usual, CHAT, "m", false).contains("/locations/us-central1/"));
    let nowhere = provider("vertex", "https://h.example", "").map(|_| ());
    assert_eq!(nowhere, Err(ProviderError::Setting));
}

#[test]
fn messages_for_openais_models_that_think_are_asked_of_responses() {
    let newer = ModelFacts { lacks_tools_in_chat: true, ..ModelFacts::default() };
    for (vendor, prefers) in [("openai", true), ("azure_openai", true), ("groq", false)] {
        let provider = provider(vendor, "https://h.example", "k").unwrap();
        assert_eq!(provider.prefers_responses(&newer), prefers, "{vendor}");
        assert!(!provider.prefers_responses(&ModelFacts::default()));
    }
    let openai = provider("openai", "https://h.example", "k").unwrap();
    let way = Way::Translate(ClientApi::Messages, VendorApi::Responses);
    let call =
        Upcall { endpoint: MESSAGES, way, model: "m", base_model: "m", stream: true, query: None };
    assert_eq!(openai.target(&call).unwrap(), "/v1/responses");
}

#[test]
fn a_clients_query_goes_on_with_its_own_bytes_alone() {
    let query = Some("beta=true");
    let anthropic = provider("anthropic", "https://h.example", "k").unwrap();
    let (model, way) = ("m", Way::Pass);
    let call = Upcall { endpoint: MESSAGES, way, model, base_model: model, stream: false, query };
    assert_eq!(anthropic.target(&call).unwrap(), "/v1/messages?beta=true");
    let google = provider("google_ai", "https://h.example", "k").unwrap();
    let way = google.way(MESSAGES, "m").unwrap();
    let asked = google.target(&Upcall { way, ..call }).unwrap();
    assert_eq!(asked, "/v1beta/models/m:generateContent");
}

#[test]
fn a_callers_own_token_is_for_messages_alone() {
    let vendor = catalog().vendor("anthropic").unwrap();
    let parts = ProviderParts {
        id: ProviderId::random(),
        name: "p".into(),
        vendor,
        catalog: &vendor.slug,
        base: BaseUrl::parse("https://api.anthropic.com").unwrap(),
        api_key: None,
        auth: Auth::Caller,
        endpoints: vec![MESSAGES, Endpoint::CountTokens],
        setting: &|_| None,
    };
    let provider = Provider::new(parts).unwrap();
    assert_eq!(provider.way(MESSAGES, "m"), Some(Way::Pass));
    assert_eq!(provider.way(Endpoint::CountTokens, "m"), Some(Way::Pass));
    for endpoint in [CHAT, Endpoint::Completions, Endpoint::Responses, Endpoint::Embeddings] {
        assert_eq!(provider.way(endpoint, "m"), None, "{endpoint:?}");
    }
}

#[test]
fn a_key_that_no_header_can_carry_is_refused() {
    let refused = provider("openai", "https://host.example", "sk\n1").map(|_| ());
    assert_eq!(refused, Err(ProviderError::KeyCharacters));
}

#[test]
fn providers_at_one_address_do_not_share_connections() {
    let one = provider("openai", "https://host.example", "sk").unwrap();
    let two = provider("openai", "https://host.example", "sk").unwrap();
    assert_ne!(one.group_key, two.group_key);
}

#[test]
fn bedrock_counts_for_the_model_that_a_profile_stands_for() {
    let settings = [("region", "eu-west-1"), ("model_api_family", "bedrock_converse")];
    let bedrock = with("bedrock", "https://h.example", "k", &settings).unwrap();
    let model = "eu.anthropic.claude-sonnet-4-6";
    let base_model = bedrock.vendor.base_model(model);
    let endpoint = Endpoint::CountTokens;
    let way = bedrock.way(endpoint, base_model).unwrap();
    let call = Upcall { endpoint, way, model, base_model, stream: false, query: None };
    let counted = bedrock.target(&call).unwrap();
    assert_eq!(counted, "/model/anthropic.claude-sonnet-4-6/count-tokens");
    let said =
        Upcall { endpoint: MESSAGES, way: bedrock.way(MESSAGES, base_model).unwrap(), ..call };
    let said = bedrock.target(&said).unwrap();
    assert_eq!(said, "/model/eu.anthropic.claude-sonnet-4-6/converse");
}

#[test]
fn an_api_version_before_responses_leaves_them_to_translation() {
    let responses = |version: &[(&str, &str)]| {
        let azure = with("azure_openai", "https://h.example", "k", version).unwrap();
        let newer = ModelFacts { lacks_tools_in_chat: true, ..ModelFacts::default() };
        (azure.way(Endpoint::Responses, "m"), azure.prefers_responses(&newer))
    };
    let translated = Some(Way::Translate(ClientApi::Responses, VendorApi::Chat));
    for (version, way) in [
        ("2024-10-21", translated),
        ("2025-02-01-preview", translated),
        ("2025-03-01-preview", Some(Way::Pass)),
        ("preview", Some(Way::Pass)),
    ] {
        let found = responses(&[("api_version", version)]);
        assert_eq!(found, (way, way == Some(Way::Pass)), "{version}");
    }
    assert_eq!(responses(&[]).0, Some(Way::Pass));
    let v1 = [("endpoint_mode", "v1"), ("api_version", "2024-10-21")];
    assert_eq!(responses(&v1).0, Some(Way::Pass), "its path has no version");
}
