//! What callers are held to, worked out once per key and state of its organization.

use std::sync::Arc;

use moka::sync::Cache;

use crate::{
    auth::Principal,
    domain::KeyId,
    policy::Subject,
    snapshot::{CallerPolicies, OrgSnapshot},
};

/// Callers remembered at most.
const CAPACITY: u64 = 100_000;

/// What was worked out, by key.
pub struct Callers {
    known: Cache<KeyId, Arc<Held>>,
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
        Self { known: Cache::new(CAPACITY) }
    }
}

impl Callers {
    /// What `principal` is held to by its organization.
    pub fn held(&self, org: &OrgSnapshot, principal: &Arc<Principal>) -> Arc<Held> {
        let is_current =
            |held: &Held| held.serial == org.serial && Arc::ptr_eq(&held.principal, principal);
        let known = principal.key.and_then(|key| self.known.get(&key));
        if let Some(known) = known.filter(|held| is_current(held)) {
            return known;
        }
        let held = Arc::new(Held {
            principal: Arc::clone(principal),
            serial: org.serial,
            policies: org.policies.of_caller(org.id, &subject(principal)),
        });
        if let Some(key) = principal.key {
            self.known.insert(key, Arc::clone(&held));
        }
        held
    }
}

/// A caller, as policies see it.
fn subject(principal: &Principal) -> Subject<'_> {
    Subject {
        key: principal.key,
        key_name: Some(&principal.key_name),
        user: principal.user,
        person: principal.person.as_ref(),
        groups: &principal.groups,
        ..Subject::default()
    }
}
