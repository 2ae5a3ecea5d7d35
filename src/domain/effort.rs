//! How hard models think, and how hard each can be told to.

/// How hard a model is to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as the model can.
    Minimal,
    /// A little.
    Low,
    /// Usual.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// As much as the model can.
    Max,
}

impl Effort {
    /// All of them, least first.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max];

    /// The word on the wire, the same for all vendors that have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str() == word)
    }
}

/// The efforts that a model knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Efforts(u8);

impl Efforts {
    /// The efforts of those words; words that are none are left out.
    pub fn named<'n>(words: impl IntoIterator<Item = &'n str>) -> Self {
        let known = words.into_iter().filter_map(Effort::named);
        Self(known.fold(0, |set, effort| set | bit(effort)))
    }

    /// Whether it knows one.
    #[must_use]
    pub const fn has(self, effort: Effort) -> bool {
        self.0 & bit(effort) != 0
    }

    /// The known effort for one that may not be known: the next below, else the least. Not to think at
    /// all is no little thinking. None where the model cannot be told how hard to think.
    #[must_use]
    pub fn nearest(self, wanted: Effort) -> Option<Effort> {
        let known = || Effort::ALL.into_iter().filter(|one| *one != Effort::None && self.has(*one));
        known().rfind(|effort| *effort <= wanted).or_else(|| known().next())
    }
}

const fn bit(effort: Effort) -> u8 {
    1 << effort as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_the_next_below_or_the_least() {
        let nearest =
            |known: &[&str], wanted| Efforts::named(known.iter().copied()).nearest(wanted);
        let usual = ["low", "medium", "high"];
        assert_eq!(nearest(&usual, Effort::Max), Some(Effort::High));
        assert_eq!(nearest(&usual, Effort::Medium), Some(Effort::Medium));
        assert_eq!(nearest(&usual, Effort::Minimal), Some(Effort::Low));
        assert_eq!(nearest(&usual, Effort::None), Some(Effort::Low));
        assert_eq!(nearest(&["low", "high"], Effort::Medium), Some(Effort::Low));
        assert_eq!(nearest(&["none", "high"], Effort::Low), Some(Effort::High));
        assert_eq!(nearest(&["none"], Effort::High), None);
        assert_eq!(nearest(&[], Effort::High), None);
    }
}
