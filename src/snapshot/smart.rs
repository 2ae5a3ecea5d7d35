//! Smart models: names for which another model chooses where a request goes.

use std::sync::Arc;

use crate::{domain::Timestamp, store::SmartModelRow};

/// A name for which a determiner chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmartModel {
    /// What callers send.
    pub alias: Arc<str>,
    /// The operator's switch; a request for one that is off is refused.
    pub enabled: bool,
    /// What the model is for.
    pub description: Option<Box<str>>,
    /// The alias that is asked to choose.
    pub determiner: Box<str>,
    /// What it chooses among, at least one.
    pub slots: Box<[Slot]>,
    /// Token counts from which on the next slot is the least; one fewer than slots.
    pub context_breakpoints: Box<[i64]>,
    /// How many characters of a request the determiner is shown.
    pub input_max_chars: u32,
    /// The slot where the determiner gives none.
    pub default_slot: u32,
    /// Unix seconds of its creation.
    pub created: i64,
}

/// One of the models that a smart model chooses among.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The alias that it leads to.
    pub alias: Arc<str>,
    /// What it is for, for the determiner.
    pub label: Option<Box<str>>,
}

impl From<&SmartModelRow> for SmartModel {
    fn from(row: &SmartModelRow) -> Self {
        let slots = row.slots.iter().map(|slot| Slot {
            alias: slot.model_alias.as_str().into(),
            label: slot.label.as_deref().map(Into::into),
        });
        Self {
            alias: row.model_alias.as_str().into(),
            enabled: row.enabled,
            description: row.description.as_deref().map(Into::into),
            determiner: row.determiner_model_alias.as_str().into(),
            slots: slots.collect(),
            context_breakpoints: row.context_breakpoints.as_slice().into(),
            input_max_chars: row.determiner_input_max_chars,
            default_slot: row.default_slot_on_failure,
            created: Timestamp::unix_seconds(row.created_at),
        }
    }
}
