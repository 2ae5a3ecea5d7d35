//! Usage as CSV (RFC 4180): a header, one line per row, CRLF after each.
//!
//! Spreadsheets run a field that begins like a formula, quoted or not, and names of models come from
//! vendors: such a field is given an apostrophe in front, as OWASP advises
//! (<https://owasp.org/www-community/attacks/CSV_Injection>).

use std::collections::HashMap;

use axum::http::{HeaderName, header};
use serde_json::{Value, value::RawValue};

use super::usage_summary::{Column, Row};
use crate::store::Dimension;

/// What makes spreadsheets take a field for a formula.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n'];
/// The figures, in their order.
const FIGURES: [&str; 19] = [
    "requests",
    "errors",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "total_tokens",
    "cost_total",
    "currency",
    "unpriced_requests",
    "latency_ms_p50",
    "latency_ms_p90",
    "latency_ms_p95",
    "latency_ms_p99",
    "ttfb_ms_p50",
    "ttfb_ms_p90",
    "ttfb_ms_p95",
    "ttfb_ms_p99",
];

/// What a record says in one value each; its groups and attempts are lists, which are in the JSON.
const RECORD: [&str; 36] = [
    "id",
    "ts",
    "org_id",
    "api_key_id",
    "user_id",
    "endpoint",
    "requested_model",
    "alias",
    "smart_model",
    "provider_id",
    "provider_name",
    "upstream_model",
    "used_model",
    "status",
    "error_type",
    "denied_by",
    "throttled_by",
    "stream",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usage_source",
    "cost_input",
    "cost_output",
    "cost_total",
    "currency",
    "pricing_rule_id",
    "pricing_source",
    "latency_ms",
    "ttfb_ms",
    "retry_count",
    "retry_sleep_ms",
    "request_id",
    "client",
];

/// The headers of a CSV, which is a file for whoever opens it.
pub(super) fn headers(file: &str) -> [(HeaderName, String); 2] {
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ]
}

/// The line above records.
pub(super) fn record_header() -> String {
    let mut csv = String::new();
    line(&mut csv, RECORD.into_iter().map(str::to_owned));
    csv
}

/// The lines of records. What one does not have is an empty field.
pub(super) fn record_lines(records: &[Box<RawValue>]) -> serde_json::Result<String> {
    let mut csv = String::new();
    for record in records {
        fields(&mut csv, record.get(), RECORD.into_iter())?;
    }
    Ok(csv)
}

/// The rows as text: what they are grouped by, then the figures. Null is an empty field.
pub(super) fn write(columns: &[Column], rows: &[Row]) -> serde_json::Result<String> {
    let labels = columns.iter().flat_map(|column| names(*column));
    let names: Vec<&str> = labels.chain(FIGURES).collect();
    let mut csv = String::new();
    line(&mut csv, names.iter().map(|name| (*name).to_owned()));
    for row in rows {
        // By way of JSON: both formats say the same, digit by digit.
        fields(&mut csv, &serde_json::to_string(row)?, names.iter().copied())?;
    }
    Ok(csv)
}

/// A line of what a JSON object has under these names.
fn fields<'a>(
    csv: &mut String,
    json: &str,
    names: impl Iterator<Item = &'a str>,
) -> serde_json::Result<()> {
    let fields: HashMap<&str, &RawValue> = serde_json::from_str(json)?;
    line(csv, names.map(|name| fields.get(name).map(|raw| text(raw)).unwrap_or_default()));
    Ok(())
}

/// A provider has two columns.
fn names((name, dimension): Column) -> impl Iterator<Item = &'static str> {
    let id = (dimension == Dimension::Provider).then_some("provider_id");
    [name].into_iter().chain(id)
}

fn text(raw: &RawValue) -> String {
    match serde_json::from_str(raw.get()) {
        Ok(Value::String(text)) => harmless(text),
        Ok(Value::Null) => String::new(),
        _ => raw.get().to_owned(),
    }
}

/// Also what comes after a semicolon, at which some spreadsheets begin a field of their own.
fn harmless(text: String) -> String {
    if !text.contains(FORMULA) {
        return text;
    }
    let (mut safe, mut begins) = (String::with_capacity(text.len() + 1), true);
    for letter in text.chars() {
        let is_formula = matches!(letter, '=' | '+' | '-' | '@');
        if begins && is_formula || safe.is_empty() && FORMULA.contains(&letter) {
            safe.push('\'');
        }
        safe.push(letter);
        begins = matches!(letter, ';' | '\t' | '\r' | '\n') || (begins && letter == ' ');
    }
    safe
}

fn line(csv: &mut String, fields: impl Iterator<Item = String>) {
    for (place, field) in fields.enumerate() {
        if place > 0 {
            csv.push(',');
        }
        if field.contains(['"', ',', '\r', '\n']) {
            csv.push('"');
            csv.push_str(&field.replace('"', "\"\""));
            csv.push('"');
        } else {
            csv.push_str(&field);
        }
    }
    csv.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use utoipa::PartialSchema as _;

    use super::*;
    use crate::domain::UsageRecord;

    fn written(fields: &[&str]) -> String {
        let mut csv = String::new();
        line(&mut csv, fields.iter().map(|field| harmless((*field).to_owned())));
        csv
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        assert_eq!(written(&["a", "b c", ""]), "a,b c,\r\n");
        assert_eq!(
            written(&["a,b", "say \"hi\"", "x\r\ny"]),
            "\"a,b\",\"say \"\"hi\"\"\",\"x\r\ny\"\r\n"
        );
    }

    #[test]
    fn every_value_of_a_record_has_a_column() {
        let schema = serde_json::to_value(UsageRecord::schema()).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let is_list = |of: &Value| of["type"] == "array";
        let values: BTreeSet<&str> = properties
            .iter()
            .filter_map(|(name, of)| (!is_list(of)).then_some(name.as_str()))
            .collect();
        assert_eq!(values, BTreeSet::from(RECORD));
    }

    #[test]
    fn what_a_record_does_not_have_is_an_empty_field() {
        let record = RawValue::from_string(r#"{"id":"a","status":200,"x":[1]}"#.to_owned());
        let lines = record_lines(&[record.unwrap()]).unwrap();
        assert!(lines.starts_with("a,,,") && lines.ends_with(",,\r\n"), "{lines}");
        assert_eq!(lines.split(',').count(), RECORD.len());
        assert_eq!(record_header().split(',').count(), RECORD.len());
    }

    #[test]
    fn no_field_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=HYPERLINK(\"http://x\",\"y\")"] {
            let line = written(&[formula]);
            assert!(line.trim_start_matches('"').starts_with('\''), "{line}");
        }
        assert_eq!(written(&["x;=cmd|' /C calc'!A0;y"]), "x;'=cmd|' /C calc'!A0;y\r\n");
        assert_eq!(written(&["a; @x", "gpt-4o;b", " =1"]), "a; '@x,gpt-4o;b, '=1\r\n");
    }
}
