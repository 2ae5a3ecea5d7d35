//! Where Redis is, and how it is reached.

use std::fmt;

use futures_util::future::BoxFuture;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, IntoConnectionInfo as _, Pipeline,
    RedisError, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    io::tcp::TcpSettings,
};
use url::Url;

use super::link::LinkError;

/// Where Redis is.
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
pub(super) enum Target {
    Server(Client, String),
    Cluster(ClusterClient, String),
}

/// A connection; clones share it.
#[derive(Clone)]
pub(super) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Target {
    /// Reads `redis.url`.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let error = |error: RedisError| LinkError(error.to_string());
        let url = Url::parse(text).map_err(|error| LinkError(error.to_string()))?;
        let name = shown(&url);
        match url.scheme() {
            "redis" | "rediss" => {
                let client = Client::open(at_once(text).map_err(error)?).map_err(error)?;
                Ok(Self::Server(client, name))
            }
            "redis+cluster" | "rediss+cluster" => {
                let node = text.replacen("+cluster", "", 1);
                let client = ClusterClient::builder(vec![node]).tcp_settings(undelayed()).build();
                Ok(Self::Cluster(client.map_err(error)?, name))
            }
            other => Err(LinkError(format!(
                "must begin with redis://, rediss://, redis+cluster:// or rediss+cluster://, not \
                 {other}://"
            ))),
        }
    }

    /// Connects.
    pub async fn connect(&self) -> Result<Connection, RedisError> {
        match self {
            Self::Server(client, _) => {
                // Deadlines are the link's own: an answer that is late is still of use.
                let config = AsyncConnectionConfig::new().set_response_timeout(None);
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                Ok(Connection::Server(connection.await?))
            }
            Self::Cluster(client, _) => {
                Ok(Connection::Cluster(client.get_async_connection().await?))
            }
        }
    }
}

/// Many calls share a connection: without this the kernel holds each back until the ones before it
/// are acknowledged.
fn undelayed() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// A server whose calls are sent at once.
fn at_once(url: &str) -> Result<ConnectionInfo, RedisError> {
    Ok(url.into_connection_info()?.set_tcp_settings(undelayed()))
}

/// Without credentials.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().unwrap_or(6379);
    format!("{}://{host}:{port}", url.scheme())
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(_, name) | Self::Cluster(_, name) => f.write_str(name),
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> BoxFuture<'a, Result<Vec<Value>, RedisError>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_not_held_back_until_others_are_acknowledged() {
        for url in ["redis://127.0.0.1:1", "rediss://localhost:1/2"] {
            let Ok(Target::Server(client, _)) = Target::parse(url) else { panic!("{url}") };
            assert!(client.get_connection_info().tcp_settings().nodelay(), "{url}");
        }
    }
}
