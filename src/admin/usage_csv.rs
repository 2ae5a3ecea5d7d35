//! A summary as CSV (RFC 4180): a header, one line per row, CRLF after each.
//!
//! Spreadsheets run a field that begins like a formula, quoted or not, and names of models come from
//! vendors: such a field is given an apostrophe in front, as OWASP advises
//! (<https://owasp.org/www-community/attacks/CSV_Injection>).

use std::collections::HashMap;

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

/// The rows as text: what they are grouped by, then the figures. Null is an empty field.
pub(super) fn write(columns: &[Column], rows: &[Row]) -> serde_json::Result<String> {
    let labels = columns.iter().flat_map(|column| names(*column));
    let names: Vec<&str> = labels.chain(FIGURES).collect();
    let mut csv = String::new();
    line(&mut csv, names.iter().map(|name| (*name).to_owned()));
    for row in rows {
        // By way of JSON: both formats say the same, digit by digit.
        let json = serde_json::to_string(row)?;
        let fields: HashMap<&str, &RawValue> = serde_json::from_str(&json)?;
        line(
            &mut csv,
            names.iter().map(|name| fields.get(name).map(|raw| text(raw)).unwrap_or_default()),
        );
    }
    Ok(csv)
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

fn harmless(text: String) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text }
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
    use super::*;

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
    fn no_field_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=HYPERLINK(\"http://x\",\"y\")"] {
            let line = written(&[formula]);
            assert!(line.trim_start_matches('"').starts_with('\''), "{line}");
        }
    }
}
