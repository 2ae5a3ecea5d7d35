//! What lists that are searched and paged have in common.

use uuid::Uuid;

use super::record::json_list;

/// A pattern for `lower(…) LIKE $n ESCAPE '!'`: `text` as it stands, anywhere. Only A to Z are the
/// same in either case, as in both engines' `lower` (PostgreSQL's by the collation of the column).
pub(super) fn anywhere(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

/// Ids as a JSON list of hexadecimal digits, for one placeholder.
pub(super) fn ids(ids: impl Iterator<Item = Uuid>) -> String {
    let list: Vec<String> = ids.map(|id| id.simple().to_string()).collect();
    json_list(&list)
}

/// How many rows to ask for: one more than fit the page tells whether there is another page.
pub(super) fn one_more(limit: Option<u32>) -> i64 {
    limit.map_or(i64::MAX, |limit| i64::from(limit) + 1)
}

/// Cuts the rows to the page; says whether there are more.
pub(super) fn cut<T>(rows: &mut Vec<T>, limit: Option<u32>) -> bool {
    let size = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_reads_as_a_wildcard_is_meant_as_it_stands() {
        assert_eq!(anywhere("Ci_100%!"), "%ci!_100!%!!%");
    }
}
