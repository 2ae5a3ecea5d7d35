//! Calls of scripts: their arguments, and reading their answers in order.

use redis::Value;

use super::link::{Link, LinkFault, Script};

/// A call of a script.
#[derive(Clone, Debug)]
pub(in crate::govern) struct Call {
    pub keys: Vec<String>,
    pub args: Vec<String>,
}

impl Call {
    /// One that happens now: by the server's clock, or in tests at the given millisecond.
    pub fn at(now: Option<u64>) -> Self {
        let now = now.map_or_else(String::new, |now| now.to_string());
        Self { keys: Vec::new(), args: vec![now] }
    }

    pub fn key(&mut self, key: String) {
        self.keys.push(key);
    }

    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
    pub fn arg(&mut self, arg: impl ToString) {
        self.args.push(arg.to_string());
    }

    pub async fn send(&self, link: &Link, script: &Script) -> Result<Answer, LinkFault> {
        link.call(script, &self.keys, &self.args).await.map(Answer::new)
    }
}

/// What a script answers: numbers, in order.
#[derive(Debug)]
pub(in crate::govern) struct Answer {
    numbers: std::vec::IntoIter<i64>,
}

/// Zero where it is none.
fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::BulkString(text) => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}

impl Answer {
    pub fn new(value: Value) -> Self {
        let numbers: Vec<i64> = match value {
            Value::Array(values) => values.iter().map(number).collect(),
            one => vec![number(&one)],
        };
        Self { numbers: numbers.into_iter() }
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.as_slice().is_empty()
    }

    /// Every number as far from this one's as this one's is from that of `before`; none where they are of
    /// different kinds.
    pub fn after(&self, before: &Self) -> Option<Self> {
        let (this, before) = (self.numbers.as_slice(), before.numbers.as_slice());
        if this.len() != before.len() {
            return None;
        }
        let numbers = this.iter().zip(before);
        let numbers: Vec<i64> = numbers
            .map(|(this, before)| this.saturating_add(this.saturating_sub(*before)))
            .collect();
        Some(Self { numbers: numbers.into_iter() })
    }

    /// The next number; zero where there is none.
    pub fn signed(&mut self) -> i64 {
        self.numbers.next().unwrap_or(0)
    }

    /// The next number; zero where it is negative.
    pub fn number(&mut self) -> u64 {
        u64::try_from(self.signed()).unwrap_or(0)
    }

    /// The next number; none where it is negative.
    pub fn some(&mut self) -> Option<u64> {
        u64::try_from(self.signed()).ok()
    }

    pub fn amount(&mut self) -> crate::govern::Amount {
        let tokens = self.number();
        crate::govern::Amount { tokens, cost: crate::domain::Money(self.signed().max(0)) }
    }
}
