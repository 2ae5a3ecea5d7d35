//! Limits: whether a request may be served, before its first attempt and when it moves on.
//!
//! One question to the governor holds it against everything that is about its caller and about the
//! routes of its plan; what refuses a route closes that route, what refuses all of them or the caller
//! refuses the request. A request that is refused for another reason is looked at only: a limit that is
//! used up answers first (contract 4.11), and nothing counts it.

use std::sync::Arc;

use smallvec::SmallVec;
use uuid::Uuid;

use super::{
    bound,
    ctx::Call,
    refusal::{self, Refusal},
    shared::Shared,
};
use crate::{
    auth::Principal,
    domain::{Position, RouteId, Timestamp, UsageRecord},
    govern::{
        Amount, Ask, Block, BlockedRoute, Bound, Check, Denied, Grant, Kind, Lease, Moved,
        RouteAsk, Rule, Standing, Verdict,
    },
    route::Plan,
    snapshot::{CallerPolicies, OrgSnapshot, Route},
};

/// What a request holds of its limits while it is served.
pub struct Reservation {
    lease: Lease,
    /// The route that it is for.
    route: Option<RouteId>,
    /// Whether moving to another route makes a difference.
    moves: bool,
    org: Arc<OrgSnapshot>,
    at: Timestamp,
    /// Whether a strict budget has reserved the most that it may use.
    pub is_strict: bool,
    /// The most tokens that strict budgets still afford for each answer, where the client names no limit.
    pub output_cap: Option<u64>,
    /// The most that it may use on its route, where a strict budget asks for it.
    pub bound: Option<Bound>,
}

/// A route that the request may not use now.
pub struct PassedOver {
    route: Arc<Route>,
    by: Block,
    policy: Arc<str>,
}

impl PassedOver {
    fn new(route: &Arc<Route>, by: Block, org: &OrgSnapshot) -> Self {
        let policy = name_of(Some(by.check.counter.policy), org).unwrap_or_default();
        Self { route: Arc::clone(route), by, policy }
    }

    /// Which route, and why, for people.
    pub fn tell(&self) -> String {
        let why = refusal::used_up(&self.by, &self.policy);
        format!("{} at {}: {why}", self.route.upstream_model, self.route.provider.name)
    }
}

/// Decides on a request whose model led to `plan`, or to a refusal.
///
/// # Errors
/// Why it may not be served.
pub async fn admit(
    shared: &Shared,
    call: &mut Call,
    at: Timestamp,
    org: &Arc<OrgSnapshot>,
    plan: Result<Box<Plan>, Refusal>,
) -> Result<Box<Plan>, Refusal> {
    let Some(principal) = call.principal.clone() else { return plan };
    let held = shared.callers.held(org, &principal);
    let name = call.inbound.as_ref().map_or("", |inbound| inbound.head.model_name.as_str());
    // What a determiner is, the operator has decided, and not the caller.
    let plan = plan.and_then(|plan| {
        if call.determiner { Ok(plan) } else { permitted(plan, name, &held.policies) }
    });
    if org.policies.is_free(&held.policies) {
        return plan;
    }
    let caller = &counted(call, &callers(org, &held.policies, call.smart_name.as_deref()));
    let asked = match &plan {
        Ok(plan) => routes(call, plan, org, (&held.policies, caller), at),
        Err(_) => SmallVec::new(),
    };
    if caller.is_empty() && asked.iter().all(|route| route.checks.is_empty()) {
        return plan;
    }
    let routes: SmallVec<[RouteAsk<'_>; 4]> = asked.iter().map(Asked::ask).collect();
    let expected = match &plan {
        Ok(plan) => {
            let kind = Kind { org: org.id, alias: plan.alias(), endpoint: call.endpoint };
            let checks = caller.iter().chain(asked.iter().flat_map(|route| route.checks.iter()));
            shared.governor.expectations().of(kind, checks)
        }
        Err(_) => Amount::ZERO,
    };
    let counts = plan.is_ok();
    let verdict = shared
        .governor
        .admit(&Ask { org: org.id, at, caller, routes: &routes, expected, counts })
        .await;
    match verdict {
        Verdict::Granted(grant) => {
            call.standing = grant.standing;
            plan.map(|plan| granted(call, plan, grant, &asked, (org, at)))
        }
        Verdict::Denied(Denied { by, standing, .. }) => {
            call.standing = standing;
            Err(denied(&by, org))
        }
        Verdict::Unavailable => Err(counters_away()),
    }
}

/// What a caller's request is held to wherever it goes: by what is about the caller, and by what is about the
/// smart model that it names.
fn callers(org: &OrgSnapshot, caller: &CallerPolicies, smart: Option<&str>) -> Arc<[Check]> {
    let own = smart.map_or_else(Vec::new, |name| org.policies.on_smart(org.id, name, caller));
    if own.is_empty() {
        return Arc::clone(&caller.checks);
    }
    caller.checks.iter().cloned().chain(own).collect()
}

/// What a request is held to of `checks`: a determiner's is none of the caller's requests, its tokens and its
/// cost are the caller's.
fn counted(call: &Call, checks: &Arc<[Check]>) -> Arc<[Check]> {
    if !call.determiner {
        return Arc::clone(checks);
    }
    let of_tokens = |check: &Check| match &check.rule {
        Rule::Rate { tokens, .. } => {
            let rule = Rule::Rate { requests: None, tokens: *tokens };
            tokens.map(|_| Check { counter: check.counter.clone(), rule })
        }
        Rule::Budget { .. } => Some(check.clone()),
    };
    checks.iter().filter_map(of_tokens).collect()
}

/// Says how the caller stands whose request was not held to its limits: by what is known here, and counting
/// nothing.
pub fn tell_standing(shared: &Shared, call: &mut Call) {
    let Some(principal) = call.principal.as_ref().filter(|_| call.standing == Standing::default())
    else {
        return;
    };
    let snapshot = shared.snapshot.load();
    let Some(org) = snapshot.orgs.get(&principal.org) else { return };
    let held = shared.callers.held(org, principal);
    call.standing = shared.governor.standing(org.id, &held.policies.checks);
}

/// What a caller asks for, before it is known which of the routes it will be.
pub struct Wanted<'a> {
    /// The smart model that it named.
    pub name: &'a str,
    /// Every route that may come of it.
    pub routes: &'a [Arc<Route>],
}

/// Whether a caller will be refused in any case. Nothing is counted.
pub async fn refuses(
    shared: &Shared,
    principal: &Arc<Principal>,
    org: &Arc<OrgSnapshot>,
    at: Timestamp,
    wanted: &Wanted<'_>,
) -> bool {
    let held = shared.callers.held(org, principal);
    if !wanted.routes.iter().any(|route| held.policies.may_use(wanted.name, route)) {
        return true;
    }
    let caller = &callers(org, &held.policies, Some(wanted.name));
    if caller.is_empty() {
        return false;
    }
    let ask = Ask { org: org.id, at, caller, routes: &[], expected: Amount::ZERO, counts: false };
    !matches!(shared.governor.admit(&ask).await, Verdict::Granted(_))
}

/// Closes the routes that the caller may not use.
fn permitted(
    mut plan: Box<Plan>,
    name: &str,
    caller: &CallerPolicies,
) -> Result<Box<Plan>, Refusal> {
    if caller.access.is_empty() {
        return Ok(plan);
    }
    let closed: SmallVec<[usize; 4]> = plan
        .open()
        .filter(|(_, route)| !caller.may_use(name, route))
        .map(|(position, _)| position)
        .collect();
    plan.close(closed);
    if plan.current().is_none() { Err(refusal::model_not_allowed(name)) } else { Ok(plan) }
}

/// A route of the plan, and what the request is held to on it.
struct Asked {
    position: usize,
    route: Arc<Route>,
    checks: Arc<[Check]>,
    bound: Option<Bound>,
}

impl Asked {
    fn ask(&self) -> RouteAsk<'_> {
        RouteAsk { checks: &self.checks, bound: self.bound }
    }
}

fn routes(
    call: &Call,
    plan: &Plan,
    org: &OrgSnapshot,
    caller: (&CallerPolicies, &[Check]),
    at: Timestamp,
) -> SmallVec<[Asked; 4]> {
    plan.open()
        .map(|(position, route)| Asked { position, ..asked(call, route, org, caller, at) })
        .collect()
}

/// `always` is what the caller is held to wherever the request goes.
fn asked(
    call: &Call,
    route: &Arc<Route>,
    org: &OrgSnapshot,
    (caller, always): (&CallerPolicies, &[Check]),
    at: Timestamp,
) -> Asked {
    let smart = call.smart_name.as_deref();
    let checks = counted(call, &org.policies.on_route(org.id, route, caller, smart));
    let strict = always.iter().chain(checks.iter()).any(is_strict);
    let bound = if strict { bound::of(call, route, at) } else { None };
    Asked { position: 0, route: Arc::clone(route), checks, bound }
}

const fn is_strict(check: &Check) -> bool {
    matches!(check.rule, Rule::Budget { blocks: true, strict: true, .. })
}

fn granted(
    call: &mut Call,
    mut plan: Box<Plan>,
    grant: Grant,
    asked: &[Asked],
    (org, at): (&Arc<OrgSnapshot>, Timestamp),
) -> Box<Plan> {
    call.throttled_by = name_of(grant.throttled_by, org);
    for BlockedRoute { route, by } in grant.blocked {
        let Some(asked) = asked.get(route) else { continue };
        plan.close([asked.position]);
        call.passed_over.push(PassedOver::new(&asked.route, by, org));
    }
    let chosen = grant.route.and_then(|route| asked.get(route));
    call.reservation = grant.lease.map(|lease| {
        Box::new(Reservation {
            lease,
            route: chosen.map(|asked| asked.route.id),
            moves: asked.iter().any(|route| !route.checks.is_empty() || route.bound.is_some()),
            org: Arc::clone(org),
            at,
            is_strict: chosen.is_some_and(|route| route.bound.is_some()),
            output_cap: grant.output_cap,
            bound: chosen.and_then(|route| route.bound),
        })
    });
    plan
}

/// Moves what the request holds to the route that it tries next.
///
/// # Errors
/// When that route may not be used now.
pub async fn follow(shared: &Shared, call: &mut Call, route: &Arc<Route>) -> Result<(), Refusal> {
    let needs = |held: &Reservation| held.moves && held.route != Some(route.id);
    let Some(mut held) = call.reservation.take_if(|held| needs(held)) else { return Ok(()) };
    let Some(principal) = call.principal.clone() else { return Ok(()) };
    let caller = shared.callers.held(&held.org, &principal);
    let always = callers(&held.org, &caller.policies, call.smart_name.as_deref());
    let next = asked(call, route, &held.org, (&caller.policies, &always), held.at);
    let moved = held.lease.move_to(next.ask()).await;
    held.route = Some(route.id);
    let outcome = match moved {
        Moved::Granted { output_cap, standing, throttled_by } => {
            call.throttled_by = name_of(throttled_by, &held.org);
            held.output_cap = output_cap;
            held.is_strict = next.bound.is_some();
            held.bound = next.bound;
            call.standing = call.standing.tightest(standing);
            Ok(())
        }
        Moved::Blocked(by) => {
            let refusal = denied(&by, &held.org);
            call.passed_over.push(PassedOver::new(route, by, &held.org));
            Err(refusal)
        }
        Moved::Unavailable => Err(counters_away()),
    };
    call.reservation = Some(held);
    outcome
}

/// Counts what a request has used, and learns from it what others like it will; not from what nobody knows
/// and is counted with the most that it may be (`guessed_most`).
pub fn settle(
    shared: &Shared,
    held: Option<Box<Reservation>>,
    record: &UsageRecord<'_>,
    position: Option<Position>,
    guessed_most: bool,
) {
    let used = Amount {
        tokens: [
            record.input_tokens,
            record.output_tokens,
            record.cache_read_tokens,
            record.cache_write_tokens,
        ]
        .into_iter()
        .fold(0, u64::saturating_add),
        cost: record.cost_total.unwrap_or_default(),
    };
    let tells = record.usage_source.is_some() && !guessed_most;
    if let (Some(org), Some(alias), true) = (record.org_id, record.alias.as_deref(), tells) {
        let kind = Kind { org, alias, endpoint: record.endpoint };
        shared.governor.expectations().learn(kind, used);
    }
    if let Some(held) = held {
        held.lease.settle(used, position);
    }
}

/// What a policy is called.
fn name_of(policy: Option<Uuid>, org: &OrgSnapshot) -> Option<Arc<str>> {
    policy.and_then(|id| org.policies.limit(id)).map(|policy| Arc::clone(&policy.name))
}

fn denied(by: &Block, org: &OrgSnapshot) -> Refusal {
    let policy = name_of(Some(by.check.counter.policy), org);
    refusal::limit_reached(by, policy.as_deref().unwrap_or_default())
}

fn counters_away() -> Refusal {
    refusal::unavailable(
        "counters",
        "limits cannot be checked at the moment (redis.on_failure is deny); try again shortly",
    )
}
