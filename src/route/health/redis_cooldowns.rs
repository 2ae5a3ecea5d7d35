//! Cool-downs in Redis: one set for all organizations, because few routes are ejected at a time; whoever
//! looks is answered with what is new alone, and by one call. Times are Redis's own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use redis::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Cooldown, CooldownError, Cooldowns, Ejection, Reason, RouteKey};
use crate::{
    domain::{OrgId, ProviderId},
    govern::redis::{Link, LinkFault, Script},
};

const KEYS: [&str; 4] = [
    "turnpike:{route-health}:state",
    "turnpike:{route-health}:order",
    "turnpike:{route-health}:until",
    "turnpike:{route-health}:count",
];
/// How long a reset is told: by then every cool-down from before it is over.
const TELL_RESET: Duration = Duration::from_secs(600);
/// Length of an id as text.
const ID: usize = 36;

/// Cool-downs in Redis.
pub struct RedisCooldowns {
    link: Arc<Link>,
    tell: Script,
    hear: Script,
    /// How many changes there were when it was read last.
    heard: AtomicU64,
}

/// What an entry says beyond its id and kind.
#[derive(Serialize, Deserialize)]
struct Entry {
    provider_name: Arc<str>,
    reason: String,
    multiplier: u32,
}

impl RedisCooldowns {
    /// Over `link`.
    #[must_use]
    pub fn new(link: Arc<Link>) -> Self {
        let (tell, hear) = (include_str!("tell.lua"), include_str!("hear.lua"));
        let (tell, hear) = (Script::new(tell), Script::new(hear));
        Self { link, tell, hear, heard: AtomicU64::new(0) }
    }

    async fn eject(&self, cooldown: &Cooldown, when: &str) -> Result<Uuid, CooldownError> {
        let Some(ejection) = cooldown.ejection else { return Err(odd()) };
        let entry = Entry {
            provider_name: Arc::clone(&cooldown.provider_name),
            reason: ejection.reason.as_str().to_owned(),
            multiplier: ejection.multiplier,
        };
        let entry = serde_json::to_string(&entry).map_err(|_| odd())?;
        let told = self.tell(&cooldown.key, (cooldown.id, "e"), when, ejection.lasts, entry);
        Ok(told.await?.0)
    }

    /// The id of the entry that stands, and whether the route was known to be ejected.
    async fn tell(
        &self,
        key: &RouteKey,
        (id, kind): (Uuid, &str),
        when: &str,
        lasts: Duration,
        entry: String,
    ) -> Result<(Uuid, bool), CooldownError> {
        let lasts = lasts.as_millis().max(1).to_string();
        let (id, kind, when) = (id.to_string(), kind.to_owned(), when.to_owned());
        let arguments = [field(key), id, kind, lasts, entry, when];
        let answer = self.link.call(&self.tell, &KEYS, &arguments).await?;
        let (stands, ejected): (String, u8) = read(answer)?;
        Ok((stands.parse().map_err(|_| odd())?, ejected == 1))
    }
}

#[async_trait]
impl Cooldowns for RedisCooldowns {
    async fn publish(&self, cooldown: &Cooldown) -> Result<Uuid, CooldownError> {
        self.eject(cooldown, "always").await
    }

    async fn publish_late(&self, cooldown: &Cooldown) -> Result<Uuid, CooldownError> {
        self.eject(cooldown, "new").await
    }

    async fn reset(&self, key: &RouteKey, id: Uuid) -> Result<bool, CooldownError> {
        let told = self.tell(key, (id, "r"), "always", TELL_RESET, String::new()).await?;
        Ok(told.1)
    }

    async fn read(&self) -> Result<Vec<Cooldown>, CooldownError> {
        let since = self.heard.load(Ordering::Relaxed).to_string();
        let answer = self.link.call(&self.hear, &KEYS, &[since]).await?;
        let Value::Array(answer) = answer else { return Err(odd()) };
        let mut answer = answer.into_iter();
        let count: u64 = read(answer.next().unwrap_or(Value::Nil))?;
        let mut all = Vec::new();
        while let (Some(route), Some(entry), Some(left)) =
            (answer.next(), answer.next(), answer.next())
        {
            // What a later version tells is not for this one.
            all.extend(cooldown(&read::<String>(route)?, &read::<String>(entry)?, read(left)?));
        }
        self.heard.store(count, Ordering::Relaxed);
        Ok(all)
    }
}

fn field(key: &RouteKey) -> String {
    format!("{}/{}/{}", key.org, key.provider, key.model)
}

fn cooldown(route: &str, entry: &str, left_ms: u64) -> Option<Cooldown> {
    let mut parts = route.splitn(3, '/');
    let key = RouteKey {
        org: OrgId(parts.next()?.parse().ok()?),
        provider: ProviderId(parts.next()?.parse().ok()?),
        model: parts.next()?.into(),
    };
    let (id, entry) = entry.split_at_checked(ID)?;
    let id = id.parse().ok()?;
    match entry.split_at_checked(1)? {
        ("e", entry) => {
            let entry: Entry = serde_json::from_str(entry).ok()?;
            let ejection = Ejection {
                reason: Reason::named(&entry.reason)?,
                lasts: Duration::from_millis(left_ms),
                multiplier: entry.multiplier,
            };
            let provider_name = entry.provider_name;
            Some(Cooldown { id, key, provider_name, ejection: Some(ejection) })
        }
        ("r", _) => Some(Cooldown { id, key, provider_name: Arc::from(""), ejection: None }),
        _ => None,
    }
}

fn read<T: redis::FromRedisValue>(value: Value) -> Result<T, CooldownError> {
    redis::from_redis_value(value).map_err(|_| odd())
}

fn odd() -> CooldownError {
    CooldownError("the cool-downs in Redis cannot be read".to_owned())
}

impl From<LinkFault> for CooldownError {
    fn from(fault: LinkFault) -> Self {
        Self(fault.to_string())
    }
}
