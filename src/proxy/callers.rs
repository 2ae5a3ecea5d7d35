//! What callers are held to, worked out once per key, or user in the console, and
//! state of the organization.

use std::sync::Arc;

use hashbrown::DefaultHashBuilder;
use quick_cache::{
    UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};

use crate::{
    auth::{Principal, Who},
    policy::Subject,
    snapshot::{CallerPolicies, OrgSnapshot},
};

/// Callers remembered at most.
const CAPACITY: usize = 100_000;

/// What was worked out, by caller.
pub struct Callers {
    known: Cache<Who, Arc<Held>, UnitWeighter, DefaultHashBuilder>,
}

/// What a caller is held to.
pub struct Held {
    principal: Arc<Principal>,
    /// The state of the organization that it was worked out from.
    serial: u64,
    /// The policies.
    pub policies: CallerPolicies,
}

impl Default for Callers {
    fn default() -> Self {
        let known = Cache::with(
            CAPACITY,
            CAPACITY as u64,
            UnitWeighter,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        Self { known }
    }
}

impl Callers {
    /// What `principal` is held to by its organization.
    pub fn held(&self, org: &OrgSnapshot, principal: &Arc<Principal>) -> Arc<Held> {
        let is_current =
            |held: &Held| held.serial == org.serial && Arc::ptr_eq(&held.principal, principal);
        if let Some(known) = self.known.get(&principal.who()).filter(|held| is_current(held)) {
            return known;
        }
        let held = Arc::new(Held {
            principal: Arc::clone(principal),
            serial: org.serial,
            policies: org.policies.of_caller(org.id, &subject(principal)),
        });
        self.known.insert(principal.who(), Arc::clone(&held));
        held
    }
}

/// A caller, as policies see it.
fn subject(principal: &Principal) -> Subject<'_> {
    Subject {
        key: principal.key,
        key_name: principal.key.and(Some(&*principal.key_name)),
        user: principal.user,
        person: principal.person.as_ref(),
        groups: &principal.groups,
        ..Subject::default()
    }
}
