//! The parts that several commands need.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt, time::Duration};

use super::AppError;
use crate::{
    auth,
    config::Config,
    net::{AddressPolicy, Fetcher, Resolver},
    secrets::Keyring,
    store::Store,
};

/// Opens the database and unlocks it with the master key.
pub async fn unlock(config: &Config) -> Result<(Store, Keyring), AppError> {
    let dir = &config.storage.data_dir;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| AppError::DataDir { path: dir.display().to_string(), source })?;
    let store =
        Store::open_with(config.storage.database_url().expose(), config.storage.max_connections)
            .await?;
    let setting = config.secrets.master_key.as_ref().map(crate::secrets::Secret::expose);
    let keyring = auth::unlock(&store, setting, dir).await?;
    Ok((store, keyring))
}

/// Which addresses may be connected to.
pub fn address_policy(config: &Config) -> AddressPolicy {
    AddressPolicy {
        deny: config.upstream.deny_addresses.clone(),
        allow: config.upstream.allow_addresses.clone(),
    }
}

/// The client of the gateway's own requests.
pub fn fetcher(config: &Config) -> Result<Fetcher, AppError> {
    let authorities = config.upstream.ca_file.as_ref().map(std::fs::read).transpose();
    let authorities = authorities.map_err(|error| AppError::Io("upstream.ca_file", error))?;
    let patience = Duration::from_millis(config.upstream.connect_timeout_ms);
    let policy = address_policy(config);
    Ok(Fetcher::new(policy, Resolver::default(), patience, authorities.as_deref())?)
}
