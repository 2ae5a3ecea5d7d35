//! The parts that several commands need.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt};

use super::AppError;
use crate::{auth, config::Config, secrets::Keyring, store::Store};

/// Opens the database and unlocks it with the master key.
pub async fn unlock(config: &Config) -> Result<(Store, Keyring), AppError> {
    let dir = &config.storage.data_dir;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| AppError::DataDir { path: dir.display().to_string(), source })?;
    let store = Store::open(&database(config)).await?;
    let setting = config.secrets.master_key.as_ref().map(crate::secrets::Secret::expose);
    let source = auth::KeySource::Master { setting, data_dir: dir };
    let keyring = auth::unlock(&store, &source).await?;
    Ok((store, keyring))
}

fn database(config: &Config) -> String {
    let default = || format!("sqlite://{}", config.storage.data_dir.join("turnpike.db").display());
    config.storage.url.clone().unwrap_or_else(default)
}
