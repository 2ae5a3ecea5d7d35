//! Determiners, as the administration asks them: through the data plane, which comes up after it.

use std::sync::{Arc, OnceLock, Weak};

use crate::{
    admin::Determiner,
    auth::Principal,
    domain::RequestId,
    proxy::{self, Shared},
    snapshot::SmartModel,
};

/// Nobody can be asked before the data plane is there.
#[derive(Default)]
pub struct Determiners {
    /// Weak: the data plane has the administration among its parts.
    data_plane: OnceLock<Weak<Shared>>,
}

impl Determiners {
    /// From now on determiners are asked through `shared`.
    pub fn ask_through(&self, shared: &Arc<Shared>) {
        let _first = self.data_plane.set(Arc::downgrade(shared));
    }
}

#[async_trait::async_trait]
impl Determiner for Determiners {
    async fn slot(
        &self,
        principal: Arc<Principal>,
        draft: &SmartModel,
        text: &str,
        request: &RequestId,
    ) -> Option<usize> {
        let shared = self.data_plane.get().and_then(Weak::upgrade)?;
        proxy::preview(&shared, &principal, draft, text, request).await
    }
}
