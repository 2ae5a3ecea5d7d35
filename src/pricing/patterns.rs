//! Things by pattern, found by model.

use std::collections::HashMap;

use super::pattern::{Closeness, prefix};

/// What is filed under patterns.
pub(super) struct Patterns<'a, T> {
    exact: HashMap<&'a str, Vec<T>>,
    /// Longest first; `*` is the empty prefix.
    prefixes: Vec<(&'a str, T)>,
}

impl<'a, T> Patterns<'a, T> {
    pub(super) fn new(filed: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let mut patterns = Self { exact: HashMap::new(), prefixes: Vec::new() };
        for (pattern, thing) in filed {
            match prefix(pattern) {
                Some(prefix) => patterns.prefixes.push((prefix, thing)),
                None => patterns.exact.entry(pattern).or_default().push(thing),
            }
        }
        patterns.prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        patterns
    }

    /// What covers `model`, the closest first.
    pub(super) fn covering<'b>(
        &'b self,
        model: &'b str,
    ) -> impl Iterator<Item = (Closeness, &'b T)> + 'b {
        let exact =
            self.exact.get(model).into_iter().flatten().map(|thing| (Closeness::MAX, thing));
        let prefixes = self
            .prefixes
            .iter()
            .filter(move |(prefix, _)| model.starts_with(prefix))
            .map(|(prefix, thing)| (prefix.len(), thing));
        exact.chain(prefixes)
    }
}
