//! Names of keys. Every key of an organization has the same hash tag, so that one script reaches
//! them all on a cluster.

use std::fmt::Write as _;

use crate::{
    domain::{OrgId, Timestamp},
    govern::Counter,
};

/// The key that says which replicas there are, of all organizations.
pub(in crate::govern) const REPLICAS: &str = "tp:{replicas}";

/// Since when those are kept.
pub(in crate::govern) const REPLICAS_KEPT: &str = "tp:{replicas}:k";

/// Written to see whether a server takes writes.
pub(in crate::govern) const PROBE: &str = "tp:{probe}";

/// Since when an organization's keys are kept.
pub(in crate::govern) fn kept(org: OrgId) -> String {
    key(org, "k", |_| {})
}

/// Who is alive and holds reservations of an organization.
pub(in crate::govern) fn sessions(org: OrgId) -> String {
    key(org, "s", |_| {})
}

/// A limit's window.
pub(in crate::govern) fn window(counter: &Counter) -> String {
    key(counter.org, "w", |key| named(key, counter))
}

/// That a budget's period has begun.
pub(in crate::govern) fn marker(org: OrgId, policy: uuid::Uuid, start: Timestamp) -> String {
    key(org, "m", |key| {
        let _ = write!(key, ":{}:{}", policy.simple(), start.unix_seconds());
    })
}

/// The lock of the one who begins it.
pub(in crate::govern) fn lock(org: OrgId, policy: uuid::Uuid, start: Timestamp) -> String {
    key(org, "l", |key| {
        let _ = write!(key, ":{}:{}", policy.simple(), start.unix_seconds());
    })
}

/// A budget's counter.
pub(in crate::govern) fn budget(counter: &Counter, start: Timestamp) -> String {
    key(counter.org, "b", |key| {
        let _ = write!(key, ":{}", start.unix_seconds());
        named(key, counter);
    })
}

/// What of it each replica has used.
pub(in crate::govern) fn parts(counter: &Counter, start: Timestamp) -> String {
    key(counter.org, "u", |key| {
        let _ = write!(key, ":{}", start.unix_seconds());
        named(key, counter);
    })
}

fn key(org: OrgId, kind: &str, rest: impl FnOnce(&mut String)) -> String {
    let mut key = String::with_capacity(128);
    let _ = write!(key, "tp:{{{}}}:{kind}", org.0.simple());
    rest(&mut key);
    key
}

fn named(key: &mut String, counter: &Counter) {
    let _ = write!(key, ":{}:", counter.policy.simple());
    key.push_str(&counter.entity);
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tag(key: &str) -> &str {
        key.split_once('{').unwrap().1.split_once('}').unwrap().0
    }

    #[test]
    fn every_key_of_an_organization_has_its_hash_tag_whatever_its_entities_are_called() {
        let org = OrgId(Uuid::from_u128(5));
        let counter = Counter::new(org, Uuid::from_u128(6), "}a{b}".into());
        let (policy, start) = (counter.policy, Timestamp(1_000_000));
        let keys = [
            sessions(org),
            kept(org),
            window(&counter),
            marker(org, policy, start),
            lock(org, policy, start),
            budget(&counter, start),
            parts(&counter, start),
        ];
        for key in &keys {
            assert_eq!(tag(key), org.0.simple().to_string());
        }
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
