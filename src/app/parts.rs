//! The parts that several commands need.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt, time::Duration};

use super::AppError;
use crate::{
    auth::{self, KeySource},
    cloud::Vault,
    config::{Config, MediaFetch, WrapWith},
    domain::IpRange,
    net::{AddressPolicy, Fetcher, Resolver},
    proxy::Media,
    secrets::{Keyring, Secret},
    store::Store,
};

/// Opens the database and unlocks it.
pub async fn unlock(config: &Config) -> Result<(Store, Keyring), AppError> {
    let store = store(config).await?;
    let vault = vault_in_use(config)?;
    let keyring = auth::unlock(&store, &key_source(config, vault.as_ref())).await?;
    Ok((store, keyring))
}

/// Opens the database.
pub async fn store(config: &Config) -> Result<Store, AppError> {
    let dir = &config.storage.data_dir;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| AppError::DataDir { path: dir.display().to_string(), source })?;
    Ok(Store::open_with(config.storage.database_url().expose(), config.storage.max_connections)
        .await?)
}

/// Where the key comes from that opens the store, as configured.
pub fn key_source<'a>(config: &'a Config, vault: Option<&'a Vault>) -> KeySource<'a> {
    match vault {
        Some(vault) => KeySource::Service(vault),
        None => KeySource::Master {
            setting: config.secrets.master_key.as_ref().map(Secret::expose),
            data_dir: &config.storage.data_dir,
        },
    }
}

/// Vault's key, if that is what is in use.
pub fn vault_in_use(config: &Config) -> Result<Option<Vault>, AppError> {
    match config.secrets.wrap {
        WrapWith::Local => Ok(None),
        WrapWith::Vault => vault(config).map(Some),
    }
}

/// Vault's key, in use or to be used.
pub fn vault(config: &Config) -> Result<Vault, AppError> {
    let secrets = config.secrets.clone();
    let (Some(address), Some(key), Some(token)) =
        (secrets.vault_address, secrets.vault_key, secrets.vault_token)
    else {
        return Err(AppError::Usage(
            "set secrets.vault_address, secrets.vault_key and secrets.vault_token first".to_owned(),
        ));
    };
    Ok(Vault::new(fetcher(config)?, address, secrets.vault_mount, key, token))
}

/// Which addresses may be connected to.
pub fn address_policy(config: &Config) -> AddressPolicy {
    AddressPolicy {
        deny: config.upstream.deny_addresses.clone(),
        allow: config.upstream.allow_addresses.clone(),
    }
}

/// The longest that a connection of the gateway's own may be in the making.
const LONGEST_CONNECT: Duration = Duration::from_secs(7);

/// The client of the gateway's own requests.
pub fn fetcher(config: &Config) -> Result<Fetcher, AppError> {
    fetcher_with(config, address_policy(config))
}

/// The client for the machine's own identity at a cloud. Its addresses come from the environment alone,
/// and are link-local: what nobody else may choose.
pub fn platform_fetcher(config: &Config) -> Result<Fetcher, AppError> {
    fetcher_with(config, AddressPolicy::default())
}

/// What fetches the files that clients name by URL: only from public addresses, whatever else vendors
/// may be reached at.
pub fn media(config: &Config) -> Result<Media, AppError> {
    if config.media.fetch == MediaFetch::Off {
        return Ok(Media(None));
    }
    let mut policy = address_policy(config);
    policy.deny.extend(IpRange::not_public());
    fetcher_with(config, policy).map(|fetcher| Media(Some(fetcher)))
}

fn fetcher_with(config: &Config, policy: AddressPolicy) -> Result<Fetcher, AppError> {
    let authorities = config.upstream.ca_file.as_ref().map(std::fs::read).transpose();
    let authorities = authorities.map_err(|error| AppError::Io("upstream.ca_file", error))?;
    // Less than any of its requests may take, so that it is told which hosts were not reached at all.
    let patience = Duration::from_millis(config.upstream.connect_timeout_ms).min(LONGEST_CONNECT);
    Ok(Fetcher::new(policy, Resolver::default(), patience, authorities.as_deref())?)
}
