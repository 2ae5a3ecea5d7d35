//! Reading what the store needs of a record that is written as this version writes it.
//!
//! Every request's record comes by here. Its members stand in the order in which
//! [`crate::domain::UsageRecord::write`] puts them, so they need not be looked for: a name is compared once, and
//! what stands behind the last one that is needed is not read, for the ledger's checksum tells that a record is what
//! was written. What is written otherwise (with nulls, as earlier versions did, or with an escape in one of these
//! texts) is left to serde.

use std::borrow::Cow;

use serde_json::value::RawValue;
use uuid::Uuid;

use super::usage_facts::{Facts, Name};
use crate::domain::{KeyId, Money, OrgId, ProviderId, RecordId, UserId};

/// The facts of a record; none where it is written otherwise.
pub(super) fn in_order(text: &str) -> Option<Facts<'_>> {
    read(&mut Members { rest: text }).ok()
}

/// It is written otherwise.
struct Otherwise;

fn read<'a>(members: &mut Members<'a>) -> Result<Facts<'a>, Otherwise> {
    let id = RecordId(members.id("{\"id\":")?.ok_or(Otherwise)?);
    let ts = members.text(",\"ts\":")?.ok_or(Otherwise)?.parse().map_err(|_| Otherwise)?;
    let org_id = members.id(",\"org_id\":")?.map(OrgId);
    let api_key_id = members.id(",\"api_key_id\":")?.map(KeyId);
    let user_id = members.id(",\"user_id\":")?.map(UserId);
    let group_names = members.texts(",\"group_names\":")?;
    members.text(",\"endpoint\":")?;
    members.text(",\"requested_model\":")?;
    let alias = members.name(",\"alias\":")?;
    let smart_model = members.name(",\"smart_model\":")?;
    let provider_id = members.id(",\"provider_id\":")?.map(ProviderId);
    let provider_name = members.name(",\"provider_name\":")?;
    let upstream_model = members.name(",\"upstream_model\":")?;
    members.text(",\"used_model\":")?;
    let status = members.count(",\"status\":")?.and_then(|status| status.try_into().ok());
    let status = status.ok_or(Otherwise)?;
    members.text(",\"error_type\":")?;
    members.text(",\"denied_by\":")?;
    members.text(",\"throttled_by\":")?;
    members.skip(",\"stream\":true");
    let input_tokens = members.count(",\"input_tokens\":")?.ok_or(Otherwise)?;
    let output_tokens = members.count(",\"output_tokens\":")?.ok_or(Otherwise)?;
    let cache_read_tokens = members.count(",\"cache_read_tokens\":")?.unwrap_or(0);
    let cache_write_tokens = members.count(",\"cache_write_tokens\":")?.unwrap_or(0);
    let reasoning_tokens = members.count(",\"reasoning_tokens\":")?.unwrap_or(0);
    members.text(",\"usage_source\":")?;
    members.number(",\"cost_input\":")?;
    members.number(",\"cost_output\":")?;
    let cost_total = members.number(",\"cost_total\":")?.map(Money::parse);
    let cost_total = cost_total.transpose().map_err(|_| Otherwise)?;
    members.text(",\"currency\":")?;
    members.id(",\"pricing_rule_id\":")?;
    members.text(",\"pricing_source\":")?;
    let latency_ms = members.count(",\"latency_ms\":")?.ok_or(Otherwise)?;
    let ttfb_ms = members.count(",\"ttfb_ms\":")?;
    if !members.are_the_last() {
        return Err(Otherwise);
    }
    Ok(Facts {
        id,
        ts,
        org_id,
        api_key_id,
        user_id,
        group_names,
        provider_id,
        provider_name,
        upstream_model,
        alias,
        smart_model,
        status,
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
        cost_total,
        latency_ms,
        ttfb_ms,
    })
}

/// What stands behind the members that are needed.
const BEHIND: [&str; 4] =
    [",\"attempts\":[", ",\"retry_count\":", ",\"retry_sleep_ms\":", ",\"request_id\":\""];

/// What has not been read yet.
struct Members<'a> {
    rest: &'a str,
}

impl<'a> Members<'a> {
    /// Whether only members follow that nobody needs.
    fn are_the_last(&self) -> bool {
        BEHIND.iter().any(|name| self.rest.starts_with(name)) && self.rest.ends_with('}')
    }

    /// Whether it went on like this, which is passed over then.
    fn skip(&mut self, start: &str) -> bool {
        let behind = self.rest.strip_prefix(start);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    /// Takes up to the first of these bytes that is met, which stays.
    fn up_to(&mut self, ends: [u8; 2]) -> Result<&'a str, Otherwise> {
        let end = memchr::memchr2(ends[0], ends[1], self.rest.as_bytes()).ok_or(Otherwise)?;
        let (taken, rest) = self.rest.split_at_checked(end).ok_or(Otherwise)?;
        self.rest = rest;
        Ok(taken)
    }

    fn text(&mut self, name: &str) -> Result<Option<&'a str>, Otherwise> {
        if !self.skip(name) {
            return Ok(None);
        }
        self.string().map(Some)
    }

    fn string(&mut self) -> Result<&'a str, Otherwise> {
        if !self.skip("\"") {
            return Err(Otherwise);
        }
        let text = self.up_to([b'"', b'\\'])?;
        if self.skip("\"") { Ok(text) } else { Err(Otherwise) }
    }

    fn texts(&mut self, name: &str) -> Result<Option<&'a RawValue>, Otherwise> {
        if !self.skip(name) {
            return Ok(None);
        }
        let list = self.rest;
        let mut is_open = self.skip("[");
        while is_open {
            self.string()?;
            is_open = self.skip(",");
        }
        if !self.skip("]") {
            return Err(Otherwise);
        }
        let list = list.get(..list.len() - self.rest.len()).ok_or(Otherwise)?;
        serde_json::from_str(list).map(Some).map_err(|_| Otherwise)
    }

    fn name(&mut self, name: &str) -> Result<Option<Name<'a>>, Otherwise> {
        Ok(self.text(name)?.map(|text| Name(Cow::Borrowed(text))))
    }

    fn id(&mut self, name: &str) -> Result<Option<Uuid>, Otherwise> {
        let text = self.text(name)?;
        text.map(|text| Uuid::try_parse(text).map_err(|_| Otherwise)).transpose()
    }

    /// A number's text.
    fn number(&mut self, name: &str) -> Result<Option<&'a str>, Otherwise> {
        if !self.skip(name) {
            return Ok(None);
        }
        let text = self.up_to([b',', b'}'])?;
        if is_plain(text) { Ok(Some(text)) } else { Err(Otherwise) }
    }

    /// A whole number.
    fn count(&mut self, name: &str) -> Result<Option<u64>, Otherwise> {
        let text = self.number(name)?;
        text.map(|text| text.parse().map_err(|_| Otherwise)).transpose()
    }
}

/// Whether it is a number without sign and exponent, as JSON has it.
fn is_plain(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}
