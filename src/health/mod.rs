//! Whether providers can be reached with the key that they have: asked of the vendor's list of models
//! when a provider is made or gets another key, every few minutes, and on demand.
//!
//! A verdict is stored on the provider and thereby reaches the snapshot of every replica, which leaves
//! unhealthy providers out of routing.

mod judge;
mod prober;
mod rounds;

use async_trait::async_trait;

use crate::{
    domain::{OrgId, ProviderId},
    store::StoreError,
};

pub use judge::{Status, Verdict};
pub use prober::Prober;
pub use rounds::rounds;

/// Looks at a provider and stores what it finds.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Probes now. Answers whether a verdict was stored: there is none for vendors that are not probed,
    /// and none for a provider that was changed meanwhile.
    ///
    /// # Errors
    /// When the store is unavailable.
    async fn probe(&self, org: OrgId, provider: ProviderId) -> Result<bool, StoreError>;
}
