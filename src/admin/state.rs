//! What the handlers work with.

use std::sync::Arc;

use crate::{
    auth::{ApiKeys, Authenticator, TokenDesk},
    domain::OrgId,
    secrets::Keyring,
    store::Store,
};

use super::{error::AdminError, outside::Outside};

/// Everything a handler may touch. Clones share it.
#[derive(Clone)]
pub struct AdminState {
    pub(super) store: Store,
    /// Seals upstream credentials.
    pub(super) keyring: Arc<Keyring>,
    /// Mints keys, and is told of revoked ones.
    pub(super) api_keys: Arc<ApiKeys>,
    pub(super) authenticator: Arc<Authenticator>,
    /// Gives tokens to service accounts.
    pub(super) tokens: Arc<TokenDesk>,
    /// Puts writes into force.
    pub(super) refresh: Arc<dyn Refresh>,
    /// Clouds and vendors.
    pub(super) outside: Outside,
}

impl AdminState {
    /// Gathers them.
    #[must_use]
    pub const fn new(
        store: Store,
        keyring: Arc<Keyring>,
        api_keys: Arc<ApiKeys>,
        authenticator: Arc<Authenticator>,
        tokens: Arc<TokenDesk>,
        refresh: Arc<dyn Refresh>,
        outside: Outside,
    ) -> Self {
        Self { store, keyring, api_keys, authenticator, tokens, refresh, outside }
    }
}

/// Puts what is stored into force for the data plane of this process.
#[async_trait::async_trait]
pub trait Refresh: Send + Sync {
    /// Rebuilds one organization's part of the snapshot. Requests that arrive after it returned see
    /// what was stored before it was called.
    ///
    /// # Errors
    /// When the store cannot be read now; it is then tried again until it can.
    async fn org(&self, org: OrgId) -> Result<(), RefreshError>;
}

/// What is stored could not be put into force.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RefreshError(pub String);

impl AdminState {
    /// Puts a committed write into force.
    pub(super) async fn put_into_force(&self, org: OrgId) -> Result<(), AdminError> {
        self.refresh.org(org).await.map_err(|error| {
            tracing::error!(%org, %error, "a change is stored but not in force");
            AdminError::unavailable(
                "the change is stored, and in force as soon as the database can be read again",
            )
        })
    }
}
