//! Sockets: bound here, so that port 0 and errors are known before anything serves.

use std::{
    net::{SocketAddr, TcpListener},
    os::fd::IntoRawFd,
    sync::Arc,
    time::Duration,
};

use pingora_core::{
    apps::HttpServerOptions,
    listeners::{L4BufferSettings, ListenerConfig, Listeners, tls::TlsSettings},
    protocols::http::v2::server::{H2Options, default_h2_options},
    server::{Fds, ListenFds, configuration::ServerConf},
    services::listening::Service,
};
use pingora_proxy::HttpProxy;

use super::AppError;
use crate::{
    config::Config,
    proxy::{Front, Gateway, Shared},
};

/// Pingora counts attempts with it; the plan bounds them, not this.
const MAX_ATTEMPTS: usize = 4096;
/// Idle upstream connections with TLS that are kept, for each thread.
const UPSTREAM_POOL: usize = 1024;
/// Headers and bodies are read into buffers of their own: one more between them and the socket would
/// be a copy, and 64 KiB for every open connection.
const READ_BUFFER: usize = 0;
/// An answer's header and a small body leave together.
const WRITE_BUFFER: usize = 4096;
/// Windows that let a 20 MB prompt arrive at the speed of the line, bytes.
const H2_STREAM_WINDOW: u32 = 1 << 20;
const H2_CONNECTION_WINDOW: u32 = 4 << 20;
const H2_IDLE: Duration = Duration::from_secs(300);

/// Binds an address of the setting `key`.
pub fn bind(address: SocketAddr, key: &'static str) -> Result<(TcpListener, SocketAddr), AppError> {
    let failed = |source| AppError::Listen { address, key, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Pingora's settings that hold for the whole process.
pub fn server_conf(config: &Config) -> Arc<ServerConf> {
    Arc::new(ServerConf {
        threads: config.server.threads,
        max_retries: MAX_ATTEMPTS,
        upstream_keepalive_pool_size: UPSTREAM_POOL,
        ca_file: config.upstream.ca_file.as_ref().map(|path| path.display().to_string()),
        ..ServerConf::default()
    })
}

/// The public listener's service and the socket it takes over. From here on the gateway's own requests are
/// served, too.
pub fn service(
    config: &Config,
    shared: &Arc<Shared>,
    listener: TcpListener,
    bound: SocketAddr,
) -> Result<(Service<Front>, ListenFds), AppError> {
    let mut proxy = HttpProxy::new(Gateway::new(Arc::clone(shared)), server_conf(config));
    proxy.handle_init_modules();
    proxy.h2_options = Some(h2_options());
    let mut options = HttpServerOptions::default();
    options.h2_idle_timeout = Some(H2_IDLE);
    proxy.server_options = Some(options);
    let header_timeout = Duration::from_secs(config.server.header_timeout_secs);
    let proxy = Arc::new(proxy);
    shared.inside.open(&proxy);
    let front = Front::new(proxy, Arc::clone(shared), header_timeout);
    let address = bound.to_string();
    let buffers = L4BufferSettings::new(READ_BUFFER, WRITE_BUFFER);
    let mut endpoint = ListenerConfig::tcp(&address).l4_buffer(buffers);
    if let Some(settings) = tls(config)? {
        endpoint = endpoint.tls(settings);
    }
    let mut listeners = Listeners::new();
    listeners.add_listener(endpoint);
    let mut fds = Fds::new();
    fds.add(address, listener.into_raw_fd());
    Ok((Service::with_listeners("public".to_owned(), listeners, front), Arc::new(fds.into())))
}

fn h2_options() -> H2Options {
    let mut options = default_h2_options();
    options
        .initial_window_size(H2_STREAM_WINDOW)
        .initial_connection_window_size(H2_CONNECTION_WINDOW);
    options
}

fn tls(config: &Config) -> Result<Option<TlsSettings>, AppError> {
    let (Some(cert), Some(key)) = (&config.server.tls_cert, &config.server.tls_key) else {
        return Ok(None);
    };
    // Pingora panics on a certificate that it cannot use, so it is tried here first.
    check_pair(cert, key)?;
    let settings =
        TlsSettings::intermediate(&cert.display().to_string(), &key.display().to_string());
    let mut settings = settings.map_err(|error| AppError::Tls(error.to_string()))?;
    settings.enable_h2();
    Ok(Some(settings))
}

fn check_pair(cert: &std::path::Path, key: &std::path::Path) -> Result<(), AppError> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let failed = |error: &dyn std::fmt::Display| AppError::Tls(error.to_string());
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(cert).map_err(|e| failed(&e))?.collect();
    let chain = chain.map_err(|e| failed(&e))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| failed(&e))?;
    rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map(|_| ())
        .map_err(|e| failed(&e))
}
