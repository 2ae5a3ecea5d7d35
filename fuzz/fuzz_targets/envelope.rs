//! Any bytes as a request body: the head parser accepts what `serde_json` accepts and no more,
//! and a rewritten body is the same request with another model.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use serde_json::Value;
use turnpike::{
    domain::Endpoint,
    wire::{Changes, HeadError, read_head, rewrite},
};

const MODEL: &[u8] = b"\"upstream/model\"";

fuzz_target!(|body: &[u8]| {
    let head = read_head(body, Endpoint::Completions);
    let is_json = !matches!(&head, Err(HeadError { code: "invalid_json", .. }));
    let text = std::str::from_utf8(body).unwrap_or_default();
    let serde_accepts = text.trim_ascii_start().starts_with('{')
        && serde_json::from_str::<IgnoredAny>(text).is_ok();
    let too_deep = matches!(&head, Err(error) if error.message.contains("256 levels"));
    assert_eq!(is_json, serde_accepts && !too_deep);

    let Ok(head) = head else { return };
    assert_eq!(
        serde_json::from_slice::<String>(&body[head.model.clone()]).unwrap(),
        head.model_name
    );
    let body = Bytes::copy_from_slice(body);
    let sent = rewrite(
        &body,
        &head,
        Changes { model_json: Some(MODEL), ask_usage: true, output_limit: None },
    );
    let again = read_head(&sent, Endpoint::Completions).unwrap();
    assert_eq!(&sent[again.model.clone()], MODEL);
    assert!(again.asks_usage());
    assert_eq!(again.stream, head.stream);

    // `Value` refuses some of what may pass (lone surrogates, deep nesting): compare the rest.
    let (Ok(before), Ok(after)) =
        (serde_json::from_slice::<Value>(&body), serde_json::from_slice::<Value>(&sent))
    else {
        return;
    };
    let rest = |value: Value| {
        let Value::Object(mut members) = value else { panic!("not an object") };
        members.remove("model");
        let options = members.remove("stream_options").unwrap_or_default();
        let mut options = options.as_object().cloned().unwrap_or_default();
        options.remove("include_usage");
        (members, options)
    };
    assert_eq!(rest(before), rest(after));
});
