//! The scripts and their answers, on a real server.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use super::{Cooldown, Cooldowns, Ejection, Reason, RedisCooldowns, RouteKey};
use crate::{
    domain::{OrgId, ProviderId},
    govern::redis::Link,
};

/// A Redis of its own, gone with the test.
struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
        command.current_dir(folder.path()).stdout(Stdio::null());
        Self { child: command.spawn().expect("redis-server"), port, _folder: folder }
    }

    /// A replica's connection, once it stands.
    async fn replica(&self, stop: &watch::Sender<bool>) -> RedisCooldowns {
        let link = Link::new(&format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut changes = link.changes();
        tokio::spawn(Arc::clone(&link).run(stop.subscribe()));
        let up = tokio::time::timeout(Duration::from_secs(20), changes.wait_for(|up| *up));
        up.await.expect("redis answers in time").expect("the link lives");
        RedisCooldowns::new(link)
    }

    fn flush(&self) {
        let port = self.port.to_string();
        let done = Command::new("redis-cli").args(["-p", &port, "flushall"]).output().unwrap();
        assert!(done.status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn cooldown(seconds: u64) -> Cooldown {
    let key = RouteKey {
        org: OrgId::random(),
        provider: ProviderId::random(),
        model: "meta/llama: {3}".into(),
    };
    let ejection = Ejection {
        reason: Reason::RateLimited,
        lasts: Duration::from_secs(seconds),
        multiplier: 4,
    };
    let (id, provider_name) = (Uuid::new_v4(), "Meta \"EU\"".into());
    Cooldown { id, key, provider_name, ejection: Some(ejection) }
}

#[tokio::test]
async fn what_one_replica_tells_another_hears_once_with_the_time_that_is_left() {
    let (server, stop) = (Server::start(), watch::Sender::new(false));
    let (one, two) = (server.replica(&stop).await, server.replica(&stop).await);
    assert!(two.read().await.unwrap().is_empty());
    let told = cooldown(100);
    assert_eq!(one.publish(&told).await.unwrap(), told.id);
    let heard = two.read().await.unwrap();
    let [heard] = heard.as_slice() else { panic!("{heard:?}") };
    let (lasts, said) = (heard.ejection.unwrap().lasts, told.ejection.unwrap().lasts);
    assert!(lasts <= said && lasts > said / 2, "{lasts:?}");
    let same = Ejection { lasts: said, ..heard.ejection.unwrap() };
    assert_eq!(Cooldown { ejection: Some(same), ..heard.clone() }, told);
    assert!(two.read().await.unwrap().is_empty(), "it is no news any more");
    server.flush();
    assert!(two.read().await.unwrap().is_empty());
    let next = cooldown(100);
    one.publish(&next).await.unwrap();
    assert_eq!(two.read().await.unwrap().len(), 1, "though the count began anew");
}

#[tokio::test]
async fn one_that_has_half_as_long_to_go_stands_and_a_much_longer_one_replaces_it() {
    let (server, stop) = (Server::start(), watch::Sender::new(false));
    let one = server.replica(&stop).await;
    let first = cooldown(100);
    one.publish(&first).await.unwrap();
    for (seconds, stands) in [(100, false), (10, false), (300, true)] {
        let ejection = Ejection { lasts: Duration::from_secs(seconds), ..first.ejection.unwrap() };
        let next = Cooldown { id: Uuid::new_v4(), ejection: Some(ejection), ..first.clone() };
        let expected = if stands { next.id } else { first.id };
        assert_eq!(one.publish(&next).await.unwrap(), expected, "{seconds} s");
    }
}

#[tokio::test]
async fn a_reset_reaches_every_replica_and_tells_whether_there_was_a_cool_down() {
    let (server, stop) = (Server::start(), watch::Sender::new(false));
    let (one, two) = (server.replica(&stop).await, server.replica(&stop).await);
    let told = cooldown(100);
    one.publish(&told).await.unwrap();
    let id = Uuid::new_v4();
    assert!(two.reset(&told.key, id).await.unwrap());
    assert!(!two.reset(&told.key, id).await.unwrap());
    let heard = one.read().await.unwrap();
    assert_eq!((heard.len(), heard[0].id, heard[0].ejection), (1, id, None));
}

#[tokio::test]
async fn without_redis_nothing_is_told_and_nobody_waits() {
    let link = Link::new("redis://127.0.0.1:1").unwrap();
    let cooldowns = RedisCooldowns::new(link);
    let told = cooldown(100);
    assert!(cooldowns.publish(&told).await.is_err());
    assert!(cooldowns.reset(&told.key, Uuid::new_v4()).await.is_err());
    assert!(cooldowns.read().await.is_err());
}
