//! Which use counts against which policy.

use std::collections::HashMap;

use super::Subject;
use crate::domain::{BudgetTarget, Directory, Money, Scope, Spent, TrafficType};

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

    /// The highest figure of each kind.
    #[must_use]
    pub fn most(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::default(), Self::highest)
    }

    fn highest(self, other: Self) -> Self {
        Self {
            requests: self.requests.max(other.requests),
            tokens: self.tokens.max(other.tokens),
            cost: self.cost.max(other.cost),
        }
    }
}

/// What counts against a policy, by counter: one for everyone of the scope's type whom it is about.
#[must_use]
pub fn counters(
    scope: &Scope,
    target: &BudgetTarget,
    traffic: TrafficType,
    spent: &[Spent],
    directory: &Directory,
) -> HashMap<String, Used> {
    let mut counters: HashMap<String, Used> = HashMap::new();
    if traffic == TrafficType::Mcp {
        return counters;
    }
    for spent in spent {
        let subject = subject(spent, directory);
        if !subject.is_target(target) {
            continue;
        }
        for entity in subject.entities(scope) {
            counters.entry(entity).or_default().add(spent);
        }
    }
    counters
}

/// A recorded use, with the names that go with its ids.
fn subject<'a>(spent: &'a Spent, directory: &'a Directory) -> Subject<'a> {
    let key_name = spent.api_key.and_then(|id| directory.keys.get(&id));
    Subject {
        key: spent.api_key,
        key_name: key_name.map(String::as_str),
        user: spent.user,
        person: spent.user.and_then(|id| directory.people.get(&id)),
        groups: &spent.groups,
        alias: spent.alias.as_deref(),
        smart_model: spent.smart_model.as_deref(),
        provider: spent.provider,
        provider_name: spent.provider_name.as_deref(),
        upstream_model: spent.upstream_model.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{KeyId, Person, ProviderId, ScopeType, UserId};

    fn scope(kind: ScopeType, id: Option<Uuid>, value: Option<&str>) -> Scope {
        Scope { kind, id, value: value.map(str::to_owned) }
    }

    /// What counts against a policy, by whoever used most.
    fn used(
        scope: &Scope,
        target: &BudgetTarget,
        traffic: TrafficType,
        spent: &[Spent],
        directory: &Directory,
    ) -> Used {
        Used::most(counters(scope, target, traffic, spent, directory).into_values())
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
            smart_model: (alias == "slow").then(|| "auto".to_owned()),
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
            (scope(ModelAlias, None, Some("auto")), 5),
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
            (BudgetTarget { model_alias: text("auto"), ..BudgetTarget::default() }, 1),
        ] {
            let everyone = scope(ScopeType::Org, None, None);
            let all = TrafficType::All;
            let used = used(&everyone, &target, all, &scene.spent, &scene.directory);
            assert_eq!(used.requests, requests, "{target:?}");
        }
    }
}
