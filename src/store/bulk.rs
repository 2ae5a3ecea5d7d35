//! Statements that add many rows at once to SQLite.

use std::sync::Arc;

/// `INSERT … VALUES (…),(…) …`, for several numbers of rows. They stay prepared, so there are few.
///
/// A statement of many rows keeps what each page was that it changes, in case it has to be taken back:
/// half a dozen pages where the rows lie together, however many they are.
pub(super) struct Bulk([(usize, Arc<str>); 4]);

impl Bulk {
    /// `head VALUES rows tail`, each row as given.
    pub(super) fn new(head: &str, row: &str, tail: &str) -> Self {
        Self([256, 32, 4, 1].map(|rows| {
            let values = vec![row; rows].join(",");
            (rows, format!("{head} VALUES {values} {tail}").into())
        }))
    }

    /// The rows in parts, largest first, each with the statement of its size.
    pub(super) fn parts<'a, T>(
        &'a self,
        rows: &'a [T],
    ) -> impl Iterator<Item = (&'a [T], &'a Arc<str>)> {
        let mut rest = rows;
        self.0.iter().flat_map(move |(size, statement)| {
            let chunks = rest.chunks_exact(*size);
            rest = chunks.remainder();
            chunks.map(move |chunk| (chunk, statement))
        })
    }
}
