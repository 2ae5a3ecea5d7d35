//! The access log: one line per request, made of its usage record.

use std::{
    fmt::{self, Display},
    io::{self, Write as _},
    sync::Arc,
};

use super::{
    lines::{Lines, Urgency},
    log,
};
use crate::domain::{Endpoint, UsageRecord};

/// Writes access lines to stderr, between the lines of [`super::init_logging`].
///
/// They have the target `turnpike::access` and level INFO: a filter such as `warn` or
/// `info,turnpike::access=off` turns them off.
pub struct AccessLog {
    lines: Arc<Lines>,
    json: bool,
}

impl AccessLog {
    /// Starts the writer of log lines, in the format given to [`super::init_logging`].
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn start() -> io::Result<Self> {
        Ok(Self { lines: log::lines()?, json: log::format().is_json() })
    }

    /// Writes a line about a request. `json` is `record`, serialized. Never waits: a line for
    /// which there is no room is dropped and counted.
    pub fn record(&self, record: &UsageRecord<'_>, json: &[u8], trace_id: Option<&str>) {
        if !tracing::enabled!(target: "turnpike::access", tracing::Level::INFO) {
            return;
        }
        self.lines.push(Urgency::Soon, |line| {
            if self.json {
                json_line(line, json, trace_id);
            } else {
                text_line(line, record, trace_id);
            }
        });
    }

    /// Waits until every line so far (also of other kinds) is written, two seconds at most.
    pub fn flush(&self) {
        self.lines.flush();
    }

    /// Lines dropped since this process began because stderr was not read fast enough.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lines.dropped()
    }
}

/// The record's own JSON with a few fields before its own; `ts` is the record's.
fn json_line(line: &mut Vec<u8>, json: &[u8], trace_id: Option<&str>) {
    let Some(fields) = json.strip_prefix(b"{") else { return };
    line.extend_from_slice(br#"{"level":"INFO","message":"request","#);
    if let Some(trace_id) = trace_id {
        line.extend_from_slice(br#""trace_id":"#);
        // Writing to memory does not fail, nor does a string.
        let _ = serde_json::to_writer(&mut *line, trace_id);
        line.push(b',');
    }
    line.extend_from_slice(fields);
    line.push(b'\n');
}

fn text_line(line: &mut Vec<u8>, record: &UsageRecord<'_>, trace_id: Option<&str>) {
    let _ = write!(line, "{}  INFO request", record.ts);
    let mut put = |name: &str, value: Option<&dyn Display>| {
        if let Some(value) = value {
            let _ = write!(line, " {name}={}", Plain(value));
        }
    };
    put("status", Some(&record.status));
    put("endpoint", record.endpoint.map(Endpoint::as_str).as_ref().map(show));
    put("model", record.requested_model.as_ref().map(show));
    put("provider", record.provider_name.as_ref().map(show));
    put("upstream_model", record.upstream_model.as_ref().map(show));
    put("error_type", record.error_type.as_ref().map(show));
    put("denied_by", record.denied_by.as_ref().map(show));
    put("latency_ms", Some(&record.latency_ms));
    put("ttfb_ms", record.ttfb_ms.as_ref().map(show));
    put("input_tokens", record.usage_source.map(|_| &record.input_tokens).map(show));
    put("output_tokens", record.usage_source.map(|_| &record.output_tokens).map(show));
    put("attempts", Some(&record.attempts.len()));
    put("request_id", Some(&record.request_id));
    put("trace_id", trace_id.as_ref().map(show));
    line.push(b'\n');
}

fn show<T: Display>(value: &T) -> &dyn Display {
    value
}

/// A value without blanks and control characters: what a client sends must not forge lines or
/// steer the terminal.
struct Plain<'a>(&'a dyn Display);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                ' ' => f.write_str("\\u{20}")?,
                '\'' | '"' => fmt::Write::write_char(f, character)?,
                _ => character.escape_debug().fmt(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::{Endpoint, UsageSource, testing::usage_record};

    fn record(requested_model: &str) -> UsageRecord<'_> {
        UsageRecord {
            endpoint: Some(Endpoint::ChatCompletions),
            requested_model: Some(requested_model.into()),
            provider_name: Some("my vendor".into()),
            input_tokens: 10,
            output_tokens: 20,
            usage_source: Some(UsageSource::Reported),
            latency_ms: 12,
            ..usage_record()
        }
    }

    #[test]
    fn a_json_line_is_the_record_with_level_message_and_trace() {
        let mut serialized = Vec::new();
        record("gpt\n4o").write(&mut serialized);
        let mut line = Vec::new();
        json_line(&mut line, &serialized, Some("4bf9\"2f35"));
        let text = String::from_utf8(line).unwrap();
        assert_eq!(text.lines().count(), 1);
        let mut read: Value = serde_json::from_str(&text).unwrap();
        let fields = read.as_object_mut().unwrap();
        assert_eq!(fields.remove("level").unwrap(), "INFO");
        assert_eq!(fields.remove("message").unwrap(), "request");
        assert_eq!(fields.remove("trace_id").unwrap(), "4bf9\"2f35");
        assert_eq!(read, serde_json::from_slice::<Value>(&serialized).unwrap());
        assert_eq!(text.matches("\"ts\":").count(), 1);
    }

    #[test]
    fn a_json_line_without_a_trace_has_no_such_field() {
        let mut line = Vec::new();
        json_line(&mut line, br#"{"id":1}"#, None);
        assert_eq!(line, b"{\"level\":\"INFO\",\"message\":\"request\",\"id\":1}\n");
    }

    #[test]
    fn a_text_line_shows_the_record_to_people() {
        let mut line = Vec::new();
        text_line(&mut line, &record("gpt-4o"), None);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "2026-01-02T03:04:05.678Z  INFO request status=200 endpoint=chat_completions \
             model=gpt-4o provider=my\\u{20}vendor latency_ms=12 input_tokens=10 output_tokens=20 \
             attempts=0 request_id=req-1\n"
        );
    }

    #[test]
    fn a_client_cannot_forge_a_text_line_or_steer_the_terminal() {
        let mut line = Vec::new();
        text_line(&mut line, &record("x status=500\nforged \u{1b}[2J\u{202e}"), None);
        let text = String::from_utf8(line).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(text.matches(" status=").count(), 1);
        assert!(text.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{text:?}");
    }
}
