//! Pictures and documents for Claude.

use serde_json::json;

use super::{asking, building::part, write_for, written};
use crate::{
    domain::ModelFacts,
    translate::{
        Platform,
        form::{CacheMark, Media, Part, PartKind, Source},
        messages::inlines,
    },
};

#[test]
fn media_are_told_as_the_platform_takes_them() {
    let media = |mime: Option<&'static str>, source| Media {
        mime: mime.map(Into::into),
        ..Media::at(source)
    };
    let told = |kind, platform| {
        let mut request = asking("x");
        request.turns[0].parts.push(part(kind));
        write_for(&request, ModelFacts::default(), platform)
            .map(|body| body["messages"][0]["content"][1]["source"].clone())
    };
    let base64 = |data: &'static str| Source::Base64(data.into());
    let url = || Source::Url("https://x.example/a".into());
    let file = || Source::File("file_1".into());
    for (kind, source) in [
        (
            PartKind::Image(media(Some("image/jpg"), base64("AAAA"))),
            json!({"type":"base64","media_type":"image/jpeg","data":"AAAA"}),
        ),
        (
            PartKind::Image(media(Some("image/jpeg"), base64("iVBORw0KGgo="))),
            json!({"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}),
        ),
        (
            PartKind::Document(media(None, base64("JVBERi0="))),
            json!({"type":"base64","media_type":"application/pdf","data":"JVBERi0="}),
        ),
        (
            PartKind::Document(media(Some("text/csv"), base64("YSxi"))),
            json!({"type":"text","media_type":"text/plain","data":"a,b"}),
        ),
        (
            PartKind::Document(media(None, Source::Text("t".into()))),
            json!({"type":"text","media_type":"text/plain","data":"t"}),
        ),
    ] {
        for platform in [Platform::Own, Platform::Bedrock, Platform::Vertex] {
            assert_eq!(told(kind.clone(), platform).unwrap(), source);
        }
    }
    let there = [
        (PartKind::Image(media(None, url())), json!({"type":"url","url":"https://x.example/a"})),
        (PartKind::Document(media(None, url())), json!({"type":"url","url":"https://x.example/a"})),
        (PartKind::Image(media(None, file())), json!({"type":"file","file_id":"file_1"})),
        (PartKind::Document(media(None, file())), json!({"type":"file","file_id":"file_1"})),
    ];
    for (kind, source) in there {
        assert_eq!(told(kind.clone(), Platform::Own).unwrap(), source);
        let is_url = source["type"] == "url";
        assert!(!inlines(Platform::Own, &kind));
        for platform in [Platform::Bedrock, Platform::Vertex] {
            assert_eq!(inlines(platform, &kind), is_url);
            let refusal = told(kind.clone(), platform).unwrap_err();
            assert_eq!(refusal.param.as_deref(), Some("messages[1].content[0]"));
        }
    }
    for kind in [
        PartKind::Image(media(Some("image/tiff"), base64("AAAA"))),
        PartKind::Document(media(Some("application/msword"), base64("AAAA"))),
        PartKind::Document(media(Some("text/plain"), base64("/w=="))),
    ] {
        assert_eq!(told(kind, Platform::Own).unwrap_err().code, "unsupported_parameter");
    }
}

#[test]
fn a_document_keeps_what_was_said_of_it() {
    let mut request = asking("x");
    let media = Media {
        name: Some("T".into()),
        context: Some("C".into()),
        citations: true,
        ..Media::at(Source::Text("t".into()))
    };
    request.turns[0]
        .parts
        .push(Part { cache: Some(CacheMark::Short), ..part(PartKind::Document(media)) });
    assert_eq!(
        written(&request)["messages"][0]["content"][1],
        json!({"type":"document","source":{"type":"text","media_type":"text/plain","data":"t"},"title":"T","context":"C",
            "citations":{"enabled":true},"cache_control":{"type":"ephemeral"}})
    );
}
