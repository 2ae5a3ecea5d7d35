//! What counts requests, and what replicas share of it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use super::{AppError, history::LedgerHistory};
use crate::{
    config::{self, Config},
    govern::{Governor, Listener, OnFailure, Settings, redis::Link},
    ledger::Ledger,
    route::health::{Cooldowns, RedisCooldowns},
    store::Store,
};

/// The governor, and the connection to Redis where there is one.
pub struct Sharing {
    pub governor: Arc<Governor>,
    pub link: Option<Arc<Link>>,
    /// Ends when what was counted by the end is told to Redis.
    pub counting: JoinHandle<()>,
}

impl Sharing {
    /// Begins to count, and to share where `redis.url` is set.
    pub fn new(
        config: &Config,
        store: &Store,
        ledger: &Arc<Ledger>,
        listener: Listener,
        stop: &watch::Sender<bool>,
    ) -> Result<Self, AppError> {
        let url = config.redis.url.as_ref();
        let patience = Duration::from_millis(config.redis.timeout_ms);
        let link = url.map(|url| Link::new(url.expose(), patience)).transpose()?;
        // It is needed until the last of what was counted is told.
        let (leave, left) = watch::channel(false);
        if let Some(link) = &link {
            tokio::spawn(Arc::clone(link).run(left));
        }
        let governor = Governor::new(Settings {
            ledger: ledger.id(),
            history: Arc::new(LedgerHistory::new(store.clone(), Arc::clone(ledger))),
            listener,
            link: link.clone(),
            on_failure: match config.redis.on_failure {
                config::OnFailure::Local => OnFailure::Local,
                config::OnFailure::Deny => OnFailure::Deny,
                config::OnFailure::Allow => OnFailure::Allow,
            },
        });
        let counted = Arc::clone(&governor).run(stop.subscribe());
        let counting = tokio::spawn(async move {
            counted.await;
            leave.send_replace(true);
        });
        Ok(Self { governor, link, counting })
    }

    /// Where replicas tell each other of routes.
    pub fn cooldowns(&self) -> Option<Arc<dyn Cooldowns>> {
        let link = self.link.clone()?;
        Some(Arc::new(RedisCooldowns::new(link)))
    }
}
