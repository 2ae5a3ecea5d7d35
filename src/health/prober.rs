//! One probe: the request that a provider's own requests are like, to the vendor's list of models.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode, header};

use super::{
    Probe, Verdict,
    judge::{Status, judge},
};
use crate::{
    dialect::upstream_error,
    domain::{OrgId, ProviderId, Timestamp},
    net::{Bounds, FetchError, Fetcher},
    provider::{AuthKind, Transport, catalog},
    secrets::Keyring,
    snapshot::{Provider, usable_provider},
    store::{ProviderRow, Store, StoreError},
};

/// What a vendor says of a key it refuses is short; nothing else is read but to use the connection again.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(8), bytes: 1 << 20 };
/// Before an address that was not reached is tried once more: one lost packet is no verdict.
const SECOND_TRY: Duration = Duration::from_millis(300);

/// Probes providers of the store.
pub struct Prober {
    store: Store,
    keyring: Arc<Keyring>,
    fetcher: Fetcher,
}

impl Prober {
    /// `fetcher` has the addresses checked that it connects to.
    #[must_use]
    pub fn new(store: Store, keyring: Arc<Keyring>, fetcher: Fetcher) -> Self {
        Self { store, keyring, fetcher }
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// What is found out about a provider; none where its vendor is not probed.
    async fn look(&self, row: &ProviderRow) -> Result<Option<Verdict>, StoreError> {
        if !is_probed(row) {
            return Ok(None);
        }
        let connections = self.store.read().await?.connections(row.org_id).await?;
        let usable = usable_provider(row, &connections, &self.keyring, catalog());
        let provider = match usable {
            Ok(provider) => provider,
            Err(fault) => return Ok(Some(Verdict::new(Status::Unhealthy, fault))),
        };
        if provider.vendor.transport == Transport::InProcess {
            return Ok(Some(Verdict::healthy()));
        }
        let first = self.ask(&provider).await;
        let answer = match first {
            Err(FetchError::Unreached | FetchError::Unresolved) => {
                tokio::time::sleep(SECOND_TRY).await;
                self.ask(&provider).await
            }
            other => other,
        };
        Ok(Some(judge(answer)))
    }

    async fn ask(&self, provider: &Provider) -> Result<StatusCode, FetchError> {
        let path = provider.vendor.probe_path().unwrap_or_default();
        let scheme = if provider.base.tls { "https" } else { "http" };
        let (authority, prefix) = (&provider.base.authority, &provider.base.prefix);
        let mut request = Request::get(format!("{scheme}://{authority}{prefix}{path}"));
        for (name, value) in provider.headers.iter().filter(|(name, _)| name != header::HOST) {
            request = request.header(name, value);
        }
        for (name, value) in &provider.vendor.default_headers {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::new()).map_err(|_| FetchError::Url)?;
        match self.fetcher.beginning(request, BOUNDS).await {
            Err(error) => Err(error),
            Ok(answer) if upstream_error::refuses_key(answer.body()) => {
                Ok(StatusCode::UNAUTHORIZED)
            }
            Ok(answer) => Ok(answer.status()),
        }
    }
}

/// Vendors that are called with one key and have somewhere to try it.
pub(super) fn is_probed(row: &ProviderRow) -> bool {
    let vendor = catalog().vendor(&row.model_provider);
    AuthKind::named(&row.auth_type) == Some(AuthKind::ApiKey)
        && vendor.is_some_and(|vendor| vendor.probe_path().is_some())
}

#[async_trait]
impl Probe for Prober {
    async fn probe(&self, org: OrgId, provider: ProviderId) -> Result<bool, StoreError> {
        let Some(row) = self.store.read().await?.provider(org, provider).await? else {
            return Ok(false);
        };
        let Some(verdict) = self.look(&row).await? else { return Ok(false) };
        let status = verdict.status.as_str();
        let mut tx = self.store.write().await?;
        // What was found out with another key or address says nothing.
        if !tx.set_health(&row, status, verdict.detail.as_deref(), Timestamp::now()).await? {
            return Ok(false);
        }
        let changed = row.health_status != status;
        if changed {
            tx.touch(org).await?;
        }
        tx.commit().await?;
        if changed {
            let detail = verdict.detail.unwrap_or_default();
            tracing::info!(%org, provider = %row.name, status, detail, "health of a provider");
        }
        Ok(true)
    }
}

#[cfg(test)]
#[path = "prober_tests.rs"]
mod tests;
