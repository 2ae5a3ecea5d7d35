//! A model name as the client wrote it → the routes it means (contract 4.4).

use std::sync::Arc;

use crate::snapshot::{Alias, OrgSnapshot, Route, pinned};

/// What a name means.
pub enum Resolution {
    /// A bare alias: its routes in order, with failover.
    Alias(Arc<Alias>),
    /// `<provider>/<alias or upstream model>`: that route alone.
    Pinned(Arc<Route>),
}

impl Resolution {
    /// Where it leads, in order.
    #[must_use]
    pub fn routes(&self) -> &[Arc<Route>] {
        match self {
            Self::Alias(alias) => &alias.routes,
            Self::Pinned(route) => std::slice::from_ref(route),
        }
    }
}

/// Resolves `model`: the whole string as a bare alias first (ids may contain `/`), then cut at the
/// first `/` into a provider and one of its models.
#[must_use]
pub fn resolve(org: &OrgSnapshot, model: &str) -> Option<Resolution> {
    if let Some(alias) = org.aliases.get(model) {
        return Some(Resolution::Alias(Arc::clone(alias)));
    }
    pinned(&org.prefixes, model).map(|route| Resolution::Pinned(Arc::clone(route)))
}
