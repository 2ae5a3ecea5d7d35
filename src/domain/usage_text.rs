//! A usage record's text: what it leaves out, and putting it in again.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::de::{Deserializer as _, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::money::CURRENCY;

/// Members that a record's text leaves out where they say nothing, and what they then are, unless other members
/// say it: see [`implied`].
const LEFT_OUT: [(&str, &str); 31] = [
    ("org_id", "null"),
    ("api_key_id", "null"),
    ("user_id", "null"),
    ("group_names", "[]"),
    ("endpoint", "null"),
    ("requested_model", "null"),
    ("alias", "null"),
    ("smart_model", "null"),
    ("provider_id", "null"),
    ("provider_name", "null"),
    ("upstream_model", "null"),
    ("used_model", "null"),
    ("error_type", "null"),
    ("denied_by", "null"),
    ("throttled_by", "null"),
    ("stream", "false"),
    ("cache_read_tokens", "0"),
    ("cache_write_tokens", "0"),
    ("reasoning_tokens", "0"),
    ("usage_source", "null"),
    ("cost_input", "null"),
    ("cost_output", "null"),
    ("cost_total", "null"),
    ("currency", "null"),
    ("pricing_rule_id", "null"),
    ("pricing_source", "null"),
    ("ttfb_ms", "null"),
    ("attempts", "[]"),
    ("retry_count", "0"),
    ("retry_sleep_ms", "0"),
    ("client", "null"),
];

/// The text of a [`super::UsageRecord`] with every member, as clients of the API see it. Those that it
/// left out come last.
///
/// # Errors
/// When the text is no JSON object.
pub fn whole_record(mut text: String) -> serde_json::Result<String> {
    let mut parser = serde_json::Deserializer::from_str(&text);
    let there = parser.deserialize_map(Members)?;
    parser.end()?;
    let missing = LEFT_OUT.into_iter().filter(|(name, _)| !there.contains_key(*name));
    let missing: Vec<_> = missing
        .map(|(name, nothing)| (name, implied(name, &there).unwrap_or(nothing.into())))
        .collect();
    let empty = there.is_empty();
    drop(there);
    let Some(end) = text.rfind('}') else { return Err(Error::custom("no object")) };
    text.truncate(end);
    for (at, (name, value)) in missing.iter().enumerate() {
        let separator = if empty && at == 0 { "" } else { "," };
        text.extend([separator, "\"", name, "\":", value]);
    }
    text.push('}');
    Ok(text)
}

type There<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

/// What a member that was left out is where other members say it; none where it says nothing.
fn implied(name: &str, there: &There<'_>) -> Option<Cow<'static, str>> {
    let of = |name| there.get(name).map(|value| value.get()).filter(|text| *text != "null");
    match name {
        // See `UsageRecord::implies_an_attempt`.
        "attempts" if of("error_type").is_none() => {
            let (provider, model) = (of("provider_name")?, of("upstream_model")?);
            let status = of("status")?;
            let attempt = format!(
                r#"[{{"provider":{provider},"upstream_model":{model},"status":{status},"error_type":"ok","message":"","retries":0}}]"#
            );
            Some(attempt.into())
        }
        "currency" => of("cost_total").map(|_| format!("\"{CURRENCY}\"").into()),
        _ => None,
    }
}

/// An object's members.
struct Members;

impl<'a> Visitor<'a> for Members {
    type Value = There<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a usage record")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut members: M) -> Result<Self::Value, M::Error> {
        let mut all = HashMap::new();
        while let Some((name, value)) = members.next_entry()? {
            all.insert(name, value);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use utoipa::PartialSchema as _;

    use super::*;
    use crate::domain::{Attempt, Money, UsageRecord, testing::usage_record};

    /// A record of which every member says something.
    fn full() -> UsageRecord<'static> {
        serde_json::from_value(json!({
            "id": "11111111-1111-4111-8111-111111111111",
            "ts": "2026-01-02T03:04:05.678Z",
            "org_id": "11111111-1111-4111-8111-111111111112",
            "api_key_id": "11111111-1111-4111-8111-111111111113",
            "user_id": "11111111-1111-4111-8111-111111111114",
            "group_names": ["a"],
            "endpoint": "messages",
            "requested_model": "m",
            "alias": "m",
            "smart_model": "s",
            "provider_id": "11111111-1111-4111-8111-111111111115",
            "provider_name": "p",
            "upstream_model": "u",
            "used_model": "u-1",
            "status": 200,
            "error_type": "e",
            "denied_by": "d",
            "throttled_by": "t",
            "stream": true,
            "input_tokens": 1,
            "output_tokens": 2,
            "cache_read_tokens": 3,
            "cache_write_tokens": 4,
            "reasoning_tokens": 5,
            "usage_source": "reported",
            "cost_input": 0.1,
            "cost_output": 0.2,
            "cost_total": 0.3,
            "currency": "EUR",
            "pricing_rule_id": "11111111-1111-4111-8111-111111111116",
            "pricing_source": "barndoor_default",
            "latency_ms": 6,
            "ttfb_ms": 7,
            "attempts": [{"provider": "p", "upstream_model": "u", "status": 200,
                "error_type": "ok", "message": "", "retries": 1}],
            "retry_count": 8,
            "retry_sleep_ms": 9,
            "request_id": "r",
            "client": "c"
        }))
        .unwrap()
    }

    /// A record that names a route.
    fn on_a_route() -> UsageRecord<'static> {
        UsageRecord {
            provider_name: Some("a \"p\"".into()),
            upstream_model: Some("u".into()),
            ..usage_record()
        }
    }

    /// The attempt that the record of [`on_a_route`] tells of.
    fn an_attempt() -> Attempt {
        Attempt {
            provider: "a \"p\"".into(),
            upstream_model: "u".into(),
            status: Some(200),
            error_type: "ok".into(),
            message: String::new(),
            retries: 0,
        }
    }

    fn written(record: &UsageRecord<'_>) -> String {
        let mut text = Vec::new();
        record.write(&mut text);
        String::from_utf8(text).unwrap()
    }

    fn names(text: &str) -> Vec<String> {
        let Value::Object(members) = serde_json::from_str(text).unwrap() else { panic!("{text}") };
        let mut names: Vec<_> = members.into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    }

    #[test]
    fn a_record_that_says_little_is_short_and_whole_again_for_clients() {
        let schema = serde_json::to_value(UsageRecord::schema()).unwrap();
        let every = names(&schema["properties"].to_string());
        let short = written(&usage_record());
        let whole = whole_record(short.clone()).unwrap();
        assert_eq!(names(&whole), every);
        assert_eq!(names(&short).len() + LEFT_OUT.len(), every.len());
        let value: Value = serde_json::from_str(&whole).unwrap();
        assert_eq!(value["user_id"], Value::Null);
        assert_eq!(value["group_names"], json!([]));
        assert_eq!(value["stream"], json!(false));
        assert_eq!(value["cache_read_tokens"], json!(0));
        for text in [&short, &whole] {
            assert_eq!(serde_json::from_str::<UsageRecord<'_>>(text).unwrap(), usage_record());
        }
    }

    #[test]
    fn a_record_that_says_everything_stays_as_it_is() {
        let text = written(&full());
        assert_eq!(names(&text).len(), LEFT_OUT.len() + names(&written(&usage_record())).len());
        assert_eq!(whole_record(text.clone()).unwrap(), text);
        assert_eq!(serde_json::from_str::<UsageRecord<'_>>(&text).unwrap(), full());
    }

    #[test]
    fn an_attempt_of_which_the_record_says_all_is_not_written_and_there_for_clients() {
        let well = UsageRecord { attempts: vec![an_attempt()].into(), ..on_a_route() };
        let text = written(&well);
        assert!(!text.contains("attempts"), "{text}");
        let whole = whole_record(text).unwrap();
        assert_eq!(serde_json::from_str::<UsageRecord<'_>>(&whole).unwrap(), well);
    }

    #[test]
    fn attempts_that_say_more_than_the_record_are_written_and_so_are_none_on_a_route() {
        let attempts = [
            vec![],
            vec![an_attempt(), an_attempt()],
            vec![Attempt { provider: "q".into(), ..an_attempt() }],
            vec![Attempt { upstream_model: "v".into(), ..an_attempt() }],
            vec![Attempt { status: Some(201), ..an_attempt() }],
            vec![Attempt { status: None, ..an_attempt() }],
            vec![Attempt { error_type: "client_gone".into(), ..an_attempt() }],
            vec![Attempt { message: "m".into(), ..an_attempt() }],
            vec![Attempt { retries: 1, ..an_attempt() }],
        ];
        for attempts in attempts {
            let record = UsageRecord { attempts: attempts.into(), ..on_a_route() };
            let text = written(&record);
            assert!(text.contains("attempts"), "{text}");
            let whole = whole_record(text).unwrap();
            assert_eq!(serde_json::from_str::<UsageRecord<'_>>(&whole).unwrap(), record);
        }
    }

    #[test]
    fn a_failed_request_has_the_attempts_that_are_written_and_no_other() {
        for attempts in [vec![], vec![an_attempt()]] {
            let error_type = Some("stream_error".into());
            let record = UsageRecord { attempts: attempts.into(), error_type, ..on_a_route() };
            let text = written(&record);
            assert_eq!(text.contains("attempts"), !record.attempts.is_empty(), "{text}");
            let whole = whole_record(text).unwrap();
            assert_eq!(serde_json::from_str::<UsageRecord<'_>>(&whole).unwrap(), record);
        }
    }

    #[test]
    fn the_currency_of_a_cost_is_not_written_unless_it_is_another() {
        let cost = |currency: Option<&'static str>| UsageRecord {
            cost_total: Some(Money(1)),
            currency: currency.map(Into::into),
            ..usage_record()
        };
        for (currency, is_written) in [(Some("USD"), false), (Some("EUR"), true), (None, true)] {
            let text = written(&cost(currency));
            assert_eq!(text.contains("currency"), is_written, "{text}");
            let whole = whole_record(text).unwrap();
            assert_eq!(serde_json::from_str::<UsageRecord<'_>>(&whole).unwrap(), cost(currency));
        }
    }

    #[test]
    fn what_another_version_wrote_keeps_its_members_and_gets_the_others() {
        let text = r#"{"status":200,"novel":[{"user_id":1}],"cl\u0069ent":"x"} "#;
        let value: Value = serde_json::from_str(&whole_record(text.into()).unwrap()).unwrap();
        assert_eq!(value["novel"], json!([{"user_id": 1}]));
        assert_eq!((&value["client"], &value["user_id"]), (&json!("x"), &Value::Null));
        assert_eq!(names(&whole_record("{}".into()).unwrap()).len(), LEFT_OUT.len());
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        for text in ["", "[]", "{", "{}x", "null", "{\"a\":}"] {
            assert!(whole_record(text.into()).is_err(), "{text}");
        }
    }
}
