//! Which models a caller may use: allow and deny lists over names and routes.
//!
//! A matching denylist always denies. Where any allowlist is about the caller, one of them has to match;
//! where none is, everything else is allowed.

use crate::domain::{AccessKind, AccessTarget, ProviderId};

/// An access policy, as far as a request is held to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessPolicy {
    /// What its targets are.
    pub kind: AccessKind,
    /// What it lists; any one of them is enough.
    pub targets: Vec<AccessTarget>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The name as the caller sent it.
    pub name: &'a str,
    /// One of the routes that it leads to.
    pub route: Candidate<'a>,
}

/// A route, as access policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its provider.
    pub provider: ProviderId,
    /// What a name pinned to the provider may begin with, whatever its case: the provider's own name
    /// first, then the slugs of its vendor.
    pub prefixes: [&'a str; 3],
    /// The alias of its row.
    pub alias: &'a str,
    /// The model that it reaches.
    pub upstream_model: &'a str,
}

/// Whether a request may take a route, by all the policies that are about its caller.
#[must_use]
pub fn permits<'p>(policies: impl IntoIterator<Item = &'p AccessPolicy>, asked: &Asked) -> bool {
    let (mut listed, mut any_list) = (false, false);
    for policy in policies {
        let mut targets = policy.targets.iter();
        match policy.kind {
            AccessKind::Denylist => {
                if targets.any(|target| denies(target, asked)) {
                    return false;
                }
            }
            AccessKind::Allowlist => {
                any_list = true;
                listed = listed || targets.any(|target| grants(target, asked));
            }
        }
    }
    listed || !any_list
}

/// A denial of a name holds however it is written: `openai/gpt-4o` is `gpt-4o`, too, and `OpenAI/gpt-4o`.
fn denies(target: &AccessTarget, asked: &Asked) -> bool {
    match target {
        AccessTarget::ModelAlias { alias } => {
            covers(alias, asked.name)
                || covers(alias, asked.route.alias)
                || (asked.is_pinned()
                    && asked.route.prefixes.iter().any(|prefix| pins(alias, prefix, &asked.route)))
        }
        AccessTarget::Provider { provider_id } => *provider_id == asked.route.provider,
        _ => names_route(target, asked),
    }
}

/// A grant of a name is of the name as it is listed, whatever the case of its provider; one of a slug is
/// of that slug alone, for several providers may have it. A grant of a provider is one of its own models, not of aliases that somebody made for them.
fn grants(target: &AccessTarget, asked: &Asked) -> bool {
    match target {
        AccessTarget::ModelAlias { alias } => {
            covers(alias, asked.name)
                || (asked.is_pinned() && pins(alias, asked.route.prefixes[0], &asked.route))
        }
        AccessTarget::Provider { provider_id } => {
            *provider_id == asked.route.provider && asked.route.alias == asked.route.upstream_model
        }
        _ => names_route(target, asked),
    }
}

fn names_route(target: &AccessTarget, asked: &Asked) -> bool {
    match target {
        AccessTarget::Model { model } => covers(model, asked.route.upstream_model),
        AccessTarget::ProviderModel { provider_id, model } => {
            *provider_id == asked.route.provider && covers(model, asked.route.alias)
        }
        AccessTarget::ModelAlias { .. } | AccessTarget::Provider { .. } => false,
    }
}

impl Asked<'_> {
    /// Whether the name is a provider's and one of its models.
    fn is_pinned(&self) -> bool {
        self.name != self.route.alias && self.name.contains('/')
    }
}

/// Whether a pattern names a route as one of the provider that is called `prefix`.
fn pins(pattern: &str, prefix: &str, route: &Candidate) -> bool {
    match pattern.split_once('/') {
        Some((provider, model)) => same(provider, prefix) && covers(model, route.alias),
        None => pattern.strip_suffix('*').is_some_and(|beginning| {
            prefix.get(..beginning.len()).is_some_and(|to| same(beginning, to))
        }),
    }
}

/// As prefixes are looked up: without regard to case.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || !(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase()
}

/// Whether a name is the pattern, or begins as it does up to a trailing `*`.
fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProviderId;

    fn id(n: u128) -> ProviderId {
        ProviderId(uuid::Uuid::from_u128(n))
    }

    fn alias(name: &str) -> AccessTarget {
        AccessTarget::ModelAlias { alias: name.to_owned() }
    }

    fn model(name: &str) -> AccessTarget {
        AccessTarget::Model { model: name.to_owned() }
    }

    fn at(provider: u128, name: &str) -> AccessTarget {
        AccessTarget::ProviderModel { provider_id: id(provider), model: name.to_owned() }
    }

    fn allow(targets: &[AccessTarget]) -> AccessPolicy {
        AccessPolicy { kind: AccessKind::Allowlist, targets: targets.to_vec() }
    }

    fn deny(targets: &[AccessTarget]) -> AccessPolicy {
        AccessPolicy { kind: AccessKind::Denylist, targets: targets.to_vec() }
    }

    /// To gpt-4o of provider 1, which is called Prod and is one of Azure's.
    fn route(alias: &str) -> Candidate<'_> {
        let prefixes = ["Prod", "azure", "azure_openai"];
        Candidate { provider: id(1), prefixes, alias, upstream_model: "gpt-4o" }
    }

    /// `fast` leads to gpt-4o of provider 1.
    fn fast(policies: &[AccessPolicy]) -> bool {
        permits(policies, &Asked { name: "fast", route: route("fast") })
    }

    fn gpt_4o(name: &str, policies: &[AccessPolicy]) -> bool {
        permits(policies, &Asked { name, route: route("gpt-4o") })
    }

    #[test]
    fn without_a_policy_everything_is_allowed() {
        assert!(fast(&[]));
    }

    #[test]
    fn an_allowlist_allows_what_it_lists_and_nothing_else() {
        assert!(fast(&[allow(&[alias("fast")])]));
        assert!(fast(&[allow(&[alias("f*")])]));
        assert!(!fast(&[allow(&[alias("slow")])]));
        assert!(fast(&[allow(&[alias("slow"), model("gpt-*")])]), "any target is enough");
        assert!(fast(&[allow(&[alias("slow")]), allow(&[alias("fast")])]), "any list is enough");
    }

    #[test]
    fn a_denial_wins_over_every_grant() {
        assert!(!fast(&[allow(&[alias("fast")]), deny(&[alias("fast")])]));
        assert!(!fast(&[deny(&[model("gpt-4*")]), allow(&[alias("fast")])]));
        assert!(fast(&[deny(&[alias("slow"), model("o3")])]));
    }

    #[test]
    fn a_model_is_told_behind_any_alias() {
        assert!(!fast(&[deny(&[model("gpt-4o")])]));
        assert!(fast(&[allow(&[model("gpt-4o")])]));
    }

    #[test]
    fn an_alias_that_is_denied_cannot_be_had_by_way_of_its_provider() {
        assert!(!gpt_4o("openai/gpt-4o", &[deny(&[alias("gpt-4o")])]));
        assert!(!gpt_4o("openai/gpt-4o", &[deny(&[alias("openai/*")])]));
        assert!(!gpt_4o("openai/gpt-4o", &[allow(&[alias("gpt-4o")])]), "a grant is literal");
    }

    #[test]
    fn a_model_of_a_provider_is_denied_however_the_provider_is_written() {
        let ways = ["Prod/gpt-4o", "prod/gpt-4o", "AZURE/gpt-4o", "azure_openai/gpt-4o"];
        for denied in ["Prod/gpt-4o", "PROD/gpt-*", "pro*", "azure/gpt-4o", "Azure_OpenAI/*"] {
            for way in ways {
                assert!(!gpt_4o(way, &[deny(&[alias(denied)])]), "{way} by {denied}");
            }
            assert!(gpt_4o("gpt-4o", &[deny(&[alias(denied)])]), "bare, by {denied}");
        }
        for other in ["Prod/o3", "other/gpt-4o", "prod", "Production/*", "prodigy*"] {
            assert!(gpt_4o("prod/gpt-4o", &[deny(&[alias(other)])]), "{other}");
        }
    }

    #[test]
    fn a_grant_of_a_listed_name_is_of_any_case_of_its_provider_and_one_of_a_slug_is_literal() {
        for way in ["Prod/gpt-4o", "prod/gpt-4o", "azure/gpt-4o"] {
            assert!(gpt_4o(way, &[allow(&[alias("PROD/gpt-4o")])]), "{way}");
        }
        assert!(gpt_4o("azure/gpt-4o", &[allow(&[alias("azure/gpt-4o")])]));
        assert!(!gpt_4o("prod/gpt-4o", &[allow(&[alias("azure/gpt-4o")])]));
        assert!(!gpt_4o("gpt-4o", &[allow(&[alias("Prod/gpt-4o")])]), "all routes of the name");
    }

    #[test]
    fn a_provider_is_denied_whole_and_granted_with_its_own_models_alone() {
        let provider = |n| AccessTarget::Provider { provider_id: id(n) };
        assert!(!fast(&[deny(&[provider(1)])]));
        assert!(fast(&[deny(&[provider(2)])]));
        assert!(!fast(&[allow(&[provider(1)])]), "an alias that somebody made");
        assert!(gpt_4o("gpt-4o", &[allow(&[provider(1)])]));
        assert!(!gpt_4o("gpt-4o", &[allow(&[provider(2)])]));
    }

    #[test]
    fn a_name_on_one_provider_is_that_alone() {
        assert!(fast(&[allow(&[at(1, "fast")])]));
        assert!(!fast(&[allow(&[at(2, "fast")])]));
        assert!(!fast(&[deny(&[at(1, "f*")])]));
        assert!(fast(&[deny(&[at(1, "gpt-4o")])]), "the alias there, not what it reaches");
    }
}
