//! Records as a gateway of middling size writes them.

use bytes::Bytes;
use turnpike::domain::{KeyId, OrgId, RecordId, Timestamp, UserId};
use uuid::Uuid;

/// Microseconds.
pub const DAY: i64 = 86_400_000_000;

/// Who asks for what.
pub struct World {
    pub org: OrgId,
    /// 30 days before the end.
    pub start: i64,
    pub provider: Uuid,
    users: Vec<Uuid>,
    keys: Vec<Uuid>,
    dice: u64,
}

impl World {
    /// A month that ends now.
    pub fn new(org: OrgId, end: Timestamp) -> Self {
        let ids = |n| (0..n).map(|_| Uuid::new_v4()).collect();
        let start = end.0 - 30 * DAY;
        Self { org, start, provider: Uuid::new_v4(), users: ids(25), keys: ids(40), dice: 1 }
    }

    pub fn user(&self) -> UserId {
        UserId(self.users[3])
    }

    pub fn key(&self) -> KeyId {
        KeyId(self.keys[3])
    }

    fn roll(&mut self, sides: u64) -> u64 {
        // Knuth's MMIX generator.
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005);
        self.dice = self.dice.wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    fn pick(&mut self, sides: usize) -> usize {
        usize::try_from(self.roll(sides as u64)).unwrap_or(0)
    }

    /// Up to 500 records from number `from`, in the order of time, of `all` in the month.
    pub fn batch(&mut self, from: u64, all: u64) -> Vec<Bytes> {
        (from..all.min(from + 500)).map(|number| self.record(number, all)).collect()
    }

    /// A key belongs to a user, a user to a group, and asks for three models.
    fn record(&mut self, number: u64, all: u64) -> Bytes {
        let month = u64::try_from(30 * DAY).unwrap_or(0);
        let ts = self.start + i64::try_from(month / all * number).unwrap_or(0);
        let key = self.pick(40);
        let user = key % 25;
        let rare = self.roll(20_000) == 0;
        let model =
            if rare { "rare".to_owned() } else { ((key * 3 + self.pick(3)) % 12).to_string() };
        let group = if rare { "rare".to_owned() } else { (user % 6).to_string() };
        let status = match self.roll(200) {
            0 => 502,
            1..3 => 429,
            3 => 400,
            _ => 200,
        };
        let (input, output, latency) = (self.roll(8_000), self.roll(900), 80 + self.roll(9_000));
        let record = serde_json::json!({
            "id": RecordId::random(), "ts": Timestamp(ts), "org_id": self.org,
            "api_key_id": self.keys[key], "user_id": self.users[user],
            "group_names": [format!("group-{group}")], "endpoint": "chat_completions",
            "requested_model": format!("alias-{model}"), "alias": format!("alias-{model}"),
            "provider_id": self.provider, "provider_name": format!("provider-{}", key % 3),
            "upstream_model": format!("model-{model}"), "used_model": format!("model-{model}-2026-05-05"),
            "status": status, "error_type": null, "denied_by": null, "stream": true,
            "input_tokens": input, "output_tokens": output, "cache_read_tokens": 128,
            "cache_write_tokens": 0, "reasoning_tokens": 0, "usage_source": "reported",
            "cost_input": 0.001_25, "cost_output": 0.000_5, "cost_total": 0.001_75,
            "currency": "USD", "pricing_rule_id": self.provider, "pricing_source": "default",
            "latency_ms": latency, "ttfb_ms": latency / 4,
            "attempts": [{"provider": "provider-1", "upstream_model": format!("model-{model}"),
                "status": status, "error_type": "ok", "message": "", "retries": 0}],
            "retry_count": 0, "retry_sleep_ms": 0,
            "request_id": format!("req-{number:024}"), "client": "OpenAI/Python 2.0.1",
        });
        Bytes::from(record.to_string())
    }
}
