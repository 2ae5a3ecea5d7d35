//! `turnpike rotate-master-key`: which key is to come, and what is left for the operator to do.

use super::{AppError, parts};
use crate::{
    auth::{self, Rotation},
    cli::{RotationRequest, WrapName},
    config::{Config, WrapWith},
    secrets::{self, KeyWrap, LocalWrap, Secret},
    store::Store,
};

/// Carries out one step of a rotation and says what comes next.
pub async fn rotate(config: &Config, request: &RotationRequest) -> Result<String, AppError> {
    let store = parts::store(config).await?;
    let said = step(config, request, &store).await;
    store.close().await;
    said
}

async fn step(
    config: &Config,
    request: &RotationRequest,
    store: &Store,
) -> Result<String, AppError> {
    let in_use = parts::vault_in_use(config)?;
    let source = parts::key_source(config, in_use.as_ref());
    if request.finish {
        return Ok(told(auth::finish(store, &source).await?, ""));
    }
    let given = request.new_key.as_deref();
    let given = given.map(|key| secrets::named(key, "--new-key")).transpose()?;
    let to = request.to.unwrap_or(match config.secrets.wrap {
        WrapWith::Local => WrapName::Local,
        WrapWith::Vault => WrapName::Vault,
    });
    match (to, &in_use) {
        (WrapName::Vault, _) if given.is_some() => {
            Err(usage("--new-key is a master key; Vault makes its keys itself"))
        }
        // Wrapped anew with the newest version of the same key.
        (WrapName::Vault, Some(vault)) => {
            auth::add(store, &source, vault).await?;
            Ok("The root secret is wrapped with the newest version of Vault's key. Older versions \
                are needed only for backups made until now."
                .to_owned())
        }
        (WrapName::Vault, None) => {
            let vault = parts::vault(config)?;
            Ok(told(auth::add(store, &source, &vault).await?, "secrets.wrap = \"vault\""))
        }
        (WrapName::Local, None) if config.secrets.master_key.is_none() => {
            Ok(told(auth::rotate(store, &config.storage.data_dir, given).await?, ""))
        }
        (WrapName::Local, None) => {
            let given = given.ok_or_else(|| {
                usage(
                    "secrets.master_key is set, so the new key must be given: make one with \
                     `openssl rand -base64 32` and name it with --new-key file:<path> or env:<name>",
                )
            })?;
            let new = LocalWrap::new(given);
            refuse_the_same(config, &new)?;
            Ok(told(auth::add(store, &source, &new).await?, "secrets.master_key to the new key"))
        }
        (WrapName::Local, Some(_)) => {
            let new = LocalWrap::new(match given {
                Some(given) => given,
                None => secrets::load_or_create(setting(config), &config.storage.data_dir)?,
            });
            let next =
                "secrets.wrap = \"local\" (and secrets.master_key to the new key, if you gave one)";
            Ok(told(auth::add(store, &source, &new).await?, next))
        }
    }
}

fn setting(config: &Config) -> Option<&str> {
    config.secrets.master_key.as_ref().map(Secret::expose)
}

fn refuse_the_same(config: &Config, new: &LocalWrap) -> Result<(), AppError> {
    let present = secrets::load(setting(config), &config.storage.data_dir)?.map(LocalWrap::new);
    if present.is_some_and(|present| present.name() == new.name()) {
        return Err(usage("this is the key in use already"));
    }
    Ok(())
}

fn usage(text: &str) -> AppError {
    AppError::Usage(text.to_owned())
}

/// `setting` is what the operator sets next.
fn told(done: Rotation, setting: &str) -> String {
    match done {
        Rotation::Exchanged { previous } => format!(
            "The master key is exchanged; running gateways go on, and nothing needs to be restarted.\n\
             Keep a copy of the new master.key apart from the database. The key before is in {}: it \
             opens backups made until now and nothing else. Delete it when none of them is left.",
            previous.display()
        ),
        Rotation::Added => format!(
            "The database opens with the key in use and with the new one. Next:\n\
             1. Set {setting} for every replica, and restart them one after the other. Those that run \
             go on.\n\
             2. With that setting, run: turnpike rotate-master-key --finish\n\
             Until then the old key opens the database, too. Backups made until then need it."
        ),
        Rotation::Finished(0) => {
            "There was nothing to finish: the database opens with the key in use alone.".to_owned()
        }
        Rotation::Finished(_) => {
            "The rotation is complete: the database opens with the key in use alone.".to_owned()
        }
    }
}
