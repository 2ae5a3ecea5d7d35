//! After the first byte nothing is tried again: a stream that breaks says so in the client's dialect.

use super::{
    client::Client,
    vendor::{Kind, Vendor},
};
use crate::support::{Ending, Gateway, Reply};

/// Pieces of the vendor's stream after which some text, but not all, has been said.
const fn in_the_middle(kind: Kind) -> usize {
    match kind {
        Kind::Bedrock => 3,
        Kind::OpenAi | Kind::Anthropic => 4,
        Kind::Gemini => 2,
    }
}

#[tokio::test]
async fn a_vendors_stream_cut_in_the_middle_ends_in_an_error_of_the_clients_dialect() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendors = Vendor::of_each_kind(&acme).await;
    let spare = Vendor::named(&acme, Kind::OpenAi, "spare", "gpt-4o").await;
    let key = acme.key().await;
    for vendor in &vendors {
        let (kind, pieces) = (vendor.kind, in_the_middle(vendor.kind));
        acme.alias(kind.name(), &[vendor.route(), spare.route()]).await;
        for client in Client::ALL {
            for (ending, reply) in [
                ("cut", Reply::answers().cut_after(pieces)),
                ("ended", Reply::answers().ends_after(pieces)),
            ] {
                vendor.mock.will(reply);
                let before = vendor.mock.saw().len();
                let id = format!("{}-{client:?}-{ending}", kind.name());
                let answer = client.asks(&key, kind.name(), true, &id).await.has_status(200);
                assert_eq!(answer.ending, Ending::Complete, "{id}: {}", answer.text());
                assert!(answer.text().contains("Hel"), "{id}: {}", answer.text());
                client.is_told_of_the_break(&answer);
                let lost = "before an answer came";
                assert!(!answer.text().contains(lost), "{id}: one had begun: {}", answer.text());
                assert_eq!(vendor.mock.saw().len(), before + 1, "{id}: once");
                let record = acme.record_of(&id).await;
                assert!(record["error_type"].is_string(), "{id}: {record}");
                assert_eq!(record["attempts"].as_array().map(Vec::len), Some(1), "{id}: {record}");
                assert_ne!(record["attempts"][0]["error_type"], "", "{id}: {record}");
                assert_eq!(record["usage_source"], "estimated", "{id}: {record}");
                assert!(record["input_tokens"].as_u64() > Some(0), "{id}: {record}");
                assert!(record["output_tokens"].as_u64() > Some(0), "{id}: {record}");
            }
        }
    }
    spare.mock.saw_nothing();
}

#[tokio::test]
async fn a_vendors_whole_answer_that_is_cut_fails_over_since_nothing_has_gone_out() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendors = Vendor::of_each_kind(&acme).await;
    let spare = Vendor::named(&acme, Kind::OpenAi, "spare", "gpt-4o").await;
    let key = acme.key().await;
    for vendor in vendors.iter().filter(|vendor| vendor.kind != Kind::OpenAi) {
        acme.alias(vendor.kind.name(), &[vendor.route(), spare.route()]).await;
        vendor.mock.will(Reply::answers().split_at(40).cut_after(1));
        let answer = Client::Chat.asks(&key, vendor.kind.name(), false, "half").await;
        assert_eq!(answer.status, 200, "{}", answer.tell());
        assert_eq!(answer.json()["metadata"]["used_provider"], "spare");
    }
}
