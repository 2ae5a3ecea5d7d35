//! What the parts have against a configuration in which every key is well formed: all that would keep
//! `serve` from starting and can be told without starting, so that `check` tells it, too.

use std::time::Duration;

use super::{parts, traces};
use crate::{
    config::{Config, Objection, Source, WrapWith},
    govern::redis::Link,
    secrets::{self, Secret},
    store::Store,
};

/// Everything at once. Nothing is connected to, and nothing is made.
pub fn to(config: &Config) -> Vec<Objection> {
    // Clients are made to see whether they can be, which some do for a runtime alone.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let _entered = runtime.as_ref().map(tokio::runtime::Runtime::enter);
    // The client comes first: with it the process has what every other one encrypts with.
    [client(config), traces(config), redis(config), database(config), master_key(config)]
        .into_iter()
        .flatten()
        .collect()
}

fn objection(to: Source, what: impl std::fmt::Display) -> Objection {
    Objection { to, message: what.to_string() }
}

fn client(config: &Config) -> Option<Objection> {
    let error = parts::fetcher(config).err()?;
    Some(objection(Source::Key("upstream.ca_file"), error))
}

fn traces(config: &Config) -> Option<Objection> {
    let error = traces::read(config).err()?;
    Some(objection(Source::Variable(error.variable), error.fault))
}

fn redis(config: &Config) -> Option<Objection> {
    let patience = Duration::from_millis(config.redis.timeout_ms);
    let error = Link::new(config.redis.url.as_ref()?.expose(), patience).err()?;
    Some(objection(Source::Key("redis.url"), error))
}

fn database(config: &Config) -> Option<Objection> {
    let error = Store::understands(config.storage.database_url().expose()).err()?;
    Some(objection(Source::Key("storage.url"), error))
}

/// The file in the data folder, where no other key is named.
fn master_key(config: &Config) -> Option<Objection> {
    if config.secrets.wrap != WrapWith::Local {
        return None;
    }
    let setting = config.secrets.master_key.as_ref().map(Secret::expose);
    let error = secrets::load(setting, &config.storage.data_dir).err()?;
    Some(objection(Source::Key("secrets.master_key"), error))
}
