//! What a smart model looks like in requests and answers, and the rules by which a request becomes
//! or changes a row.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::AdminError,
    schemas::Breakpoint,
    sorting::{Entry, Sorts, name},
    upstream,
};
use crate::{
    domain::{OrgId, ProviderId, SmartModelId, Timestamp},
    policy::check_smart,
    snapshot::prefix_holders,
    store::{ProviderRow, RouteRow, SmartModelRow, SmartSlot, Tx},
};

const DEFAULT_BREAKPOINTS: [i64; 2] = [128_000, 512_000];
const DEFAULT_INPUT_CHARS: u32 = 12_000;
const MAX_INPUT_CHARS: u32 = 1_000_000;
const MAX_SLOTS: usize = 32;
const MAX_DESCRIPTION_CHARS: usize = 2_000;

/// What a smart model chooses among
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = SmartModelSlot)]
pub(super) struct Slot {
    /// The alias that it leads to.
    #[schema(min_length = 1, max_length = 256)]
    model_alias: String,
    #[schema(max_length = 256)]
    label: Option<String>,
}

/// A new smart model; null is as absent
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateSmartModelRequest)]
pub(super) struct Create {
    /// The name that callers send; no route and no other smart model may have it, whatever its case.
    #[schema(min_length = 1, max_length = 256)]
    pub(super) model_alias: String,
    #[schema(max_length = 2000)]
    pub(super) description: Option<String>,
    #[schema(default = true)]
    pub(super) enabled: Option<bool>,
    /// The model that chooses.
    #[schema(min_length = 1, max_length = 256)]
    pub(super) determiner_model_alias: String,
    #[schema(min_items = 1, max_items = 32)]
    pub(super) slots: Vec<Slot>,
    /// Token counts, strictly increasing, one fewer than slots: from the first on, slot 1 is the
    /// least, and so on. 128000 and 512000 where absent, as far as there are slots.
    #[schema(value_type = Option<Vec<Breakpoint>>)]
    pub(super) context_breakpoints: Option<Vec<i64>>,
    /// Characters of a request that the determiner is shown.
    #[schema(minimum = 1, maximum = 1_000_000, default = 12_000)]
    pub(super) determiner_input_max_chars: Option<i64>,
    /// The slot, counted from 0, where the determiner fails; where absent 1, or 0 if there is but
    /// one.
    #[schema(minimum = 0, maximum = 31)]
    pub(super) default_slot_on_failure: Option<i64>,
}

/// Changes to a smart model; absent and null keep
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateSmartModelRequest)]
pub(super) struct Update {
    #[schema(min_length = 1, max_length = 256)]
    model_alias: Option<String>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    enabled: Option<bool>,
    #[schema(min_length = 1, max_length = 256)]
    determiner_model_alias: Option<String>,
    #[schema(min_items = 1, max_items = 32)]
    slots: Option<Vec<Slot>>,
    #[schema(value_type = Option<Vec<Breakpoint>>)]
    context_breakpoints: Option<Vec<i64>>,
    #[schema(minimum = 1, maximum = 1_000_000)]
    determiner_input_max_chars: Option<i64>,
    #[schema(minimum = 0, maximum = 31)]
    default_slot_on_failure: Option<i64>,
}

/// A smart model
#[derive(Serialize, ToSchema)]
#[schema(as = SmartModel)]
pub(super) struct SmartModelView {
    id: SmartModelId,
    org_id: OrgId,
    model_alias: String,
    description: Option<String>,
    #[schema(default = true)]
    enabled: bool,
    determiner_model_alias: String,
    #[schema(min_items = 1)]
    slots: Vec<Slot>,
    #[schema(value_type = Vec<Breakpoint>)]
    context_breakpoints: Vec<i64>,
    #[schema(value_type = i32, minimum = 1)]
    determiner_input_max_chars: u32,
    #[schema(value_type = i32, minimum = 0)]
    default_slot_on_failure: u32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Entry for SmartModelView {
    const LIST: &'static str = "smart models";
    const SORTS: Sorts<Self> = &[
        ("alias", |model| Some(name(&model.model_alias))),
        ("determiner", |model| Some(name(&model.determiner_model_alias))),
    ];

    fn text(&self) -> String {
        let own = [&self.model_alias, &self.determiner_model_alias].map(String::as_str);
        let slots = self.slots.iter();
        let slots = slots.flat_map(|slot| [Some(&*slot.model_alias), slot.label.as_deref()]);
        let more = slots.chain([self.description.as_deref()]).flatten();
        own.into_iter().chain(more).collect::<Vec<_>>().join("\n")
    }

    /// Aliases are the organization's own.
    fn identity(&self) -> String {
        self.model_alias.clone()
    }
}

impl From<SmartModelRow> for SmartModelView {
    fn from(row: SmartModelRow) -> Self {
        let slot = |slot: SmartSlot| Slot { model_alias: slot.model_alias, label: slot.label };
        Self {
            id: row.id,
            org_id: row.org_id,
            model_alias: row.model_alias,
            description: row.description,
            enabled: row.enabled,
            determiner_model_alias: row.determiner_model_alias,
            slots: row.slots.into_iter().map(slot).collect(),
            context_breakpoints: row.context_breakpoints,
            determiner_input_max_chars: row.determiner_input_max_chars,
            default_slot_on_failure: row.default_slot_on_failure,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Create {
    /// The new row; whether its aliases lead anywhere is for [`refuse_dead_ends`] to say.
    pub(super) fn row(self, org: OrgId, now: Timestamp) -> Result<SmartModelRow, AdminError> {
        let slots = slots(self.slots)?;
        let last = slots.len().saturating_sub(1);
        let default_breakpoints = || DEFAULT_BREAKPOINTS.into_iter().take(last).collect();
        let default_slot = u32::from(last > 0);
        let row = SmartModelRow {
            id: SmartModelId::random(),
            org_id: org,
            model_alias: upstream::text("model_alias", self.model_alias)?,
            description: self.description.map(description).transpose()?,
            enabled: self.enabled.unwrap_or(true),
            determiner_model_alias: determiner(self.determiner_model_alias)?,
            slots,
            context_breakpoints: self.context_breakpoints.unwrap_or_else(default_breakpoints),
            determiner_input_max_chars: self
                .determiner_input_max_chars
                .map_or(Ok(DEFAULT_INPUT_CHARS), input_chars)?,
            default_slot_on_failure: self
                .default_slot_on_failure
                .map_or(Ok(default_slot), slot_number)?,
            created_at: now,
            updated_at: now,
        };
        checked(row)
    }
}

impl Update {
    /// The changed row, and whether where it leads must be looked at again: a model that is switched
    /// off, or one whose targets stay, may outlive them.
    pub(super) fn applied(
        self,
        mut row: SmartModelRow,
        now: Timestamp,
    ) -> Result<(SmartModelRow, bool), AdminError> {
        let leads_elsewhere = self.slots.is_some() || self.determiner_model_alias.is_some();
        let switched_on = self.enabled == Some(true) && !row.enabled;
        if let Some(alias) = self.model_alias {
            row.model_alias = upstream::text("model_alias", alias)?;
        }
        if let Some(text) = self.description {
            row.description = Some(description(text)?);
        }
        if let Some(alias) = self.determiner_model_alias {
            row.determiner_model_alias = determiner(alias)?;
        }
        if let Some(given) = self.slots {
            row.slots = slots(given)?;
        }
        row.enabled = self.enabled.unwrap_or(row.enabled);
        row.context_breakpoints = self.context_breakpoints.unwrap_or(row.context_breakpoints);
        if let Some(value) = self.determiner_input_max_chars {
            row.determiner_input_max_chars = input_chars(value)?;
        }
        if let Some(value) = self.default_slot_on_failure {
            row.default_slot_on_failure = slot_number(value)?;
        }
        row.updated_at = now;
        Ok((checked(row)?, leads_elsewhere || switched_on))
    }
}

fn determiner(alias: String) -> Result<String, AdminError> {
    upstream::text("determiner_model_alias", alias)
}

fn description(text: String) -> Result<String, AdminError> {
    if text.chars().count() > MAX_DESCRIPTION_CHARS {
        let message = format!("description must have at most {MAX_DESCRIPTION_CHARS} characters");
        return Err(AdminError::bad_request(message));
    }
    Ok(text)
}

fn input_chars(value: i64) -> Result<u32, AdminError> {
    upstream::in_range("determiner_input_max_chars", value, 1, MAX_INPUT_CHARS)
}

fn slot_number(value: i64) -> Result<u32, AdminError> {
    let last = u32::try_from(MAX_SLOTS - 1).unwrap_or_default();
    upstream::in_range("default_slot_on_failure", value, 0, last)
}

fn slots(given: Vec<Slot>) -> Result<Vec<SmartSlot>, AdminError> {
    if given.len() > MAX_SLOTS {
        let message = format!("slots must have at most {MAX_SLOTS} entries");
        return Err(AdminError::bad_request(message));
    }
    let read = |(place, slot): (usize, Slot)| {
        let label = slot.label.filter(|label| !label.is_empty());
        Ok(SmartSlot {
            model_alias: upstream::text(&format!("slots[{place}].model_alias"), slot.model_alias)?,
            label: label
                .map(|label| upstream::text(&format!("slots[{place}].label"), label))
                .transpose()?,
        })
    };
    given.into_iter().enumerate().map(read).collect()
}

fn checked(row: SmartModelRow) -> Result<SmartModelRow, AdminError> {
    let slots: Vec<&str> = row.slots.iter().map(|slot| slot.model_alias.as_str()).collect();
    let checked = check_smart(
        &row.model_alias,
        &row.determiner_model_alias,
        &slots,
        &row.context_breakpoints,
        row.default_slot_on_failure,
    );
    checked.map_err(|fault| AdminError::bad_request(fault.to_string()))?;
    Ok(row)
}

/// Refuses a determiner or a slot that no enabled route stands behind. Health does not count: a
/// vendor's bad hour must not stop a configuration from being applied.
pub(super) async fn refuse_dead_ends(tx: &mut Tx, row: &SmartModelRow) -> Result<(), AdminError> {
    let names = Names::of(&tx.providers(row.org_id).await?, &tx.routes(row.org_id).await?);
    let determiner = ("determiner_model_alias".to_owned(), &row.determiner_model_alias);
    let slots = row.slots.iter().enumerate();
    let slots = slots.map(|(at, slot)| (format!("slots[{at}].model_alias"), &slot.model_alias));
    for (field, name) in std::iter::once(determiner).chain(slots) {
        if !names.lead_somewhere(name) {
            return Err(AdminError::bad_request(format!(
                "{field}: target '{name}' has no enabled routes"
            )));
        }
    }
    Ok(())
}

/// What can be sent as `model` and reaches an enabled route.
struct Names {
    bare: HashSet<String>,
    /// Lower-case name of the provider, and one of its aliases.
    prefixed: HashSet<(String, String)>,
}

impl Names {
    fn of(providers: &[ProviderRow], routes: &[RouteRow]) -> Self {
        let on = |id: ProviderId| providers.iter().find(|row| row.id == id && row.enabled);
        let enabled: HashSet<(ProviderId, &str)> = routes
            .iter()
            .filter(|row| row.enabled && row.is_enablement())
            .map(|row| (row.provider_id, row.upstream_model.as_str()))
            .collect();
        let prefixes = prefix_holders(providers);
        let mut names = Self { bare: HashSet::new(), prefixed: HashSet::new() };
        for row in routes.iter().filter(|row| row.enabled) {
            let Some(provider) = on(row.provider_id) else { continue };
            if !enabled.contains(&(row.provider_id, row.upstream_model.as_str())) {
                continue;
            }
            if row.bare_alias {
                names.bare.insert(row.model_alias.clone());
            }
            for (prefix, _) in prefixes.iter().filter(|(_, holder)| **holder == provider.id) {
                names.prefixed.insert((prefix.clone(), row.model_alias.clone()));
            }
        }
        names
    }

    fn lead_somewhere(&self, name: &str) -> bool {
        let cut = || name.split_once('/').map(|(prefix, rest)| (prefix.to_lowercase(), rest));
        self.bare.contains(name)
            || cut()
                .is_some_and(|(prefix, rest)| self.prefixed.contains(&(prefix, rest.to_owned())))
    }
}
