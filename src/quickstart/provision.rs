//! What quickstart makes, and what it leaves alone.

use futures_util::future::join_all;
use uuid::Uuid;

use super::{
    discover::{Discover, VendorLists},
    environment::{self, Found},
};
use crate::{
    auth::{ISSUER_NAME, MintedKey},
    domain::{KeyId, OrgId, ProviderId, Role, RouteId, Timestamp, UserId},
    provider::{AuthKind, Catalog, Transport, Vendor, catalog},
    secrets::{self, Credential, Keyring, SealError, Secret},
    store::{
        Inherits, KeyRow, OrgRow, ProviderRow, RouteRow, SeenUser, Store, StoreError, Tx, UserRow,
    },
};

/// Name of the organization.
const ORG: &str = "default";
/// The admin's name at the gateway's own issuer.
const ADMIN: &str = "admin";
/// Name of the key.
const KEY_NAME: &str = "quickstart";

/// What there is after a run, made now or found.
pub struct Provisioned {
    /// The organization.
    pub org: OrgRow,
    /// Its admin.
    pub admin: UserRow,
    /// The key, if it was made now: it is stored nowhere.
    pub key: Option<Secret>,
    /// Every enabled provider of the organization, oldest first.
    pub offers: Vec<Offer>,
}

/// An enabled provider and what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The provider's name.
    pub provider: String,
    /// Its vendor's slug.
    pub vendor: String,
    /// Whether it is the vendor inside this process.
    pub simulated: bool,
    /// Names that callers may send as they stand.
    pub models: Vec<String>,
}

/// Nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum QuickstartError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret cannot be sealed, or no random numbers are to be had.
    #[error("a secret cannot be sealed: {0}")]
    Seal(#[from] SealError),
}

/// [`provision`] with this version's catalogue, the process's environment and the vendors' own lists.
///
/// # Errors
/// As [`provision`].
pub async fn provision_from_env(
    store: &Store,
    keyring: &Keyring,
) -> Result<Provisioned, QuickstartError> {
    // `vars` would panic on a variable that is not Unicode.
    let env: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    provision(store, keyring, catalog(), &env, &VendorLists::new()).await
}

/// Makes what is missing: the organization `default`, an admin, a provider for the simulated vendor
/// and for every vendor whose key is in `env`, and a key unless a valid one of an earlier run exists.
///
/// # Errors
/// When the store or the cipher cannot be used. A vendor that cannot be reached is no error.
pub async fn provision(
    store: &Store,
    keyring: &Keyring,
    vendors: &'static Catalog,
    env: &[(String, String)],
    discover: &dyn Discover,
) -> Result<Provisioned, QuickstartError> {
    let org = store.ensure_org(ORG).await?;
    let now = Timestamp::now();
    let admin = store
        .ensure_user(&SeenUser {
            org: org.id,
            issuer: ISSUER_NAME,
            subject: ADMIN,
            email: None,
            roles: &[Role::Admin.as_str().to_owned()],
            groups: &[],
            at: now,
        })
        .await?
        .user;
    let mut wanted = wanted(vendors, env);
    let present = store.read().await?.providers(org.id).await?;
    wanted.retain(|wanted| !is_present(&present, wanted.vendor));
    // The network before the transaction: writers queue behind one another.
    let found = join_all(wanted.into_iter().map(|vendor| vendor.with_models(discover))).await;

    let mut tx = store.write().await?;
    let present = tx.providers(org.id).await?;
    for vendor in found.iter().filter(|vendor| !is_present(&present, vendor.vendor)) {
        vendor.insert(&mut tx, keyring, org.id, now).await?;
    }
    let key = ensure_key(&mut tx, keyring, org.id, admin.id, now).await?;
    let offers = offers(&mut tx, org.id, vendors).await?;
    tx.commit().await?;
    Ok(Provisioned { org, admin, key, offers })
}

/// A vendor that should have a provider.
struct Wanted {
    vendor: &'static Vendor,
    found: Found,
}

/// The simulated vendor, and those that the environment has a usable credential for.
fn wanted(vendors: &'static Catalog, env: &[(String, String)]) -> Vec<Wanted> {
    let simulated = |vendor: &Vendor| Found {
        kind: AuthKind::ApiKey,
        credential: None,
        base_url: vendor.base_url.clone().unwrap_or_default(),
        settings: serde_json::json!({}),
        models: vendor.models.clone(),
    };
    let found = |vendor: &'static Vendor| {
        let found = match vendor.transport {
            Transport::InProcess => Some(simulated(vendor)),
            Transport::Network => environment::found(vendor, env),
        };
        found.map(|found| Wanted { vendor, found })
    };
    vendors.vendors().filter_map(found).collect()
}

/// Whether the vendor has a provider already, whatever it is called now, or its name is taken.
fn is_present(providers: &[ProviderRow], vendor: &Vendor) -> bool {
    providers
        .iter()
        .any(|row| row.model_provider == vendor.slug || row.name.to_lowercase() == vendor.slug)
}

impl Wanted {
    async fn with_models(mut self, discover: &dyn Discover) -> Self {
        if self.found.models.is_empty() {
            self.found.models = match &self.found.credential {
                Some(Credential::ApiKey(key)) => self.listed(key, discover).await,
                _ => self.catalogued(),
            };
        }
        self
    }

    /// The catalogue's models, as far as the provider can be asked for them.
    fn catalogued(&self) -> Vec<String> {
        let prefix = self.vendor.environment.prefix.as_str();
        self.vendor.models.iter().filter(|model| model.starts_with(prefix)).cloned().collect()
    }

    async fn listed(&self, key: &Secret, discover: &dyn Discover) -> Vec<String> {
        discover.models(self.vendor, key).await.unwrap_or_else(|error| {
            let vendor = &self.vendor.slug;
            tracing::warn!(%vendor, %error, "the catalogue's models are enabled instead");
            self.catalogued()
        })
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        keyring: &Keyring,
        org: OrgId,
        now: Timestamp,
    ) -> Result<(), QuickstartError> {
        let provider = self.provider(keyring, org, now)?;
        tx.insert_provider(&provider, Inherits::default()).await?;
        for model in &self.found.models {
            tx.insert_route(&enablement(&provider, model, now)).await?;
        }
        Ok(())
    }

    fn provider(
        &self,
        keyring: &Keyring,
        org: OrgId,
        now: Timestamp,
    ) -> Result<ProviderRow, SealError> {
        let id = ProviderId::random();
        let seal = |own: &Credential| secrets::seal_credential(keyring, org, id.0, own);
        Ok(ProviderRow {
            id,
            org_id: org,
            name: self.vendor.slug.clone(),
            model_provider: self.vendor.slug.clone(),
            auth_type: self.found.kind.name().to_owned(),
            base_url: self.found.base_url.clone(),
            settings: self.found.settings.clone(),
            catalog_id: None,
            connection_id: None,
            sealed: self.found.credential.as_ref().map(seal).transpose()?,
            enabled: true,
            enforce_health_check: true,
            health_status: "unverified".to_owned(),
            health_detail: None,
            health_checked_at: None,
            request_timeout_secs: None,
            stream_idle_timeout_secs: None,
            created_at: now,
            updated_at: now,
        })
    }
}

/// The 1:1 row of a model. Unlike one made over HTTP it answers to its plain name, so that a
/// newcomer's first request works as the vendor's documentation spells it.
fn enablement(provider: &ProviderRow, model: &str, now: Timestamp) -> RouteRow {
    RouteRow {
        id: RouteId(Uuid::new_v4()),
        org_id: provider.org_id,
        provider_id: provider.id,
        model_alias: model.to_owned(),
        upstream_model: model.to_owned(),
        enabled: true,
        priority: 0,
        retry_on_429_count: 0,
        retry_on_429_max_wait_secs: 0,
        bare_alias: true,
        request_timeout_secs: None,
        request_timeout_inherited: true,
        stream_idle_timeout_secs: None,
        stream_idle_timeout_inherited: true,
        max_concurrent_requests: None,
        created_at: now,
        updated_at: now,
    }
}

/// A new key, unless one of an earlier run still works.
async fn ensure_key(
    tx: &mut Tx,
    keyring: &Keyring,
    org: OrgId,
    admin: UserId,
    now: Timestamp,
) -> Result<Option<Secret>, QuickstartError> {
    let works = |row: &KeyRow| {
        row.name == KEY_NAME
            && row.revoked_at.is_none()
            && row.expires_at.is_none_or(|end| end > now)
    };
    if tx.user_keys(org, admin).await?.iter().any(works) {
        return Ok(None);
    }
    let minted = MintedKey::new(keyring)?;
    let row = KeyRow {
        id: KeyId::random(),
        org_id: org,
        name: KEY_NAME.to_owned(),
        key_prefix: minted.prefix,
        hash: minted.hash.to_vec(),
        created_by_user_id: admin,
        user_id: Some(admin),
        group_name: None,
        user_email: None,
        scopes: Vec::new(),
        created_at: now,
        expires_at: None,
        revoked_at: None,
        user_groups: Vec::new(),
        person: None,
    };
    tx.insert_key(&row).await?;
    Ok(Some(minted.plain))
}

/// What the organization's enabled providers offer by plain name, in the catalogue's order first.
async fn offers(
    tx: &mut Tx,
    org: OrgId,
    vendors: &'static Catalog,
) -> Result<Vec<Offer>, StoreError> {
    let mut offers = Vec::new();
    for row in tx.providers(org).await?.into_iter().filter(|row| row.enabled) {
        let routes = tx.provider_routes(org, row.id).await?;
        let offered = routes.into_iter().filter(|route| route.enabled && route.bare_alias);
        let mut models: Vec<String> = offered.map(|route| route.model_alias).collect();
        let vendor = vendors.vendor(&row.model_provider);
        let rank = |model: &String| {
            let known =
                vendor.and_then(|vendor| vendor.models.iter().position(|name| name == model));
            known.unwrap_or(usize::MAX)
        };
        models.sort_by_cached_key(rank);
        models.dedup();
        offers.push(Offer {
            provider: row.name,
            simulated: vendor.is_some_and(|vendor| vendor.transport == Transport::InProcess),
            vendor: row.model_provider,
            models,
        });
    }
    Ok(offers)
}

#[cfg(test)]
mod tests;
