//! Which use counts against which policy.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::{BudgetTarget, KeyId, Money, Scope, ScopeType, Spent, TrafficType, UserId};

/// What a person is called, and what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The issuer's name for them.
    pub subject: String,
    /// Their e-mail.
    pub email: Option<String>,
    /// Their roles.
    pub roles: Vec<String>,
}

/// Names that go with ids.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Users.
    pub people: HashMap<UserId, Person>,
    /// Names of keys.
    pub keys: HashMap<KeyId, String>,
}

/// What was used of a counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Requests.
    pub requests: u64,
    /// Tokens.
    pub tokens: u64,
    /// Money.
    pub cost: Money,
}

impl Used {
    fn add(&mut self, spent: &Spent) {
        self.requests = self.requests.saturating_add(spent.requests);
        self.tokens = self.tokens.saturating_add(spent.tokens);
        self.cost = self.cost.plus(spent.cost);
    }

    fn highest(self, other: Self) -> Self {
        Self {
            requests: self.requests.max(other.requests),
            tokens: self.tokens.max(other.tokens),
            cost: self.cost.max(other.cost),
        }
    }
}

/// What counts against a policy. Where it is about every user (key, group, …), each has a counter of
/// their own, and the highest figures are told.
#[must_use]
pub fn used(
    scope: &Scope,
    target: &BudgetTarget,
    traffic: TrafficType,
    spent: &[Spent],
    directory: &Directory,
) -> Used {
    if traffic == TrafficType::Mcp {
        return Used::default();
    }
    let mut counters: HashMap<String, Used> = HashMap::new();
    for spent in spent.iter().filter(|spent| is_target(target, spent)) {
        for entity in entities(scope, spent, directory) {
            counters.entry(entity).or_default().add(spent);
        }
    }
    counters.into_values().fold(Used::default(), Used::highest)
}

fn is_target(target: &BudgetTarget, spent: &Spent) -> bool {
    target.provider.is_none_or(|wanted| spent.provider == Some(wanted))
        && is_same(target.upstream_model.as_ref(), spent.upstream_model.as_ref())
        && is_same(target.model_alias.as_ref(), spent.alias.as_ref())
}

fn is_same(wanted: Option<&String>, found: Option<&String>) -> bool {
    wanted.is_none() || wanted == found
}

/// Those of the scope's kind that the use is of, as far as the scope is about them.
fn entities(scope: &Scope, spent: &Spent, directory: &Directory) -> Vec<String> {
    let person = spent.user.and_then(|id| directory.people.get(&id));
    match scope.kind {
        ScopeType::Org => vec![String::new()],
        ScopeType::User => {
            let names = person.map(|person| [Some(&person.subject), person.email.as_ref()]);
            let names: Vec<&str> =
                names.iter().flatten().flatten().map(|name| name.as_str()).collect();
            one(scope, spent.user.map(|id| id.0), &names)
        }
        ScopeType::ApiKey => {
            let name = spent.api_key.and_then(|id| directory.keys.get(&id)).map(String::as_str);
            one(scope, spent.api_key.map(|id| id.0), name.as_slice())
        }
        ScopeType::Group | ScopeType::Team => named(scope, &spent.groups),
        ScopeType::Role => named(scope, person.map_or(&[][..], |person| person.roles.as_slice())),
        ScopeType::LlmProvider => {
            let name = spent.provider_name.as_deref();
            let is_it = |wanted: &str| name.is_some_and(|name| same_provider(wanted, name));
            let same = scope.value.as_deref().filter(|wanted| is_it(wanted)).or(name);
            one(scope, spent.provider.map(|id| id.0), same.as_slice())
        }
        ScopeType::Model => named(scope, spent.upstream_model.as_slice()),
        ScopeType::ModelAlias => named(scope, spent.alias.as_slice()),
        ScopeType::Project | ScopeType::McpServer | ScopeType::Agent => Vec::new(),
    }
}

/// Names of providers are the same whatever their case.
fn same_provider(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Something with an id and names.
fn one(scope: &Scope, id: Option<Uuid>, names: &[&str]) -> Vec<String> {
    let is_named = scope.value.as_deref().is_none_or(|wanted| names.contains(&wanted));
    let id = id.filter(|id| is_named && scope.id.is_none_or(|wanted| wanted == *id));
    id.iter().map(Uuid::to_string).collect()
}

/// Things that are their names. Some identity providers name groups by UUIDs.
fn named(scope: &Scope, names: &[String]) -> Vec<String> {
    let is_it = |name: &&String| {
        scope.value.as_ref().is_none_or(|wanted| wanted == *name)
            && scope.id.is_none_or(|wanted| Uuid::parse_str(name) == Ok(wanted))
    };
    names.iter().filter(is_it).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProviderId;

    fn scope(kind: ScopeType, id: Option<Uuid>, value: Option<&str>) -> Scope {
        Scope { kind, id, value: value.map(str::to_owned) }
    }

    /// Ann has used 10 tokens with a key and 5 with another, Bob 7.
    struct Scene {
        ann: UserId,
        bob: UserId,
        key: KeyId,
        provider: ProviderId,
        group: Uuid,
        spent: Vec<Spent>,
        directory: Directory,
    }

    fn scene() -> Scene {
        let (ann, bob) = (UserId::random(), UserId::random());
        let (key, other) = (KeyId::random(), KeyId::random());
        let (provider, group) = (ProviderId::random(), Uuid::new_v4());
        let of = |user, api_key, tokens, alias: &str| Spent {
            api_key: Some(api_key),
            user: Some(user),
            groups: vec!["research".to_owned(), group.to_string()],
            alias: Some(alias.to_owned()),
            provider: Some(provider),
            provider_name: Some("OpenAI".to_owned()),
            upstream_model: Some("gpt-4o".to_owned()),
            requests: 1,
            tokens,
            cost: Money(i64::try_from(tokens).unwrap()),
        };
        let mut spent =
            vec![of(ann, key, 10, "fast"), of(ann, other, 5, "slow"), of(bob, other, 7, "fast")];
        spent[2].groups = vec!["sales".to_owned()];
        spent[2].provider = Some(ProviderId::random());
        spent[2].provider_name = Some("azure".to_owned());
        let person = |subject: &str, role: &str| Person {
            subject: subject.to_owned(),
            email: Some(format!("{subject}@acme.test")),
            roles: vec![role.to_owned()],
        };
        let people = [(ann, person("ann", "admin")), (bob, person("bob", "user"))].into();
        let directory = Directory { people, keys: [(key, "ci".to_owned())].into() };
        Scene { ann, bob, key, provider, group, spent, directory }
    }

    #[test]
    fn every_kind_of_scope_counts_its_own_and_no_more() {
        use ScopeType::*;
        let scene = scene();
        let nobody = Some(Uuid::new_v4());
        for (scope, tokens) in [
            (scope(Org, None, None), 22),
            (scope(User, Some(scene.ann.0), None), 15),
            (scope(User, Some(scene.bob.0), None), 7),
            (scope(User, None, Some("ann@acme.test")), 15),
            (scope(User, None, Some("bob")), 7),
            (scope(User, Some(scene.ann.0), Some("bob")), 0),
            (scope(User, nobody, None), 0),
            (scope(User, None, None), 15),
            (scope(ApiKey, Some(scene.key.0), None), 10),
            (scope(ApiKey, None, Some("ci")), 10),
            (scope(ApiKey, None, Some("other")), 0),
            (scope(ApiKey, None, None), 12),
            (scope(Group, None, Some("research")), 15),
            (scope(Team, None, Some("sales")), 7),
            (scope(Group, Some(scene.group), None), 15),
            (scope(Group, None, None), 15),
            (scope(Role, None, Some("user")), 7),
            (scope(LlmProvider, Some(scene.provider.0), None), 15),
            (scope(LlmProvider, None, Some("openai")), 15),
            (scope(LlmProvider, None, Some("azure")), 7),
            (scope(LlmProvider, None, Some("gone")), 0),
            (scope(LlmProvider, None, None), 15),
            (scope(Model, None, Some("gpt-4o")), 22),
            (scope(ModelAlias, None, Some("slow")), 5),
            (scope(ModelAlias, None, None), 17),
            (scope(Project, None, None), 0),
            (scope(Agent, None, Some("ann")), 0),
            (scope(McpServer, nobody, None), 0),
        ] {
            let count = |traffic| {
                let target = BudgetTarget::default();
                used(&scope, &target, traffic, &scene.spent, &scene.directory)
            };
            assert_eq!(count(TrafficType::All).tokens, tokens, "{scope:?}");
            assert_eq!(count(TrafficType::Llm).tokens, tokens, "{scope:?}");
            assert_eq!(count(TrafficType::Mcp), Used::default(), "{scope:?}");
        }
    }

    #[test]
    fn a_target_narrows_what_counts() {
        let scene = scene();
        let text = |text: &str| Some(text.to_owned());
        let provider = Some(scene.provider);
        for (target, requests) in [
            (BudgetTarget { provider, ..BudgetTarget::default() }, 2),
            (BudgetTarget { provider, upstream_model: text("gpt-4o"), model_alias: None }, 2),
            (BudgetTarget { provider, upstream_model: text("o3"), model_alias: None }, 0),
            (BudgetTarget { model_alias: text("fast"), ..BudgetTarget::default() }, 2),
        ] {
            let everyone = scope(ScopeType::Org, None, None);
            let all = TrafficType::All;
            let used = used(&everyone, &target, all, &scene.spent, &scene.directory);
            assert_eq!(used.requests, requests, "{target:?}");
        }
    }
}
