//! `turnpike healthcheck`: for containers without a shell.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use crate::config::Config;

const LIMIT: Duration = Duration::from_secs(5);

/// Why the gateway is taken to be dead.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// No answer.
    #[error("{url}: {source}")]
    NoAnswer {
        /// What was asked.
        url: String,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// An answer that is not 200.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked.
        url: String,
        /// What came back.
        status: u16,
    },
}

/// Asks `/healthz` of the configured listener, for at most five seconds.
///
/// # Errors
/// When it does not answer 200.
pub async fn run(config: &Config) -> Result<(), Unhealthy> {
    let url = url(config);
    let status = match ask(&url).await {
        Ok(status) => status,
        Err(source) => return Err(Unhealthy::NoAnswer { url, source }),
    };
    if status == 200 { Ok(()) } else { Err(Unhealthy::Status { url, status }) }
}

async fn ask(url: &str) -> Result<u16, reqwest::Error> {
    let client = reqwest::Client::builder()
        .timeout(LIMIT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // It is this machine that is asked, by address; the certificate is for the public name.
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    Ok(client.get(url).send().await?.status().as_u16())
}

fn url(config: &Config) -> String {
    let scheme = if config.server.tls_cert.is_some() { "https" } else { "http" };
    format!("{scheme}://{}/healthz", reachable(config.server.listen))
}

/// A listener on every address is reached on the loopback one.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::{
        io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, status: &str) {
        let mut head = [0; 1024];
        let length = stream.read(&mut head).await.unwrap();
        assert!(head[..length].starts_with(b"GET /healthz HTTP/1.1\r\n"));
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    }

    async fn listener() -> (Config, TcpListener) {
        // Whichever test comes first installs it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = Config::default();
        config.server.listen = listener.local_addr().unwrap();
        (config, listener)
    }

    async fn checked(status: &'static str) -> Result<(), Unhealthy> {
        let (config, listener) = listener().await;
        let server =
            tokio::spawn(async move { answer(listener.accept().await.unwrap().0, status).await });
        let health = run(&config).await;
        server.await.unwrap();
        health
    }

    #[tokio::test]
    async fn a_gateway_that_answers_200_is_healthy() {
        checked("200 OK").await.unwrap();
    }

    #[tokio::test]
    async fn any_other_status_is_not() {
        let fault = checked("503 Service Unavailable").await.unwrap_err();
        assert!(fault.to_string().ends_with("/healthz answered 503"), "{fault}");
    }

    #[tokio::test]
    async fn no_listener_is_not() {
        let (config, listener) = listener().await;
        drop(listener);
        assert!(matches!(run(&config).await, Err(Unhealthy::NoAnswer { .. })));
    }

    #[tokio::test]
    async fn a_listener_with_a_certificate_of_its_own_is_asked_over_tls() {
        let (mut config, listener) = listener().await;
        let made = rcgen::generate_simple_self_signed(["llm.example.com".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.unwrap())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let server = tokio::spawn(async move {
            let stream = listener.accept().await.unwrap().0;
            answer(acceptor.accept(stream).await.unwrap(), "200 OK").await;
        });
        config.server.tls_cert = Some("cert.pem".into());
        run(&config).await.unwrap();
        server.await.unwrap();
    }

    #[test]
    fn a_listener_on_every_address_is_asked_on_loopback() {
        let mut config = Config::default();
        config.server.listen = "0.0.0.0:8080".parse().unwrap();
        assert_eq!(url(&config), "http://127.0.0.1:8080/healthz");
        config.server.listen = "[::]:8443".parse().unwrap();
        config.server.tls_cert = Some("cert.pem".into());
        assert_eq!(url(&config), "https://[::1]:8443/healthz");
    }
}
