//! Routes that are ejected and come back: told to the log, the other replicas and the organization's
//! webhooks, off the requests' way.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::sync::mpsc;

use super::alarms::Alarms;
use crate::{
    config::{self, Config},
    domain::{Alert, AlertEvent, Timestamp},
    route::{
        RouteHealth,
        health::{Cause, Cooldowns, Ejection, Event, Origin, Sharing, State, Tuning},
    },
};

/// Changes that may wait to be told. Beyond it the log and this process know of them alone.
const WAITING: usize = 4096;
/// Without a shared place, replicas that eject a route within this time tell of one ejection.
const SAME: Duration = Duration::from_secs(300);

/// The health of routes, and who keeps it together with other replicas'.
pub struct Ejections {
    pub health: Arc<RouteHealth>,
    pub sharing: Option<Arc<Sharing>>,
}

/// Begins to keep the health of routes.
pub fn start(config: &Config, alarms: Alarms, shared: Option<Arc<dyn Cooldowns>>) -> Ejections {
    let (tell, hear) = mpsc::channel(WAITING);
    let health = RouteHealth::new(tuning(&config.ejection), move |event: &Event| {
        log(event);
        let _nobody_else_is_told = tell.try_send(event.clone());
    });
    let health = Arc::new(health);
    let sharing = shared.map(|cooldowns| Arc::new(Sharing::new(Arc::clone(&health), cooldowns)));
    if let Some(sharing) = &sharing {
        tokio::spawn(Arc::clone(sharing).run());
    }
    tokio::spawn(spread(hear, alarms, sharing.clone()));
    Ejections { health, sharing }
}

fn tuning(given: &config::Ejection) -> Tuning {
    let time = Duration::from_millis;
    Tuning {
        failures: given.failures,
        window: time(given.window_ms),
        base: time(given.base_ms),
        most: time(given.max_ms),
        rate_limited: time(given.rate_limited_ms),
        overloaded: time(given.overloaded_ms),
    }
}

/// One line for each change.
fn log(event: &Event) {
    let change = &event.change;
    let lasts_ms = change.lasts.map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                org = %event.key.org,
                provider = &*event.provider_name,
                upstream_model = &*event.key.model,
                from = change.from.as_str(),
                to = change.to.as_str(),
                reason = change.cause.as_str(),
                by_this_replica = event.origin == Origin::Here,
                lasts_ms,
                "a route's health changed"
            )
        };
    }
    if change.to == State::Ejected { line!(warn) } else { line!(info) }
}

async fn spread(mut hear: mpsc::Receiver<Event>, alarms: Alarms, sharing: Option<Arc<Sharing>>) {
    while let Some(event) = hear.recv().await {
        let (Cause::Ejected(reason), Origin::Here) = (event.change.cause, event.origin) else {
            continue;
        };
        let at = Timestamp::now();
        let ejection = Ejection {
            reason,
            lasts: event.change.lasts.unwrap_or_default(),
            multiplier: event.change.multiplier,
        };
        let mut key = slot(at);
        if let Some(sharing) = &sharing {
            match sharing.publish(&event.key, &event.provider_name, ejection).await {
                Ok(id) => key = id.to_string(),
                Err(error) => {
                    tracing::warn!(%error, "other replicas do not hear of an ejection yet");
                }
            }
        }
        // What fails its probes is still the same ejection to people.
        if event.change.from == State::Healthy {
            alarms.raise(alert(&event, &ejection, &key, at), at);
        }
    }
}

fn slot(at: Timestamp) -> String {
    let length = i64::try_from(SAME.as_secs()).unwrap_or(i64::MAX);
    (at.unix_seconds() / length).to_string()
}

fn alert(event: &Event, ejection: &Ejection, key: &str, at: Timestamp) -> Alert {
    let route = &event.key;
    Alert {
        org: route.org,
        event: AlertEvent::RouteEjected,
        key: format!("{}/{}/{key}", route.provider, route.model),
        data: json!({
            "provider_id": route.provider,
            "provider_name": &*event.provider_name,
            "upstream_model": &*route.model,
            "reason": ejection.reason.as_str(),
            "until": at.after(ejection.lasts),
        }),
    }
}
