//! Finding a member in an event without reading all of it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::wire::extent::end;

/// Searches for a member's name, quotes included. Inside a JSON string quotes are escaped, so a
/// hit is a name, or a whole string that equals it; the colon tells.
pub(super) struct Member(LazyLock<Finder<'static>>, usize);

impl Member {
    pub(super) const fn new(make: fn() -> Finder<'static>, length: usize) -> Self {
        Self(LazyLock::new(make), length)
    }

    /// Whether any member of this name has a value that starts with a byte that `is_wanted`.
    pub(super) fn has(&self, data: &[u8], is_wanted: impl Fn(u8) -> bool) -> bool {
        self.0.find_iter(data).any(|at| {
            value_at(data, at + self.1)
                .and_then(|value| value.first().copied())
                .is_some_and(&is_wanted)
        })
    }

    /// From the first such member's value on.
    pub(super) fn value<'d>(&self, data: &'d [u8]) -> Option<&'d [u8]> {
        value_at(data, self.0.find(data)? + self.1)
    }

    /// Bytes of the strings that are values of such members.
    pub(super) fn said(&self, data: &[u8]) -> u64 {
        let strings = self.0.find_iter(data).filter_map(|at| {
            let string = value_at(data, at + self.1)?.strip_prefix(b"\"")?;
            Some(end(string).unwrap_or(string.len()) as u64)
        });
        strings.sum()
    }

    /// The number that is the value of the first such member.
    pub(super) fn number(&self, data: &[u8]) -> Option<u64> {
        let value = value_at(data, self.0.find(data)? + self.1)?;
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        std::str::from_utf8(value.get(..digits)?).ok()?.parse().ok()
    }
}

/// What follows the colon behind a name.
fn value_at(data: &[u8], behind_name: usize) -> Option<&[u8]> {
    let rest = data.get(behind_name..)?.trim_ascii_start();
    Some(rest.strip_prefix(b":")?.trim_ascii_start())
}

/// A [`Member`] for a literal name.
macro_rules! member {
    ($name:literal) => {
        $crate::dialect::events::search::Member::new(
            || memchr::memmem::Finder::new(concat!("\"", $name, "\"")),
            $name.len() + 2,
        )
    };
}
pub(super) use member;
