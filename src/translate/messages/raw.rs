//! JSON inside JSON: read where its form is known.

use std::fmt::Display;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::translate::form::{Refusal, read_json};

/// Reads a client's value that stands at `path`.
///
/// # Errors
/// As [`read_json`], with the whole path.
pub(super) fn read_at<'a, T: Deserialize<'a>>(
    raw: &'a RawValue,
    path: &impl Display,
) -> Result<T, Refusal> {
    read_json(raw.get().as_bytes()).map_err(|refusal| {
        let inner = refusal.param.unwrap_or_default();
        let (path, said) = match &*inner {
            "" | "." => (path.to_string(), refusal.message.as_str()),
            inner if inner.starts_with('[') => (format!("{path}{inner}"), &*refusal.message),
            inner => (format!("{path}.{inner}"), &*refusal.message),
        };
        // "`inner`: what is wrong".
        let said = said.split_once("`: ").map_or(said, |(_, said)| said);
        Refusal::invalid(&*path, format!("`{path}`: {said}"))
    })
}
