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

/// A denial of a name holds however it is written: `openai/gpt-4o` is `gpt-4o`, too.
fn denies(target: &AccessTarget, asked: &Asked) -> bool {
    match target {
        AccessTarget::ModelAlias { alias } => {
            covers(alias, asked.name) || covers(alias, asked.route.alias)
        }
        AccessTarget::Provider { provider_id } => *provider_id == asked.route.provider,
        _ => names_route(target, asked),
    }
}

/// A grant of a provider is one of its own models, not of aliases that somebody made for them.
fn grants(target: &AccessTarget, asked: &Asked) -> bool {
    match target {
        AccessTarget::ModelAlias { alias } => covers(alias, asked.name),
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

    /// `fast` leads to gpt-4o of provider 1.
    fn fast(policies: &[AccessPolicy]) -> bool {
        let route = Candidate { provider: id(1), alias: "fast", upstream_model: "gpt-4o" };
        permits(policies, &Asked { name: "fast", route })
    }

    fn gpt_4o(name: &str, policies: &[AccessPolicy]) -> bool {
        let route = Candidate { provider: id(1), alias: "gpt-4o", upstream_model: "gpt-4o" };
        permits(policies, &Asked { name, route })
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
