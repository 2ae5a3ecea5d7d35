//! What is asked outside on behalf of the administration, and the rounds that look at providers.

use std::{sync::Arc, time::Duration};

use super::{AppError, ejections::Ejections, parts};
use crate::{
    admin::{Determiner, Enforcement, Outside},
    cloud::{Aws, Google},
    config::Config,
    health::{Prober, rounds},
    net::TrustedHosts,
    secrets::Keyring,
    store::Store,
};

/// Puts it together, and begins the rounds.
pub fn outside(
    config: &Config,
    store: &Store,
    keyring: &Arc<Keyring>,
    routes: &Ejections,
    determiner: Arc<dyn Determiner>,
    enforcement: Arc<dyn Enforcement>,
) -> Result<Outside, AppError> {
    let guarded = parts::fetcher(config)?;
    let platform = parts::platform_fetcher(config)?;
    let prober = Arc::new(Prober::new(store.clone(), Arc::clone(keyring), guarded.clone()));
    if config.routing.health_check_secs > 0 {
        let every = Duration::from_secs(u64::from(config.routing.health_check_secs));
        tokio::spawn(rounds(Arc::clone(&prober), every));
    }
    let (principal, iam) =
        (config.aws.principal_arn.clone(), config.google.iam_credentials_url.clone());
    Ok(Outside {
        aws: Aws::new(guarded.clone(), platform.clone(), principal),
        google: Google::new(guarded, platform, iam),
        trusted: TrustedHosts::new(config.upstream.trusted_hosts.clone()),
        health: prober,
        routes: Arc::clone(&routes.health),
        sharing: routes.sharing.clone(),
        determiner,
        enforcement,
    })
}
