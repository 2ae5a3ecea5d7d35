//! Of whom and of what a use is, as scopes and targets see it.

use uuid::Uuid;

use crate::domain::{BudgetTarget, KeyId, Person, ProviderId, Scope, ScopeType, UserId};

/// Of whom and of what a use is. What is not known, or not decided yet, is none and matches no policy
/// that asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The key.
    pub key: Option<KeyId>,
    /// What it is called.
    pub key_name: Option<&'a str>,
    /// Its user.
    pub user: Option<UserId>,
    /// Who that is.
    pub person: Option<&'a Person>,
    /// The caller's groups.
    pub groups: &'a [String],
    /// The alias that the request's name led to.
    pub alias: Option<&'a str>,
    /// The smart model that chose that alias.
    pub smart_model: Option<&'a str>,
    /// The provider that it reaches.
    pub provider: Option<ProviderId>,
    /// What that is called.
    pub provider_name: Option<&'a str>,
    /// The model that it reaches.
    pub upstream_model: Option<&'a str>,
}

impl Subject<'_> {
    /// Whether a budget with that target is about it.
    #[must_use]
    pub fn is_target(&self, target: &BudgetTarget) -> bool {
        let same = |wanted: Option<&String>, found: &[Option<&str>]| {
            wanted.is_none_or(|wanted| found.contains(&Some(wanted.as_str())))
        };
        target.provider.is_none_or(|wanted| self.provider == Some(wanted))
            && same(target.upstream_model.as_ref(), &[self.upstream_model])
            && same(target.model_alias.as_ref(), &[self.alias, self.smart_model])
    }

    /// Those of the scope's kind that it is of, as far as the scope is about them: the names of the
    /// policy's counters. An organization's one counter has no name.
    #[must_use]
    pub fn entities(&self, scope: &Scope) -> Vec<String> {
        match scope.kind {
            ScopeType::Org => vec![String::new()],
            ScopeType::User => {
                let names =
                    self.person.map(|person| [Some(&person.subject), person.email.as_ref()]);
                let names: Vec<&str> =
                    names.iter().flatten().flatten().map(|name| name.as_str()).collect();
                one(scope, self.user.map(|id| id.0), &names)
            }
            ScopeType::ApiKey => one(scope, self.key.map(|id| id.0), self.key_name.as_slice()),
            ScopeType::Group | ScopeType::Team => {
                named(scope, self.groups.iter().map(String::as_str))
            }
            ScopeType::Role => {
                let roles = self.person.map_or(&[][..], |person| person.roles.as_slice());
                named(scope, roles.iter().map(String::as_str))
            }
            ScopeType::LlmProvider => {
                let is_it =
                    |wanted: &&str| self.provider_name.is_some_and(|name| same(wanted, name));
                let spelt = scope.value.as_deref().filter(is_it).or(self.provider_name);
                one(scope, self.provider.map(|id| id.0), spelt.as_slice())
            }
            ScopeType::Model => named(scope, self.upstream_model.into_iter()),
            ScopeType::ModelAlias => named(scope, self.alias.into_iter().chain(self.smart_model)),
            ScopeType::Project | ScopeType::McpServer | ScopeType::Agent => Vec::new(),
        }
    }
}

/// Names of providers are the same whatever their case.
fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Something with an id and names.
fn one(scope: &Scope, id: Option<Uuid>, names: &[&str]) -> Vec<String> {
    let is_named = scope.value.as_deref().is_none_or(|wanted| names.contains(&wanted));
    let id = id.filter(|id| is_named && scope.id.is_none_or(|wanted| wanted == *id));
    id.iter().map(Uuid::to_string).collect()
}

/// Things that are their names. Some identity providers name groups by UUIDs.
fn named<'a>(scope: &Scope, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_it = |name: &&str| {
        scope.value.as_ref().is_none_or(|wanted| wanted == name)
            && scope.id.is_none_or(|wanted| Uuid::parse_str(name) == Ok(wanted))
    };
    names.filter(is_it).map(str::to_owned).collect()
}
