//! Whom a policy is about, as requests say it: the same for limits, budgets and access.

use uuid::Uuid;

use super::{error::AdminError, patch::Patch, upstream};
use crate::domain::{Scope, ScopeType, TrafficType};

/// Kinds that a limit or a budget may be about.
pub(super) const LIMITS: &[ScopeType] = ScopeType::ALL;
/// Kinds that an access policy may be about.
pub(super) const IDENTITY: &[ScopeType] = ScopeType::IDENTITY;

/// A word out of a list, or a refusal that names the field and the list.
pub(super) fn word<T>(field: &str, text: &str, known: &[T]) -> Result<T, AdminError>
where
    T: Copy + std::fmt::Display + std::str::FromStr + PartialEq,
{
    let found = text.parse::<T>().ok().filter(|found| known.contains(found));
    found.ok_or_else(|| {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let text: String = text.chars().take(64).collect();
        let known = known.join(", ");
        AdminError::bad_request(format!("invalid {field} '{text}'. Must be one of: {known}"))
    })
}

/// `traffic_type`
pub(super) fn traffic(text: &str) -> Result<TrafficType, AdminError> {
    word("traffic_type", text, TrafficType::ALL)
}

/// `scope_value`; an empty one is none.
pub(super) fn value(given: Option<String>) -> Result<Option<String>, AdminError> {
    let given = given.filter(|value| !value.is_empty());
    given.map(|value| upstream::text("scope_value", value)).transpose()
}

/// The scope of a new policy.
pub(super) fn scope(
    known: &[ScopeType],
    kind: &str,
    id: Option<Uuid>,
    given: Option<String>,
) -> Result<Scope, AdminError> {
    let scope = Scope { kind: word("scope_type", kind, known)?, id, value: value(given)? };
    names_one(&scope)?;
    Ok(scope)
}

/// Models, aliases and providers are named in full: a wildcard would be accepted and never match.
fn names_one(scope: &Scope) -> Result<(), AdminError> {
    use ScopeType::{LlmProvider, Model, ModelAlias};
    if matches!(scope.kind, Model | ModelAlias | LlmProvider) {
        literal("scope_value", scope.value.as_deref())?;
    }
    Ok(())
}

/// A name that is no pattern.
pub(super) fn literal(field: &str, name: Option<&str>) -> Result<(), AdminError> {
    match name.filter(|name| name.contains('*')) {
        None => Ok(()),
        Some(name) => Err(AdminError::bad_request(format!(
            "{field} '{name}' would never match: it names one, and takes no wildcard. Leave it out for every \
             one, or make a policy for each"
        ))),
    }
}

/// The changed scope of a policy: null clears the id and the value, and keeps the type.
pub(super) fn change(
    scope: &mut Scope,
    known: &[ScopeType],
    kind: Option<&str>,
    id: Patch<Uuid>,
    given: Patch<String>,
) -> Result<(), AdminError> {
    let is_news = kind.is_some_and(|kind| kind != scope.kind.as_str())
        || matches!(&given, Patch::Set(given) if Some(given) != scope.value.as_ref());
    if let Some(kind) = kind {
        scope.kind = word("scope_type", kind, known)?;
    }
    id.apply(&mut scope.id);
    match given {
        Patch::Keep => {}
        Patch::Clear => scope.value = None,
        Patch::Set(given) => scope.value = value(Some(given))?,
    }
    // One that was stored before it was looked at can still be switched off.
    if is_news { names_one(scope) } else { Ok(()) }
}
