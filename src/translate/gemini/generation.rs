//! Which Gemini a model is, by its name: some of the API differs by generation.

use crate::{domain::ReasoningMode, translate::Target};

/// What a model's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation {
    /// 2 for `gemini-2.5-pro`; none where the name has none.
    major: Option<u32>,
    /// 5 for `gemini-2.5-pro`, 0 for `gemini-3-pro`.
    minor: u32,
    /// The larger kind, which cannot stop thinking.
    pub(super) pro: bool,
    /// The smallest kind.
    pub(super) lite: bool,
}

impl Generation {
    /// Reads names such as `gemini-2.5-flash-lite-preview-09-2025`.
    pub(super) fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model);
        let version = name.strip_prefix("gemini-").unwrap_or_default();
        let version = version.split('-').next().unwrap_or_default();
        let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
        Self {
            major: major.parse().ok(),
            minor: minor.parse().unwrap_or(0),
            pro: name.split('-').any(|word| word == "pro"),
            lite: name.split('-').any(|word| word == "lite"),
        }
    }

    /// Whether the model wants signatures and ids of calls, takes pictures in results and levels of
    /// thinking (<https://ai.google.dev/gemini-api/docs/gemini-3>).
    pub(super) fn is_3(target: &Target<'_>) -> bool {
        let by_name = Self::of(target.model).major.map(|major| major >= 3);
        by_name.unwrap_or(target.facts.reasoning_mode == Some(ReasoningMode::Level))
    }

    /// Whether the model is known to be of a generation before the third, which calls no functions where it
    /// searches or has to answer in JSON.
    pub(super) fn is_before_3(target: &Target<'_>) -> bool {
        let by_name = Self::of(target.model).major.map(|major| major < 3);
        by_name.unwrap_or(target.facts.reasoning_mode == Some(ReasoningMode::Budget))
    }

    /// How the model is asked to think, where only its name is known.
    pub(super) fn reasoning_mode(self) -> Option<ReasoningMode> {
        match (self.major?, self.minor) {
            (3.., _) => Some(ReasoningMode::Level),
            (2, 5..) => Some(ReasoningMode::Budget),
            _ => None,
        }
    }

    /// `gemini-3-pro` knows no level between the lowest and the highest; its successors do.
    pub(super) fn is_first_3_pro(self) -> bool {
        self.pro && self.major == Some(3) && self.minor == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_generation_and_kind() {
        for (model, mode, pro, lite) in [
            ("gemini-2.5-flash-lite-preview-09-2025", Some(ReasoningMode::Budget), false, true),
            ("gemini-2.5-pro", Some(ReasoningMode::Budget), true, false),
            ("models/gemini-3.5-flash", Some(ReasoningMode::Level), false, false),
            ("gemini-3-pro-preview", Some(ReasoningMode::Level), true, false),
            ("gemini-2.0-flash-001", None, false, false),
            ("gemini-pro-latest", None, true, false),
            ("1234567890", None, false, false),
        ] {
            let of = Generation::of(model);
            assert_eq!((of.reasoning_mode(), of.pro, of.lite), (mode, pro, lite), "{model}");
        }
        assert!(Generation::of("gemini-3-pro-preview").is_first_3_pro());
        assert!(!Generation::of("gemini-3.1-pro-preview").is_first_3_pro());
    }
}
