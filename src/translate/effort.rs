//! How hard a model of `OpenAI`'s dialects is told to think.

use super::{
    Target,
    form::{Effort, Reasoning},
};
use crate::domain::{Capability, Efforts};

/// What a model is told about its thinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Not to think.
    Off {
        /// Whether the model is known to know `none`. Models that do not know the word refuse it.
        known: bool,
    },
    /// To think, and how hard.
    On(Option<Effort>),
}

/// What `target` is told of the thinking that was `asked` for: nothing where the model is known not to
/// think, or knows no word for it. Models refuse efforts that they do not know, and know different ones:
/// <https://platform.openai.com/docs/api-reference/chat/create> (`reasoning_effort`).
pub(super) fn told(asked: Reasoning, target: &Target<'_>) -> Option<Told> {
    let facts = target.facts;
    if !facts.may(Capability::Reasoning) {
        return None;
    }
    if !asked.is_off() {
        return Some(Told::On(wanted(asked).and_then(|effort| known(effort, target))));
    }
    match facts.efforts {
        None => Some(Told::Off { known: false }),
        Some(efforts) if efforts.has(Effort::None) => Some(Told::Off { known: true }),
        // It always thinks: then as little as it can.
        Some(efforts) => efforts.nearest(Effort::None).map(|least| Told::On(Some(least))),
    }
}

/// The effort that comes nearest to a budget, for vendors that have none. The steps are those of Google's
/// own `OpenAI` API: <https://ai.google.dev/gemini-api/docs/openai#thinking>.
fn wanted(asked: Reasoning) -> Option<Effort> {
    match asked.max_tokens {
        Some(0..=1024) => Some(Effort::Low),
        Some(1025..=8192) => Some(Effort::Medium),
        Some(_) => Some(Effort::High),
        None => asked.effort,
    }
}

/// The effort that the model knows for one that it may not know.
fn known(wanted: Effort, target: &Target<'_>) -> Option<Effort> {
    let usual = &target.quirks.efforts;
    match target.facts.efforts {
        Some(efforts) => efforts.nearest(wanted),
        None if usual.is_empty() => Some(wanted),
        None => Efforts::named(usual.iter().map(String::as_str)).nearest(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Capabilities, ModelFacts, Quirks},
        translate::Platform,
    };

    const OFF: Reasoning =
        Reasoning { effort: Some(Effort::None), max_tokens: None, visible: None };

    fn at(effort: Effort) -> Reasoning {
        Reasoning { effort: Some(effort), ..Reasoning::default() }
    }

    fn told_with(asked: Reasoning, facts: &ModelFacts, usual: &[&str]) -> Option<Told> {
        let efforts = usual.iter().map(|word| (*word).to_owned()).collect();
        let quirks = Quirks { efforts, ..Quirks::default() };
        told(asked, &Target { model: "m", facts, platform: Platform::Own, quirks: &quirks })
    }

    fn knowing(words: &[&str]) -> ModelFacts {
        let efforts = Some(Efforts::named(words.iter().copied()));
        ModelFacts { efforts, ..ModelFacts::default() }
    }

    #[test]
    fn a_model_that_does_not_think_is_told_nothing() {
        let capabilities = Some(Capabilities::named(["streaming"]));
        let dull = ModelFacts { capabilities, ..ModelFacts::default() };
        for asked in [OFF, at(Effort::High), Reasoning::default()] {
            assert_eq!(told_with(asked, &dull, &["none", "low"]), None);
        }
    }

    #[test]
    fn none_is_told_to_those_who_know_it_and_the_least_to_others() {
        let newer = knowing(&["none", "low", "high"]);
        assert_eq!(told_with(OFF, &newer, &[]), Some(Told::Off { known: true }));
        let gpt_5 = knowing(&["minimal", "low", "medium", "high"]);
        assert_eq!(told_with(OFF, &gpt_5, &["none"]), Some(Told::On(Some(Effort::Minimal))));
        let o3 = knowing(&["low", "medium", "high"]);
        assert_eq!(told_with(OFF, &o3, &["none"]), Some(Told::On(Some(Effort::Low))));
        assert_eq!(told_with(OFF, &knowing(&[]), &["none"]), None);
        let unknown = told_with(OFF, &ModelFacts::default(), &["none"]);
        assert_eq!(unknown, Some(Told::Off { known: false }));
    }

    #[test]
    fn an_effort_is_the_models_nearest_and_the_vendors_where_no_more_is_known() {
        let on = |effort| Some(Told::On(Some(effort)));
        let o3 = knowing(&["low", "medium", "high"]);
        assert_eq!(told_with(at(Effort::Max), &o3, &["max"]), on(Effort::High));
        assert_eq!(told_with(at(Effort::High), &knowing(&[]), &[]), Some(Told::On(None)));
        let unknown = ModelFacts::default();
        assert_eq!(told_with(at(Effort::Max), &unknown, &["low", "high"]), on(Effort::High));
        assert_eq!(told_with(at(Effort::Max), &unknown, &[]), on(Effort::Max));
        assert_eq!(told_with(Reasoning::default(), &unknown, &[]), Some(Told::On(None)));
    }

    #[test]
    fn a_budget_is_the_effort_that_comes_nearest() {
        for (tokens, effort) in
            [(1024, Effort::Low), (2048, Effort::Medium), (31_999, Effort::High)]
        {
            let asked = Reasoning { max_tokens: Some(tokens), ..Reasoning::default() };
            let told = told_with(asked, &ModelFacts::default(), &[]);
            assert_eq!(told, Some(Told::On(Some(effort))));
        }
    }
}
