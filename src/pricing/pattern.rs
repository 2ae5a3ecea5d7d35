//! Model patterns: a name, a prefix with `*` behind it, or `*`.

/// Longest pattern, characters.
const MAX_PATTERN: usize = 256;

/// Why a text is no pattern. The words follow the field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// Nothing in it.
    #[error("must not be empty; send a model's name, a prefix such as gpt-4o*, or *")]
    Empty,
    /// Too long.
    #[error("must be at most {MAX_PATTERN} characters long")]
    TooLong,
    /// A star that is not the last character.
    #[error("may have a * at its end only, as in gpt-4o*")]
    StarInside,
    /// What no model's name has.
    #[error("must not have control characters, or blanks at its ends")]
    Blank,
}

/// Whether a text can be a pattern.
///
/// # Errors
/// What is wrong with it.
pub fn check_pattern(text: &str) -> Result<(), PatternFault> {
    if text.is_empty() {
        return Err(PatternFault::Empty);
    }
    if text.chars().count() > MAX_PATTERN {
        return Err(PatternFault::TooLong);
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(PatternFault::Blank);
    }
    if prefix(text).unwrap_or(text).contains('*') {
        return Err(PatternFault::StarInside);
    }
    Ok(())
}

/// What stands before the star, if the pattern is a prefix.
pub(super) fn prefix(pattern: &str) -> Option<&str> {
    pattern.strip_suffix('*')
}

/// How closely a pattern names a model: more is closer.
pub(super) type Closeness = usize;

/// How closely a pattern names a model; none where it does not cover it.
pub(super) fn closeness(pattern: &str, model: &str) -> Option<Closeness> {
    match prefix(pattern) {
        Some(prefix) => model.starts_with(prefix).then_some(prefix.len()),
        None => (pattern == model).then_some(Closeness::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_at_the_end_or_nowhere() {
        for good in ["gpt-4o", "gpt-4o*", "*", "anthropic.claude-3:0", "models/ü v"] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        for (bad, fault) in [
            ("", PatternFault::Empty),
            ("**", PatternFault::StarInside),
            ("g*4", PatternFault::StarInside),
            ("*x", PatternFault::StarInside),
            (" gpt", PatternFault::Blank),
            ("gpt\n4", PatternFault::Blank),
            (&"x".repeat(257), PatternFault::TooLong),
        ] {
            assert_eq!(check_pattern(bad), Err(fault), "{bad}");
        }
    }
}
