//! What the store reads of a usage record: where it belongs, what it is found by, what is summed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{StoreError, usage_facts_read::in_order};
use crate::domain::{KeyId, Money, OrgId, ProviderId, RecordId, Timestamp, UserId};

/// A part of a [`crate::domain::UsageRecord`], borrowed from its text.
#[derive(Debug, Deserialize)]
pub(super) struct Facts<'a> {
    pub(super) id: RecordId,
    pub(super) ts: Timestamp,
    pub(super) org_id: Option<OrgId>,
    pub(super) api_key_id: Option<KeyId>,
    pub(super) user_id: Option<UserId>,
    #[serde(borrow)]
    pub(super) group_names: Option<&'a RawValue>,
    pub(super) provider_id: Option<ProviderId>,
    #[serde(borrow)]
    pub(super) provider_name: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) upstream_model: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) alias: Option<Name<'a>>,
    #[serde(borrow)]
    pub(super) smart_model: Option<Name<'a>>,
    pub(super) status: u16,
    #[serde(default)]
    pub(super) input_tokens: u64,
    #[serde(default)]
    pub(super) output_tokens: u64,
    #[serde(default)]
    pub(super) cache_read_tokens: u64,
    #[serde(default)]
    pub(super) cache_write_tokens: u64,
    #[serde(default)]
    pub(super) reasoning_tokens: u64,
    pub(super) cost_total: Option<Money>,
    #[serde(default)]
    pub(super) latency_ms: u64,
    pub(super) ttfb_ms: Option<u64>,
}

/// Serde borrows a `Cow` in an `Option` only behind a type of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'a> Facts<'a> {
    /// Those of a record, and its text.
    pub(super) fn parse(record: &'a [u8]) -> Result<(Self, &'a str), StoreError> {
        let unreadable = |error: &dyn std::error::Error| {
            StoreError::Invalid(format!("a usage record is unreadable: {error}"))
        };
        let text = std::str::from_utf8(record).map_err(|error| unreadable(&error))?;
        Ok((Self::read(text).map_err(|error| unreadable(&error))?, text))
    }

    /// Those of a record's text.
    pub(super) fn read(text: &'a str) -> serde_json::Result<Self> {
        // Serde says what is wrong with these.
        let has_controls = text.bytes().fold(0, |any, byte| any | u8::from(byte < b' ')) != 0;
        let facts = if has_controls { None } else { in_order(text) };
        facts.map_or_else(|| Self::in_any_order(text), Ok)
    }

    fn in_any_order(text: &'a str) -> serde_json::Result<Self> {
        let mut facts: Self = serde_json::from_str(text)?;
        for name in [
            &mut facts.provider_name,
            &mut facts.upstream_model,
            &mut facts.alias,
            &mut facts.smart_model,
        ] {
            // No text column of PostgreSQL takes a NUL, and a record must not be lost over a name.
            if let Some(name) = name.as_mut().filter(|name| name.0.contains('\0')) {
                name.0 = Cow::Owned(name.0.replace('\0', "\u{fffd}"));
            }
        }
        Ok(facts)
    }

    /// The caller's groups, as a JSON list.
    pub(super) fn groups(&self) -> Cow<'a, str> {
        let text = self.group_names.map_or("[]", RawValue::get);
        if text.contains("\\u0000") {
            return Cow::Owned(text.replace("\\u0000", "\\ufffd"));
        }
        Cow::Borrowed(if text == "null" { "[]" } else { text })
    }

    pub(super) fn provider_name(&self) -> Option<&str> {
        self.provider_name.as_ref().map(|name| &*name.0)
    }

    pub(super) fn upstream_model(&self) -> Option<&str> {
        self.upstream_model.as_ref().map(|name| &*name.0)
    }

    pub(super) fn smart_model(&self) -> Option<&str> {
        self.smart_model.as_ref().map(|name| &*name.0)
    }

    pub(super) fn alias(&self) -> Option<&str> {
        self.alias.as_ref().map(|name| &*name.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        UsageRecord,
        testing::{any_record, usage_record},
    };

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_read_in_order_is_what_serde_reads(record in any_record()) {
            let mut text = Vec::new();
            record.write(&mut text);
            let text = String::from_utf8(text).unwrap();
            let any = Facts::in_any_order(&text).unwrap();
            match in_order(&text) {
                Some(facts) => prop_assert_eq!(format!("{facts:?}"), format!("{any:?}")),
                None => prop_assert!(text.contains('\\'), "{}", text),
            }
        }

        #[test]
        fn a_record_that_is_cut_off_or_goes_on_otherwise_is_left_to_serde(
            at in any::<prop::sample::Index>(),
            odd in prop_oneof![Just(""), Just("}"), Just(",\"id\":1"), Just("\""), Just(" "),
                Just("."), Just("e"), Just("0"), Just("-"), Just("\u{1}")],
        ) {
            let record = UsageRecord {
                alias: Some("chat".into()),
                group_names: vec!["a".into(), "b".into()].into(),
                cost_total: Some(Money(1_500_000)),
                ..usage_record()
            };
            let mut text = Vec::new();
            record.write(&mut text);
            let text = String::from_utf8(text).unwrap();
            let behind = text.find(",\"request_id\"").unwrap();
            let at = at.index(behind);
            let other = format!("{}{odd}{}", &text[..at], &text[at + 1..]);
            // Where it is read all the same, it reads as serde does.
            let facts = Facts::read(&other).map(|facts| format!("{facts:?}")).ok();
            let any = Facts::in_any_order(&other).map(|facts| format!("{facts:?}")).ok();
            prop_assert_eq!(facts, any);
        }
    }

    #[test]
    fn ordinary_records_are_read_in_order() {
        let mut text = Vec::new();
        usage_record().write(&mut text);
        assert!(in_order(std::str::from_utf8(&text).unwrap()).is_some());
    }
}
