//! A connection to Redis that never holds anyone up.
//!
//! It connects lazily and again by itself. A call that takes longer than its deadline, or fails,
//! opens the breaker: from then on every call fails at once, until a probe in the background finds
//! Redis well again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use futures_util::{FutureExt as _, future::BoxFuture};
use redis::{ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::sync::{Notify, watch};

use super::{
    connect::{Connection, Target},
    keys,
};

/// Pause between probes while Redis is away.
const PROBE_EVERY: Duration = Duration::from_millis(200);

/// Longest wait of a probe.
const PROBE_DEADLINE: Duration = Duration::from_secs(1);

/// Longest wait for an answer that is late.
const LATEST: Duration = Duration::from_secs(120);

/// `redis.url` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("redis.url: {0}")]
pub struct LinkError(pub(super) String);

/// A call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    /// Redis is away, or did not answer in time. The call may have been carried out.
    #[error("redis is away")]
    Away,
    /// Redis refuses the call.
    #[error("redis: {0}")]
    Refused(String),
}

/// An answer that comes after its deadline; none if it never comes.
pub(in crate::govern) type Late = BoxFuture<'static, Option<Value>>;

fn late(answer: BoxFuture<'static, Result<Value, RedisError>>) -> Late {
    async { tokio::time::timeout(LATEST, answer).await.ok()?.ok() }.boxed()
}

/// An answer that is awaited. Where whoever awaits it goes away, `gone` is handed what is still to come.
pub(in crate::govern) struct Awaited<A, G: FnOnce(A)> {
    answer: Option<A>,
    gone: Option<G>,
}

impl<A: Future + Unpin, G: FnOnce(A)> Awaited<A, G> {
    pub(in crate::govern) const fn new(answer: A, gone: G) -> Self {
        Self { answer: Some(answer), gone: Some(gone) }
    }

    /// The answer, when it is there; none where it was taken.
    pub(in crate::govern) async fn answer(&mut self) -> Option<A::Output> {
        let told = self.answer.as_mut()?.await;
        self.answer = None;
        Some(told)
    }

    /// Awaits it elsewhere.
    pub(in crate::govern) const fn take(&mut self) -> Option<A> {
        self.answer.take()
    }
}

impl<A, G: FnOnce(A)> Drop for Awaited<A, G> {
    fn drop(&mut self) {
        if let (Some(answer), Some(gone)) = (self.answer.take(), self.gone.take()) {
            gone(answer);
        }
    }
}

/// A script, known to Redis by its digest.
#[derive(Debug)]
pub struct Script {
    source: Arc<str>,
    digest: String,
}

impl Script {
    /// From its source.
    #[must_use]
    pub fn new(source: &str) -> Self {
        let digest = redis::Script::new(source).get_hash().to_owned();
        Self { source: source.into(), digest }
    }
}

/// A connection to Redis, Valkey, or a cluster of them. Shared by everything that needs one.
pub struct Link {
    target: Target,
    deadline: Duration,
    connection: ArcSwapOption<Connection>,
    up: watch::Sender<bool>,
    /// What `up` says, for those who are in a hurry.
    is_up: AtomicBool,
    fell: Notify,
}

impl Link {
    /// A link to `url`: `redis://`, `rediss://`, `redis+cluster://` or `rediss+cluster://`, whose calls wait so long
    /// for an answer. Nothing is connected yet; [`Link::run`] is to be spawned.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(url: &str, deadline: Duration) -> Result<Arc<Self>, LinkError> {
        Ok(Arc::new(Self {
            target: Target::parse(url)?,
            deadline,
            connection: ArcSwapOption::empty(),
            up: watch::Sender::new(false),
            is_up: AtomicBool::new(false),
            fell: Notify::new(),
        }))
    }

    /// Connects, and closes the breaker when Redis is well again; until `stop` is true.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let probing = async {
            loop {
                while !self.is_up() {
                    self.probe().await;
                }
                self.fell.notified().await;
            }
        };
        tokio::select! {
            () = probing => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Whether calls are tried: the breaker is closed.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Acquire)
    }

    /// How long a call waits for an answer.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Changes whenever [`Link::is_up`] does.
    pub fn changes(&self) -> watch::Receiver<bool> {
        self.up.subscribe()
    }

    /// Runs a script within the deadline (`EVALSHA`, or `EVAL` where it is not known). On a cluster
    /// all keys must share a hash tag.
    ///
    /// # Errors
    /// When the breaker is open (at once), or opens because of this call; when Redis refuses.
    pub async fn call(
        &self,
        script: &Script,
        keys: &[impl AsRef<[u8]> + Sync],
        args: &[impl AsRef<[u8]> + Sync],
    ) -> Result<Value, LinkFault> {
        self.call_or_late(script, keys, args, drop).await.map_err(|(fault, _)| fault)
    }

    /// As [`Link::call`], for those who have to know what became of a call that was not answered in
    /// time. Where whoever calls goes away before, `gone` is handed the answer that is still to come.
    pub(in crate::govern) async fn call_or_late(
        &self,
        script: &Script,
        keys: &[impl AsRef<[u8]> + Sync],
        args: &[impl AsRef<[u8]> + Sync],
        gone: impl FnOnce(Late) + Send,
    ) -> Result<Value, (LinkFault, Option<Late>)> {
        let connection = self.connection.load_full().filter(|_| self.is_up());
        let Some(connection) = connection else { return Err((LinkFault::Away, None)) };
        let answer = evaluate((*connection).clone(), script, keys, args).boxed();
        let mut awaited = Awaited::new(answer, |answer| gone(late(answer)));
        match tokio::time::timeout(self.deadline, awaited.answer()).await {
            Ok(Some(Ok(value))) => Ok(value),
            Ok(Some(Err(error))) => Err((self.judge(&connection, &error), None)),
            Ok(None) => Err((LinkFault::Away, None)),
            Err(_) => {
                self.fall(&connection, &"no answer in time");
                Err((LinkFault::Away, awaited.take().map(late)))
            }
        }
    }

    fn judge(&self, connection: &Arc<Connection>, error: &RedisError) -> LinkFault {
        if is_about_the_call(error) {
            return LinkFault::Refused(error.to_string());
        }
        self.fall(connection, error);
        LinkFault::Away
    }

    /// Opens the breaker, unless that happened already and the connection is a new one.
    fn fall(&self, connection: &Arc<Connection>, reason: &dyn std::fmt::Display) {
        let current = self.connection.load();
        let is_current = current.as_ref().is_some_and(|now| Arc::ptr_eq(now, connection));
        if is_current && self.is_up.swap(false, Ordering::AcqRel) {
            tracing::error!(redis = %self.target, %reason, "redis is away");
            self.up.send_replace(false);
            self.fell.notify_one();
        }
    }

    async fn probe(&self) {
        let connecting = async {
            let mut connection = self.target.connect().await?;
            redis::cmd("PING").query_async::<Value>(&mut connection).await?;
            takes_writes(&mut connection).await?;
            Ok::<_, RedisError>(connection)
        };
        match tokio::time::timeout(PROBE_DEADLINE, connecting).await {
            Ok(Ok(connection)) => {
                self.connection.store(Some(Arc::new(connection)));
                self.is_up.store(true, Ordering::Release);
                self.up.send_replace(true);
                tracing::info!(redis = %self.target, "redis is there");
            }
            Ok(Err(error)) => {
                tracing::debug!(redis = %self.target, %error, "redis is still away");
                tokio::time::sleep(PROBE_EVERY).await;
            }
            Err(_) => {}
        }
    }
}

/// Whether it takes writes at all: a server that was made a replica of another does not, and by the time that this is
/// known elsewhere, its name leads to that one. Whatever else it refuses is told by the calls.
async fn takes_writes(connection: &mut Connection) -> Result<(), RedisError> {
    let write = redis::cmd("SET").arg(keys::PROBE).arg(1).arg("PX").arg(1000).to_owned();
    let Err(error) = write.query_async::<Value>(connection).await else { return Ok(()) };
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly) => Err(error),
        ErrorKind::Server(_) | ErrorKind::Extension => Ok(()),
        _ => Err(error),
    }
}

/// Built before anything is awaited, so that it can go on without its caller.
fn evaluate(
    mut connection: Connection,
    script: &Script,
    keys: &[impl AsRef<[u8]>],
    args: &[impl AsRef<[u8]>],
) -> impl Future<Output = Result<Value, RedisError>> + Send + 'static {
    let by_digest = command("EVALSHA", &script.digest, keys, args);
    let source = Arc::clone(&script.source);
    async move {
        match by_digest.query_async(&mut connection).await {
            Err(error) if is_unknown_script(&error) => {
                by_source(&by_digest, &source).query_async(&mut connection).await
            }
            other => other,
        }
    }
}

fn command(
    name: &str,
    script: &str,
    keys: &[impl AsRef<[u8]>],
    args: &[impl AsRef<[u8]>],
) -> redis::Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(keys.len());
    for key in keys {
        command.arg(key.as_ref());
    }
    for arg in args {
        command.arg(arg.as_ref());
    }
    command
}

/// The same call with the script itself, which Redis then knows.
fn by_source(by_digest: &redis::Cmd, source: &str) -> redis::Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(source);
    for arg in by_digest.args_iter().skip(2) {
        if let redis::Arg::Simple(bytes) = arg {
            command.arg(bytes);
        }
    }
    command
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether Redis is well and it is the call that is wrong.
fn is_about_the_call(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::ResponseError
                | ServerErrorKind::ExecAbort
                | ServerErrorKind::CrossSlot
                | ServerErrorKind::NoPerm
        ),
        ErrorKind::Extension => true,
        _ => false,
    }
}
