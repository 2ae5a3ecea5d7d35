//! `serve` and `quickstart`: every part put together, then served until told to stop.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use pingora_core::services::Service as _;
use tokio::sync::watch;

use super::{
    AppError,
    alarms::Alarms,
    commands, crossings,
    determiners::Determiners,
    ejections, follow, identity, listen, outside, parts, prices,
    probes::{self, Vitals},
    refresh::Refresher,
    refused_credentials, retention, sharing,
    shutdown::{self, Leave},
    site, traces,
};
use crate::{
    admin::{self, AdminState, Outside},
    alerts::{self, Courier},
    auth::{self, ApiKeys},
    cloud::Clouds,
    config::{self, Config},
    console,
    domain::{Role, Timestamp},
    govern::Governor,
    ledger::{Ledger, OnFull, SpoolLimits},
    net::Peers,
    observe::{self, AccessLog, Metrics},
    pricing,
    provider::InProcess,
    proxy::{Drain, Limits, RefusedCredentials, Shared},
    quickstart,
    secrets::Keyring,
    snapshot::Publisher,
    store::Store,
};

const MIB: u64 = 1024 * 1024;
/// How long the last usage records may take to reach the database (the spool keeps the rest) and the
/// last spans to reach their collector, and how long the database may take to close.
const LAST_DELIVERY: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: &Config, quickstart: bool) -> Result<(), AppError> {
    // The port comes first: a key that was made and never shown would be lost.
    let (listener, bound) = listen::bind(config.server.listen, "server.listen")?;
    let (store, keyring) = parts::unlock(config).await?;
    let keyring = Arc::new(keyring);
    let provisioned = if quickstart {
        Some(quickstart::provision_from_env(&store, &keyring).await?)
    } else {
        None
    };
    let running = start(config, store, Arc::clone(&keyring), (listener, bound)).await?;
    if let Some(made) = provisioned {
        let base = site::base_url(config, running.bound);
        let (admin, now) = ((made.org.id, made.admin.id), Timestamp::now());
        let path = auth::sign_in_link(&running.store, &keyring, admin, Role::Admin, now).await?;
        let link = format!("{}{}", running.console, path.expose());
        commands::say(&quickstart::banner(&made, &base, &link))?;
    }
    running.until_told(config).await
}

/// A serving process.
struct Running {
    bound: SocketAddr,
    /// Where the console is.
    console: String,
    shared: Arc<Shared>,
    store: Store,
    listener: TcpListener,
    close: watch::Sender<bool>,
    public: tokio::task::JoinHandle<()>,
    delivery: tokio::task::JoinHandle<()>,
    counting: tokio::task::JoinHandle<()>,
    exporting: Option<tokio::task::JoinHandle<()>>,
    stop_delivery: watch::Sender<bool>,
}

async fn start(
    config: &Config,
    store: Store,
    keyring: Arc<Keyring>,
    (listener, bound): (TcpListener, SocketAddr),
) -> Result<Running, AppError> {
    let ledger =
        Arc::new(Ledger::open(&config.storage.data_dir.join("spool"), spool_limits(config))?);
    let (stop_delivery, stopped) = watch::channel(false);
    let delivery = tokio::spawn(Arc::clone(&ledger).deliver(Arc::new(store.clone()), stopped));
    tokio::spawn(retention::run(store.clone(), config.ledger.retention_days));
    let fetcher = parts::fetcher(config)?;
    let metrics = Arc::new(Metrics::new()?);
    let alarms = Alarms::start(store.clone(), Arc::clone(&metrics));
    let courier =
        Courier::new(store.clone(), Arc::clone(&keyring), fetcher.clone(), alerts::PAUSES);
    let figures = Arc::clone(&metrics);
    let courier = courier.telling(move |outcome| figures.delivery(outcome));
    tokio::spawn(courier.run(stop_delivery.subscribe()));
    let publisher = Arc::new(Publisher::default());
    let keys = Arc::new(ApiKeys::new(store.clone(), Arc::clone(&keyring)));
    let drain = Drain::default();
    let told = crossings::start(alarms.clone(), Arc::clone(&publisher));
    let sharing = sharing::Sharing::new(config, &store, &ledger, told, &stop_delivery)?;
    let governor = Arc::clone(&sharing.governor);
    let vitals = Vitals {
        store: store.clone(),
        publisher: Arc::clone(&publisher),
        ledger: Arc::clone(&ledger),
        governor: Arc::clone(&governor),
        drain: drain.clone(),
    };
    let private = config.admin.listen.map(|at| listen::bind(at, "admin.listen")).transpose()?;
    let private_at = private.as_ref().map(|(_, bound)| *bound);
    let site = site::site(config, bound, private_at);
    let identity = identity::identity(config, (&store, &keyring), &keys, &fetcher, site).await?;
    let people = Arc::clone(&identity.people);
    let determiners = Arc::new(Determiners::default());
    let ejections = ejections::start(config, alarms.clone(), sharing.cooldowns());
    let asker = Arc::<Determiners>::clone(&determiners);
    let outside = outside::outside(
        config,
        &store,
        &keyring,
        &ejections,
        asker,
        Arc::new(Arc::clone(&governor)),
    )?;
    // One set of tokens: for what the administration tries out, and for what requests use.
    let clouds = Clouds {
        aws: outside.aws.clone(),
        google: outside.google.clone(),
        trusted: outside.trusted.clone(),
    };
    let admin =
        admin_router(&store, &keyring, &keys, &publisher, &governor, identity, outside).await?;
    let inside = admin.merge(console::router(Arc::clone(&people)));
    // Cookies know no ports: what is not signed in to here is not believed here.
    let people = private.is_none().then_some(people);
    let local = local_router(private, probes::router(vitals), inside)?;
    let access =
        AccessLog::start().map_err(|error| AppError::Io("cannot start the log's thread", error))?;
    let (traces, exporting) = traces::start(config, stop_delivery.subscribe())?;
    let (refused, hear_of_refused) = RefusedCredentials::new();
    tokio::spawn(refused_credentials::run(hear_of_refused, alarms));
    let shared = Arc::new(Shared::new(
        publisher,
        keys,
        people,
        ledger,
        metrics,
        access,
        traces,
        peers(config),
        clouds,
        parts::media(config)?,
        limits(config),
        drain,
        local,
        governor,
        ejections.health,
        refused,
    ));
    determiners.ask_through(&shared);
    tokio::spawn(shared.peers.close_idle());
    serve_metrics(config, &shared, &store)?;
    let (close, closed) = watch::channel(false);
    let held =
        listener.try_clone().map_err(|error| AppError::Io("cannot hold a listener", error))?;
    let (mut service, fds) = listen::service(config, &shared, listener, bound)?;
    let public = tokio::spawn(async move { service.start_service(Some(fds), closed, 1).await });
    tracing::info!(address = %bound, "listening");
    let console = site::console_url(config, bound, private_at);
    Ok(Running {
        bound,
        console,
        shared,
        store,
        listener: held,
        close,
        public,
        delivery,
        counting: sharing.counting,
        exporting,
        stop_delivery,
    })
}

impl Running {
    async fn until_told(self, config: &Config) -> Result<(), AppError> {
        shutdown::requested().await?;
        tracing::info!("draining");
        let leave = Leave {
            listener: self.listener,
            close: self.close,
            delay: Duration::from_millis(config.server.drain_delay_ms),
            grace: Duration::from_secs(config.server.shutdown_grace_secs),
        };
        shutdown::drain(&self.shared.drain, leave).await;
        self.public.abort();
        let _nobody_listens = self.stop_delivery.send(true);
        // Side by side, so that a collector that is away does not make the end later.
        let (delivered, exported, _) = tokio::join!(
            tokio::time::timeout(LAST_DELIVERY, self.delivery),
            tokio::time::timeout(LAST_DELIVERY, traces::exported(self.exporting)),
            tokio::time::timeout(LAST_DELIVERY, self.counting),
        );
        if delivered.is_err() {
            tracing::warn!("usage records remain in the spool; the next start delivers them");
        }
        if exported.is_err() {
            tracing::warn!("the collector of traces did not take the last spans in time");
        }
        if tokio::time::timeout(LAST_DELIVERY, self.store.close()).await.is_err() {
            tracing::warn!("the database is still at work; it is left as it is");
        }
        tracing::info!("stopped");
        self.shared.access.flush();
        Ok(())
    }
}

async fn admin_router(
    store: &Store,
    keyring: &Arc<Keyring>,
    keys: &Arc<ApiKeys>,
    publisher: &Arc<Publisher>,
    governor: &Arc<Governor>,
    identity: identity::Identity,
    outside: Outside,
) -> Result<Router, AppError> {
    let refresher = Refresher::new(
        store.clone(),
        Arc::clone(keyring),
        Arc::clone(publisher),
        Arc::clone(keys),
        Arc::clone(governor),
    );
    if let Err(error) = prices::follow_defaults(store, pricing::defaults()).await {
        tracing::error!(%error, "rules that follow the managed defaults keep their prices");
    }
    refresher.all().await.map_err(|error| AppError::Refresh(error.to_string()))?;
    let refresher = Arc::new(refresher);
    tokio::spawn(follow::run(Arc::clone(&refresher)));
    let (store, keyring, keys) = (store.clone(), Arc::clone(keyring), Arc::clone(keys));
    let identity::Identity { people, tokens } = identity;
    let state = AdminState::new(store, keyring, keys, people, tokens, refresher, outside);
    Ok(admin::router(state))
}

/// The router of the public port: with the administration and the console, unless these have a
/// listener of their own.
fn local_router(
    private: Option<(TcpListener, SocketAddr)>,
    probes: Router,
    inside: Router,
) -> Result<Router, AppError> {
    let Some((listener, bound)) = private else {
        return Ok(probes.merge(inside).fallback(site::anything_else));
    };
    serve_router(listener, probes.clone().merge(inside).fallback(site::anything_else))?;
    tracing::info!(address = %bound, "admin listening");
    Ok(probes.fallback(admin::not_found))
}

fn serve_metrics(config: &Config, shared: &Arc<Shared>, store: &Store) -> Result<(), AppError> {
    let gauges = Arc::clone(shared);
    shared.metrics.before_scrape(move |metrics| gauges.publish_gauges(metrics));
    let store = store.clone();
    shared.metrics.before_scrape(move |metrics| metrics.dependency("store", !store.is_away()));
    let Some(address) = config.metrics.listen else { return Ok(()) };
    let (listener, bound) = listen::bind(address, "metrics.listen")?;
    serve_router(listener, observe::metrics_router(Arc::clone(&shared.metrics)))?;
    tracing::info!(address = %bound, "metrics listening");
    Ok(())
}

fn serve_router(listener: TcpListener, router: Router) -> Result<(), AppError> {
    let failed = |error| AppError::Io("cannot serve", error);
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "a listener ended");
        }
    });
    Ok(())
}

fn spool_limits(config: &Config) -> SpoolLimits {
    let on_full = match config.ledger.on_full {
        config::OnFull::Block => OnFull::Block,
        config::OnFull::DropOldest => OnFull::DropOldest,
    };
    SpoolLimits { max_bytes: config.ledger.max_spool_mb * MIB, on_full }
}

fn peers(config: &Config) -> Peers {
    let patience = Duration::from_millis(config.upstream.connect_timeout_ms);
    Peers::new(parts::address_policy(config), patience, Arc::new(InProcess::new()))
}

fn limits(config: &Config) -> Limits {
    Limits {
        max_body: config.server.max_body_mb * MIB,
        max_buffered: config.server.max_buffered_mb * MIB,
        header_timeout: Duration::from_secs(config.server.header_timeout_secs),
        body_timeout: Duration::from_secs(config.server.body_timeout_secs),
        all_rate_limited_status: config.routing.all_rate_limited_status,
        determiner_timeout: Duration::from_millis(config.routing.determiner_timeout_ms),
    }
}
