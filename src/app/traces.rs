//! Traces: on where the environment names a collector.

use tokio::{sync::watch, task::JoinHandle};

use super::AppError;
use crate::{
    config::Config,
    observe::otel::{Exporter, OtelError, Settings, Traces},
};

/// Where requests leave their spans, and the task that takes them to the collector until `stopped`.
/// Both none where no collector is named.
pub fn start(
    config: &Config,
    stopped: watch::Receiver<bool>,
) -> Result<(Option<Traces>, Option<JoinHandle<()>>), AppError> {
    let Some((traces, exporter)) = read(config)? else { return Ok((None, None)) };
    tracing::info!("traces go to the collector that the environment names");
    Ok((Some(traces), Some(tokio::spawn(exporter.run(stopped)))))
}

/// What the environment asks for; none where it names no collector. Nothing is sent yet.
pub fn read(config: &Config) -> Result<Option<(Traces, Exporter)>, OtelError> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    settings.map(|settings| Traces::new(settings, config.server.tls_cert.is_some())).transpose()
}

/// Waits for the last spans to leave, where there are any.
pub async fn exported(exporting: Option<JoinHandle<()>>) {
    if let Some(task) = exporting {
        let _it_left_what_it_could = task.await;
    }
}
