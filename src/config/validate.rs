//! What must hold between keys, and between keys and the machine.

use std::{net::SocketAddr, path::Path, sync::Arc};

use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use super::{
    schema::{Config, WrapWith},
    settings::Reading,
};
use crate::secrets;

/// Adds a fault for everything that does not fit together.
pub(super) fn validate(reading: &mut Reading, variables: &[(String, String)]) {
    let config = reading.config.clone();
    let delays = reading.is_given("server.drain_delay_ms");
    let mut blame = |key: &str, message: String| reading.blame(key, message);
    tls(&config, &mut blame);
    listeners(&config, &mut blame);
    bodies(&config, &mut blame);
    if delays {
        drain(&config, &mut blame);
    }
    data_dir(&config, &mut blame);
    authorities(&config, &mut blame);
    master_key(&config, variables, &mut blame);
    vault(&config, &mut blame);
}

type Blame<'b> = dyn FnMut(&str, String) + 'b;

fn tls(config: &Config, blame: &mut Blame<'_>) {
    match (&config.server.tls_cert, &config.server.tls_key) {
        (None, None) => {}
        (Some(_), None) => blame("server.tls_cert", "needs server.tls_key beside it".to_owned()),
        (None, Some(_)) => blame("server.tls_key", "needs server.tls_cert beside it".to_owned()),
        (Some(cert), Some(key)) => {
            let chain = certificates(cert).map_err(|message| blame("server.tls_cert", message));
            let key = private_key(key).map_err(|message| blame("server.tls_key", message));
            if let (Ok(chain), Ok(key)) = (chain, key)
                && let Err(fault) = pair(chain, key)
            {
                blame("server.tls_key", format!("cannot serve with this pair: {fault}"));
            }
        }
    }
}

fn pair(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<(), rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    CertifiedKey::from_der(chain, key, &provider).map(|_| ())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|fault| format!("cannot read {}: {fault}", path.display()))?;
    if chain.is_empty() {
        return Err(format!("{} holds no certificate in PEM form", path.display()));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|fault| match fault {
        rustls::pki_types::pem::Error::NoItemsFound => {
            format!("{} holds no private key in PEM form", path.display())
        }
        other => format!("cannot read {}: {other}", path.display()),
    })
}

fn listeners(config: &Config, blame: &mut Blame<'_>) {
    let server = Some(config.server.listen);
    if same(config.admin.listen, server) {
        let message = "is the address of server.listen; leave it out to serve both there";
        blame("admin.listen", message.to_owned());
    }
    if same(config.metrics.listen, server) {
        blame("metrics.listen", "is the address of server.listen; it needs its own".to_owned());
    }
    if same(config.metrics.listen, config.admin.listen) {
        blame("metrics.listen", "is the address of admin.listen; it needs its own".to_owned());
    }
}

/// Port 0 is another free port each time.
fn same(one: Option<SocketAddr>, other: Option<SocketAddr>) -> bool {
    one == other && one.is_some_and(|address| address.port() != 0)
}

fn bodies(config: &Config, blame: &mut Blame<'_>) {
    let (body, all) = (config.server.max_body_mb, config.server.max_buffered_mb);
    if all < 2 * body {
        let message = format!("{all} is less than twice server.max_body_mb, which is {body}");
        blame("server.max_buffered_mb", message);
    }
}

fn drain(config: &Config, blame: &mut Blame<'_>) {
    let (delay, grace) = (config.server.drain_delay_ms, config.server.shutdown_grace_secs);
    if delay > grace.saturating_mul(1000) {
        let message = format!(
            "{delay} ms is more than server.shutdown_grace_secs, which is {grace}: the delay is part of \
             the grace; shorten it or lengthen the grace"
        );
        blame("server.drain_delay_ms", message);
    }
}

fn data_dir(config: &Config, blame: &mut Blame<'_>) {
    let path = &config.storage.data_dir;
    if path.exists() && !path.is_dir() {
        blame("storage.data_dir", format!("{} is not a folder", path.display()));
    }
}

fn authorities(config: &Config, blame: &mut Blame<'_>) {
    if let Some(path) = &config.upstream.ca_file
        && let Err(message) = certificates(path)
    {
        blame("upstream.ca_file", message);
    }
}

/// Only what can be seen without making or unsealing anything. The key itself is never repeated.
fn master_key(config: &Config, variables: &[(String, String)], blame: &mut Blame<'_>) {
    let Some(setting) = &config.secrets.master_key else {
        if config.storage.is_shared() && config.secrets.wrap == WrapWith::Local {
            let message = "must be given where storage.url is PostgreSQL: every replica needs the same key \
                           (make one with: openssl rand -base64 32)";
            blame("secrets.master_key", message.to_owned());
        }
        return;
    };
    let fault = match setting.expose().split_once(':') {
        Some(("file", path)) => match std::fs::read_to_string(path) {
            Ok(text) if secrets::is_key(&text) => None,
            Ok(_) => Some(format!("{path} does not hold 32 bytes in base64")),
            Err(error) => Some(format!("cannot read {path}: {error}")),
        },
        Some(("env", name)) => match variables.iter().find(|(known, _)| known == name) {
            Some((_, value)) if secrets::is_key(value) => None,
            Some(_) => Some(format!("the variable {name} must be 32 bytes in base64")),
            None => Some(format!("the variable {name} is not set")),
        },
        _ if secrets::is_key(setting.expose()) => None,
        _ => Some(
            "must be 32 bytes in base64 (as `openssl rand -base64 32` prints them), \"file:<path>\" or \"env:<name>\""
                .to_owned(),
        ),
    };
    if let Some(message) = fault {
        blame("secrets.master_key", message);
    }
}

fn vault(config: &Config, blame: &mut Blame<'_>) {
    let secrets = &config.secrets;
    if secrets.wrap != WrapWith::Vault {
        return;
    }
    let missing: Vec<&str> = [
        ("secrets.vault_address", secrets.vault_address.is_none()),
        ("secrets.vault_key", secrets.vault_key.is_none()),
        ("secrets.vault_token", secrets.vault_token.is_none()),
    ]
    .into_iter()
    .filter_map(|(key, missing)| missing.then_some(key))
    .collect();
    if !missing.is_empty() {
        blame("secrets.wrap", format!("\"vault\" needs {} beside it", missing.join(", ")));
    }
}
