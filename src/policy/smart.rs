//! The rules of smart models, and what their breakpoints decide.

/// Why the parts of a smart model do not fit together. The words name the field and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmartFault {
    /// No slot.
    #[error("slots must hold at least one slot")]
    NoSlots,
    /// Not one breakpoint between any two slots.
    #[error(
        "context_breakpoints must hold one number fewer than there are slots: {wanted}, not {given}"
    )]
    Breakpoints {
        /// How many it should be.
        wanted: usize,
        /// How many were given.
        given: usize,
    },
    /// Not ascending.
    #[error("context_breakpoints must be positive and strictly increasing")]
    Order,
    /// No such slot.
    #[error("default_slot_on_failure must be the position of a slot, between 0 and {0}")]
    DefaultSlot(usize),
    /// It would ask itself.
    #[error("{0} must not be the smart model's own alias")]
    Itself(String),
}

/// Checks a smart model that callers know as `alias`, with the aliases of its slots in order.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_smart(
    alias: &str,
    determiner: &str,
    slots: &[&str],
    breakpoints: &[i64],
    default_slot: u32,
) -> Result<(), SmartFault> {
    let last = slots.len().checked_sub(1).ok_or(SmartFault::NoSlots)?;
    if breakpoints.len() != last {
        return Err(SmartFault::Breakpoints { wanted: last, given: breakpoints.len() });
    }
    let ascending = breakpoints.is_sorted_by(|before, after| before < after);
    if !ascending || breakpoints.first().is_some_and(|first| *first < 1) {
        return Err(SmartFault::Order);
    }
    if usize::try_from(default_slot).is_ok_and(|slot| slot > last) {
        return Err(SmartFault::DefaultSlot(last));
    }
    let alias = alias.to_lowercase();
    if determiner.to_lowercase() == alias {
        return Err(SmartFault::Itself("determiner_model_alias".to_owned()));
    }
    match slots.iter().position(|slot| slot.to_lowercase() == alias) {
        Some(slot) => Err(SmartFault::Itself(format!("slots[{slot}].model_alias"))),
        None => Ok(()),
    }
}

/// The least slot that a request of so many tokens may have.
#[must_use]
pub fn floor_slot(breakpoints: &[i64], tokens: i64) -> usize {
    breakpoints.iter().take_while(|breakpoint| tokens >= **breakpoint).count()
}

/// Where a request of a smart model goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The slot, counted from 0.
    pub slot: usize,
    /// What spoke for it.
    pub reason: SlotReason,
}

/// What spoke for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotReason {
    /// The determiner chose it.
    Determiner,
    /// The breakpoints allow no lower one.
    ContextBreakpoints,
    /// The determiner gave none, or was not to be asked.
    Default,
    /// There is no other.
    OnlySlot,
}

impl SlotReason {
    /// Name in `metadata` and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Determiner => "determiner",
            Self::ContextBreakpoints => "context_breakpoints",
            Self::Default => "default",
            Self::OnlySlot => "only_slot",
        }
    }
}

/// The slot that no determiner could change: there is one alone, or none above the floor.
#[must_use]
pub fn forced_slot(slots: usize, floor: usize) -> Option<Selected> {
    let last = slots.saturating_sub(1);
    let reason = if last == 0 { SlotReason::OnlySlot } else { SlotReason::ContextBreakpoints };
    (floor >= last).then_some(Selected { slot: last, reason })
}

/// The determiner's choice, or the default where it made none; the floor where that is higher.
#[must_use]
pub fn select_slot(choice: Option<usize>, default_slot: usize, floor: usize) -> Selected {
    let wanted = choice.unwrap_or(default_slot);
    let reason = match choice {
        _ if floor > wanted => SlotReason::ContextBreakpoints,
        Some(_) => SlotReason::Determiner,
        None => SlotReason::Default,
    };
    Selected { slot: wanted.max(floor), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(slots: &[&str], breakpoints: &[i64], default_slot: u32) -> Option<String> {
        check_smart("Auto", "judge", slots, breakpoints, default_slot)
            .err()
            .map(|fault| fault.to_string())
    }

    #[test]
    fn parts_that_fit_are_taken_one_slot_included() {
        assert_eq!(check(&["small"], &[], 0), None);
        assert_eq!(check(&["small", "large", "huge"], &[1, 2], 2), None);
    }

    #[test]
    fn each_rule_is_told_by_the_field_that_breaks_it() {
        let fewer = "context_breakpoints must hold one number fewer than there are slots";
        for (fault, beginning) in [
            (check(&[], &[], 0), "slots must"),
            (check(&["a"], &[5], 0), fewer),
            (check(&["a", "b", "c"], &[5], 0), fewer),
            (check(&["a", "b", "c"], &[5, 5], 0), "context_breakpoints must be positive"),
            (check(&["a", "b"], &[0], 0), "context_breakpoints must be positive"),
            (check(&["a", "b"], &[9], 2), "default_slot_on_failure must"),
            (check(&["a", "aUTO"], &[9], 0), "slots[1].model_alias must not"),
        ] {
            let fault = fault.expect(beginning);
            assert!(fault.starts_with(beginning), "{fault}");
        }
        let itself = check_smart("auto", "AUTO", &["a"], &[], 0).unwrap_err();
        assert!(itself.to_string().starts_with("determiner_model_alias must not"));
    }

    #[test]
    fn a_breakpoint_forces_the_next_slot_from_its_own_count_on() {
        let floor = |tokens| floor_slot(&[100, 200], tokens);
        assert_eq!([0, 99, 100, 199, 200, i64::MAX].map(floor), [0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn the_higher_of_choice_and_floor_is_taken() {
        use SlotReason::{ContextBreakpoints, Default, Determiner};
        for (choice, default, floor, slot, reason) in [
            (Some(2), 0, 0, 2, Determiner),
            (Some(1), 0, 1, 1, Determiner),
            (Some(0), 2, 1, 1, ContextBreakpoints),
            (None, 1, 0, 1, Default),
            (None, 1, 1, 1, Default),
            (None, 0, 1, 1, ContextBreakpoints),
        ] {
            let wanted = Selected { slot, reason };
            assert_eq!(select_slot(choice, default, floor), wanted, "{choice:?} {default} {floor}");
        }
    }

    #[test]
    fn nobody_is_asked_where_nothing_is_left_to_choose() {
        assert_eq!(forced_slot(1, 0).map(|one| one.reason), Some(SlotReason::OnlySlot));
        assert_eq!(forced_slot(3, 2).map(|one| one.slot), Some(2));
        assert_eq!(forced_slot(3, 1), None);
    }
}
