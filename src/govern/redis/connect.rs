//! Where Redis is, and how it is reached.

use std::fmt;

use futures_util::future::BoxFuture;
use redis::{
    AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
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
            "redis" | "rediss" => Ok(Self::Server(Client::open(text).map_err(error)?, name)),
            "redis+cluster" | "rediss+cluster" => {
                let node = text.replacen("+cluster", "", 1);
                let client = ClusterClient::new(vec![node]).map_err(error)?;
                Ok(Self::Cluster(client, name))
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
