//! Why a command could not be carried out.

use crate::{auth, config, govern, healthcheck, ledger, net, observe, quickstart, secrets, store};

/// A command failed. The text is for the operator, and names the remedy where there is one.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration has faults.
    #[error(transparent)]
    Config(#[from] config::Faults),
    /// The data folder cannot be made or used.
    #[error(
        "the data folder {path} cannot be used: {source}; set storage.data_dir to a folder that this user may write"
    )]
    DataDir {
        /// Which folder.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A listener cannot be opened.
    #[error("cannot listen on {address} ({key}): {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The setting that names it.
        key: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("server.tls_cert and server.tls_key cannot be used: {0}")]
    Tls(String),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The master key is not there or not the right one.
    #[error(transparent)]
    MasterKey(#[from] auth::UnlockError),
    /// A secret cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] secrets::SealError),
    /// The issuer's key cannot be used.
    #[error(transparent)]
    Issuer(#[from] auth::IssuerError),
    /// No token was made.
    #[error(transparent)]
    Token(#[from] auth::TokenError),
    /// No link into the console was made.
    #[error(transparent)]
    Link(#[from] auth::SignInError),
    /// No service account was made.
    #[error(transparent)]
    ServiceAccount(#[from] auth::ServiceAccountError),
    /// The usage spool cannot be used.
    #[error(transparent)]
    Spool(#[from] ledger::SpoolError),
    /// The address of Redis cannot be used.
    #[error(transparent)]
    Redis(#[from] govern::redis::LinkError),
    /// Quickstart could not set up.
    #[error(transparent)]
    Quickstart(#[from] quickstart::QuickstartError),
    /// What is configured cannot be read.
    #[error("what is configured cannot be put into force: {0}")]
    Refresh(String),
    /// The figures cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// What the environment says about traces cannot be heeded.
    #[error(transparent)]
    Otel(#[from] observe::otel::OtelError),
    /// The gateway does not answer.
    #[error(transparent)]
    Unhealthy(#[from] healthcheck::Unhealthy),
    /// No client for the gateway's own requests can be made.
    #[error(transparent)]
    Client(#[from] net::ClientError),
    /// The command cannot be carried out as it was given.
    #[error("{0}")]
    Usage(String),
    /// The key cannot be read or made.
    #[error(transparent)]
    Key(#[from] secrets::MasterKeyError),
    /// The system refuses something else.
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
}
