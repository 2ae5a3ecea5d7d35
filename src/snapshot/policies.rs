//! An organization's policies, ready to be held against requests.

use std::sync::Arc;

use hashbrown::HashMap;
use uuid::Uuid;

use super::Route;
use crate::{
    domain::{BudgetTarget, ExhaustAction, Money, OrgId, RouteId, Scope, ScopeType, TrafficType},
    govern::{Check, Counter, Rule},
    policy::{AccessPolicy, Asked, Candidate, Subject, permits},
    store::{AccessRow, BudgetRow, RateLimitRow},
};

/// A rate limit or a budget that is in force.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its id.
    pub id: Uuid,
    /// For people; refusals name it.
    pub name: Arc<str>,
    /// Whom it is about.
    pub scope: Scope,
    /// What it is narrowed to; nothing for rate limits.
    pub target: BudgetTarget,
    /// What it holds them to.
    pub rule: Rule,
    /// Percentages of a budget at which an alert is sent, ascending.
    pub thresholds: Arc<[u8]>,
}

/// The policies of an organization that are switched on.
pub struct Policies {
    limits: HashMap<Uuid, Arc<Policy>>,
    /// Those about whoever calls, in a lasting order.
    about_callers: Vec<Arc<Policy>>,
    /// Those about what is reached: they hold for routes, whoever calls.
    by_route: HashMap<RouteId, Arc<[Check]>>,
    /// Those of them that an alias decides on, which may be a smart model's name: no route has that.
    of_names: Vec<Arc<Policy>>,
    access: Vec<(Scope, Arc<AccessPolicy>)>,
    none: Arc<[Check]>,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            limits: HashMap::new(),
            about_callers: Vec::new(),
            by_route: HashMap::new(),
            of_names: Vec::new(),
            access: Vec::new(),
            none: Arc::new([]),
        }
    }
}

/// What one caller is held to.
#[derive(Debug)]
pub struct CallerPolicies {
    /// Whatever is called.
    pub checks: Arc<[Check]>,
    /// On the routes that a target names.
    pub targeted: Vec<(BudgetTarget, Check)>,
    /// What may be called.
    pub access: Vec<Arc<AccessPolicy>>,
}

impl CallerPolicies {
    /// Whether the caller may take a route, having asked for `name`.
    #[must_use]
    pub fn may_use(&self, name: &str, route: &Route) -> bool {
        let route = Candidate {
            provider: route.provider.id,
            prefixes: [&route.provider.name, route.provider.catalog, &route.provider.vendor.slug],
            alias: &route.alias,
            upstream_model: &route.upstream_model,
        };
        permits(self.access.iter().map(AsRef::as_ref), &Asked { name, route })
    }
}

impl Policies {
    /// What is in force of these rows for these routes.
    #[must_use]
    pub(super) fn new(
        org: OrgId,
        rate_limits: &[RateLimitRow],
        budgets: &[BudgetRow],
        access: &[AccessRow],
        routes: &[Arc<Route>],
    ) -> Self {
        let limits: Vec<Arc<Policy>> = rate_limits
            .iter()
            .filter(|row| in_force(row.enabled, row.traffic))
            .map(rate_limit)
            .chain(budgets.iter().filter(|row| in_force(row.enabled, row.traffic)).map(budget))
            .map(Arc::new)
            .collect();
        let (about_routes, about_callers): (Vec<_>, Vec<_>) =
            limits.iter().cloned().partition(|policy| policy.scope.kind.is_about_routes());
        let access = access
            .iter()
            .filter(|row| in_force(row.enabled, row.traffic))
            .map(|row| {
                let policy = AccessPolicy { kind: row.kind, targets: row.targets.clone() };
                (row.scope.clone(), Arc::new(policy))
            })
            .collect();
        let by_route = routes
            .iter()
            .map(|route| (route.id, checks_of_route(org, route, &about_routes)))
            .filter(|(_, checks)| !checks.is_empty())
            .collect();
        let of_names = about_routes.into_iter().filter(|policy| is_of_name(policy)).collect();
        let limits = limits.into_iter().map(|policy| (policy.id, policy)).collect();
        Self { limits, about_callers, by_route, of_names, access, none: Arc::new([]) }
    }

    /// A rate limit or budget by its id.
    #[must_use]
    pub fn limit(&self, id: Uuid) -> Option<&Arc<Policy>> {
        self.limits.get(&id)
    }

    /// All rate limits and budgets that are in force.
    pub fn limits(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.limits.values()
    }

    /// What a caller is held to.
    #[must_use]
    pub fn of_caller(&self, org: OrgId, caller: &Subject) -> CallerPolicies {
        let (mut always, mut targeted) = (Vec::new(), Vec::new());
        for policy in &self.about_callers {
            for check in checks(org, policy, caller) {
                if policy.target == BudgetTarget::default() {
                    always.push(check);
                } else {
                    targeted.push((policy.target.clone(), check));
                }
            }
        }
        let access = self.access.iter().filter(|(scope, _)| !caller.entities(scope).is_empty());
        CallerPolicies {
            checks: always.into(),
            targeted,
            access: access.map(|(_, policy)| Arc::clone(policy)).collect(),
        }
    }

    /// What requests of that caller for a smart model are held to, wherever its slots lead: by its own name.
    #[must_use]
    pub fn on_smart(&self, org: OrgId, name: &str, caller: &CallerPolicies) -> Vec<Check> {
        let subject = Subject { smart_model: Some(name), ..Subject::default() };
        let own = caller.targeted.iter().filter(|(target, _)| subject.is_target(target));
        let everyones = self.of_names.iter().filter(|policy| subject.is_target(&policy.target));
        let everyones = everyones.flat_map(|policy| checks(org, policy, &subject));
        everyones.chain(own.map(|(_, check)| check.clone())).collect()
    }

    /// What requests of that caller are held to on a route, and only there; having named a smart model, by that
    /// and the route together, too.
    #[must_use]
    pub fn on_route(
        &self,
        org: OrgId,
        route: &Route,
        caller: &CallerPolicies,
        smart: Option<&str>,
    ) -> Arc<[Check]> {
        let everyones = self.by_route.get(&route.id).unwrap_or(&self.none);
        let of_both = smart.map_or_else(Vec::new, |name| self.of_both(org, route, name));
        if caller.targeted.is_empty() && of_both.is_empty() {
            return Arc::clone(everyones);
        }
        let subject = route.subject();
        let own = caller.targeted.iter().filter(|(target, _)| subject.is_target(target));
        let own = own.map(|(_, check)| check);
        everyones.iter().chain(&of_both).chain(own).cloned().collect()
    }

    /// What is about neither a smart model's name alone nor a route alone.
    fn of_both(&self, org: OrgId, route: &Route, name: &str) -> Vec<Check> {
        let of_route = route.subject();
        let of_name = Subject { smart_model: Some(name), ..Subject::default() };
        let both = Subject { smart_model: Some(name), ..of_route };
        let held = |subject: &Subject<'_>, policy: &Policy, entity: &String| {
            subject.is_target(&policy.target) && subject.entities(&policy.scope).contains(entity)
        };
        let of_policy = |policy: &Arc<Policy>| {
            let mut entities = both.entities(&policy.scope);
            entities.retain(|entity| {
                !held(&of_route, policy, entity) && !held(&of_name, policy, entity)
            });
            entities.into_iter().map(|entity| check(org, policy, entity)).collect::<Vec<_>>()
        };
        let policies = self.of_names.iter().filter(|policy| both.is_target(&policy.target));
        policies.flat_map(of_policy).collect()
    }

    /// Whether no request of that caller is counted by anything.
    #[must_use]
    pub fn is_free(&self, caller: &CallerPolicies) -> bool {
        caller.checks.is_empty()
            && caller.targeted.is_empty()
            && self.by_route.is_empty()
            && self.of_names.is_empty()
    }
}

impl Route {
    /// What it is to policies.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            alias: Some(&self.alias),
            provider: Some(self.provider.id),
            provider_name: Some(&self.provider.name),
            upstream_model: Some(&self.upstream_model),
            ..Subject::default()
        }
    }
}

fn checks_of_route(org: OrgId, route: &Route, policies: &[Arc<Policy>]) -> Arc<[Check]> {
    let subject = route.subject();
    policies
        .iter()
        .filter(|policy| subject.is_target(&policy.target))
        .flat_map(|policy| checks(org, policy, &subject))
        .collect()
}

/// Whether it depends on the alias.
fn is_of_name(policy: &Policy) -> bool {
    policy.scope.kind == ScopeType::ModelAlias || policy.target.model_alias.is_some()
}

/// One check for each of the policy's counters that the subject is of.
fn checks<'a>(
    org: OrgId,
    policy: &'a Policy,
    subject: &Subject<'_>,
) -> impl Iterator<Item = Check> + 'a {
    subject.entities(&policy.scope).into_iter().map(move |entity| check(org, policy, entity))
}

fn check(org: OrgId, policy: &Policy, entity: String) -> Check {
    let counter = Counter::new(org, policy.id, entity.into());
    Check { counter, rule: policy.rule.clone() }
}

fn rate_limit(row: &RateLimitRow) -> Policy {
    Policy {
        id: row.id.0,
        name: row.name.as_str().into(),
        scope: row.scope.clone(),
        target: BudgetTarget::default(),
        rule: Rule::Rate { requests: row.requests_per_minute, tokens: row.tokens_per_minute },
        thresholds: Arc::new([]),
    }
}

fn budget(row: &BudgetRow) -> Policy {
    let mut thresholds = row.alert_thresholds.clone();
    thresholds.sort_unstable();
    thresholds.dedup();
    Policy {
        id: row.id.0,
        name: row.name.as_str().into(),
        scope: row.scope.clone(),
        target: row.target.clone(),
        rule: Rule::Budget {
            period: row.period,
            tokens: u64::try_from(row.token_limit).ok().filter(|limit| *limit > 0),
            cost: row.cost_limit.filter(|limit| *limit > Money::default()),
            blocks: row.action == ExhaustAction::Block,
            marks: row.action == ExhaustAction::Throttle,
            strict: row.strict,
        },
        thresholds: thresholds.into(),
    }
}

/// Those of the rows' kind that hold for calls of models.
fn in_force(enabled: bool, traffic: TrafficType) -> bool {
    enabled && traffic != TrafficType::Mcp
}
