//! Writing a usage record's text.
//!
//! By hand, because every request waits for it: serde's general way looks at every character of every id
//! for something to escape, and took 1.1 of the 4 µs that settling a request costs.

use itoa::Integer;
use uuid::Uuid;

use super::{
    Attempt, AttemptOutcome, Money, PriceSource, UsageRecord, UsageSource, decimal,
    money::{CURRENCY, MONEY_PLACES},
    time,
};

impl UsageRecord<'_> {
    /// Appends its text, a JSON object. It leaves out what says nothing (null, false, most zeros, empty
    /// lists), and what it says anyway (a cost's currency, an attempt that went well): [`super::whole_record`] puts that in again.
    ///
    /// The store reads its members in this order, and none behind `ttfb_ms`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut to = Members { out };
        to.out.extend_from_slice(b"{\"id\":");
        to.uuid(&self.id.0);
        to.name(",\"ts\":");
        match time::Text::of(self.ts) {
            Some(text) => to.string(text.as_str()),
            None => to.string(&self.ts.to_string()),
        }
        to.id(",\"org_id\":", self.org_id.map(|id| id.0));
        to.id(",\"api_key_id\":", self.api_key_id.map(|id| id.0));
        to.id(",\"user_id\":", self.user_id.map(|id| id.0));
        to.list(",\"group_names\":", &self.group_names, |to, name| to.string(name));
        to.text(",\"endpoint\":", self.endpoint.map(super::Endpoint::as_str));
        to.text(",\"requested_model\":", self.requested_model.as_deref());
        to.text(",\"alias\":", self.alias.as_deref());
        to.text(",\"smart_model\":", self.smart_model.as_deref());
        to.id(",\"provider_id\":", self.provider_id.map(|id| id.0));
        to.text(",\"provider_name\":", self.provider_name.as_deref());
        to.text(",\"upstream_model\":", self.upstream_model.as_deref());
        to.text(",\"used_model\":", self.used_model.as_deref());
        to.number(",\"status\":", self.status);
        to.text(",\"error_type\":", self.error_type.as_deref());
        to.text(",\"denied_by\":", self.denied_by.as_deref());
        to.text(",\"throttled_by\":", self.throttled_by.as_deref());
        if self.stream {
            to.name(",\"stream\":true");
        }
        to.number(",\"input_tokens\":", self.input_tokens);
        to.number(",\"output_tokens\":", self.output_tokens);
        to.count(",\"cache_read_tokens\":", self.cache_read_tokens);
        to.count(",\"cache_write_tokens\":", self.cache_write_tokens);
        to.count(",\"reasoning_tokens\":", self.reasoning_tokens);
        to.text(",\"usage_source\":", self.usage_source.map(UsageSource::as_str));
        to.money(",\"cost_input\":", self.cost_input);
        to.money(",\"cost_output\":", self.cost_output);
        to.money(",\"cost_total\":", self.cost_total);
        match self.currency.as_deref() {
            Some(CURRENCY) if self.cost_total.is_some() => {}
            None if self.cost_total.is_some() => to.name(",\"currency\":null"),
            other => to.text(",\"currency\":", other),
        }
        to.id(",\"pricing_rule_id\":", self.pricing_rule_id.map(|id| id.0));
        to.text(",\"pricing_source\":", self.pricing_source.map(PriceSource::as_str));
        to.number(",\"latency_ms\":", self.latency_ms);
        if let Some(time) = self.ttfb_ms {
            to.number(",\"ttfb_ms\":", time);
        }
        let implies_one = self.implies_an_attempt();
        if implies_one && self.attempts.is_empty() {
            to.name(",\"attempts\":[]");
        } else if !(implies_one && self.went_well_at_once()) {
            to.list(",\"attempts\":", &self.attempts, Members::attempt);
        }
        to.count(",\"retry_count\":", self.retry_count);
        to.count(",\"retry_sleep_ms\":", self.retry_sleep_ms);
        to.name(",\"request_id\":");
        to.string(&self.request_id);
        to.text(",\"client\":", self.client.as_deref());
        to.out.push(b'}');
    }

    /// Whether a record of which this is said, and nothing of attempts, had one that went well.
    const fn implies_an_attempt(&self) -> bool {
        self.provider_name.is_some() && self.upstream_model.is_some() && self.error_type.is_none()
    }

    /// Whether the first route that was tried answered, without retries: then its attempt would repeat what the record
    /// says, in an eighth of its bytes, which are written four times (spool, log, the database's log and file).
    fn went_well_at_once(&self) -> bool {
        let [only] = &*self.attempts else { return false };
        self.provider_name.as_deref() == Some(&*only.provider)
            && self.upstream_model.as_deref() == Some(&*only.upstream_model)
            && only.status == Some(self.status)
            && only.error_type == AttemptOutcome::Ok.as_str()
            && only.message.is_empty()
            && only.retries == 0
    }
}

/// Takes members of an object, each with what stands before its value.
struct Members<'a> {
    out: &'a mut Vec<u8>,
}

impl Members<'_> {
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(name.as_bytes());
    }

    fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.name(name);
            self.string(text);
        }
    }

    fn id(&mut self, name: &str, id: Option<Uuid>) {
        if let Some(id) = id {
            self.name(name);
            self.uuid(&id);
        }
    }

    fn number(&mut self, name: &str, number: impl Integer) {
        self.name(name);
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// A number that is left out where it is 0.
    fn count<N: Integer + Default + PartialEq>(&mut self, name: &str, count: N) {
        if count != N::default() {
            self.number(name, count);
        }
    }

    fn money(&mut self, name: &str, amount: Option<Money>) {
        if let Some(amount) = amount {
            self.name(name);
            let text = decimal::format(amount.0, MONEY_PLACES);
            self.out.extend_from_slice(text.as_str().as_bytes());
        }
    }

    fn list<T>(&mut self, name: &str, items: &[T], write: impl Fn(&mut Self, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at == 0 {
                self.name(name);
                self.out.push(b'[');
            } else {
                self.out.push(b',');
            }
            write(self, item);
        }
        if !items.is_empty() {
            self.out.push(b']');
        }
    }

    fn attempt(&mut self, attempt: &Attempt) {
        self.name("{\"provider\":");
        self.string(&attempt.provider);
        self.text(",\"upstream_model\":", Some(&attempt.upstream_model));
        match attempt.status {
            Some(status) => self.number(",\"status\":", status),
            None => self.name(",\"status\":null"),
        }
        self.text(",\"error_type\":", Some(&attempt.error_type));
        self.text(",\"message\":", Some(&attempt.message));
        self.number(",\"retries\":", attempt.retries);
        self.out.push(b'}');
    }

    fn uuid(&mut self, id: &Uuid) {
        self.out.push(b'"');
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        self.out.extend_from_slice(id.hyphenated().encode_lower(&mut text).as_bytes());
        self.out.push(b'"');
    }

    fn string(&mut self, text: &str) {
        // Without a way out of the loop, so that many bytes are compared at once.
        let special = |byte| u8::from(byte < b' ') | u8::from(byte == b'"' || byte == b'\\');
        let specials = text.bytes().fold(0, |seen, byte| seen | special(byte));
        if specials == 0 {
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
            self.out.push(b'"');
        } else {
            // Writing to memory does not fail, nor does a string.
            let _ = serde_json::to_writer(&mut *self.out, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        testing::{any_record, usage_record},
        whole_record,
    };

    fn written(record: &UsageRecord<'_>) -> String {
        let mut text = Vec::new();
        record.write(&mut text);
        String::from_utf8(text).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_written_reads_as_the_record(record in any_record()) {
            let text = whole_record(written(&record)).unwrap();
            prop_assert_eq!(serde_json::from_str::<UsageRecord<'_>>(&text).unwrap(), record);
        }
    }

    #[test]
    fn an_attempt_is_written_as_in_an_error() {
        let attempt = Attempt {
            provider: Arc::from("a \"b\""),
            upstream_model: Arc::from("m"),
            status: None,
            error_type: "timeout".into(),
            message: "no\nanswer".into(),
            retries: 2,
        };
        let record = UsageRecord { attempts: vec![attempt.clone()].into(), ..usage_record() };
        let value: Value = serde_json::from_str(&written(&record)).unwrap();
        assert_eq!(value["attempts"], json!([attempt]));
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        assert_eq!(
            written(&usage_record()),
            "{\"id\":\"11111111-1111-4111-8111-111111111111\",\"ts\":\"2026-01-02T03:04:05.678Z\",\
             \"status\":200,\"input_tokens\":0,\"output_tokens\":0,\"latency_ms\":1,\
             \"request_id\":\"req-1\"}"
        );
    }
}
