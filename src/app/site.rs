//! Where the gateway and its console are reached, for people.

use std::net::{Ipv4Addr, SocketAddr};

use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};

use crate::{admin, auth::Site, config::Config, console};

/// How the runtime is reached where it listens at `bound`.
pub fn base_url(config: &Config, bound: SocketAddr) -> String {
    let scheme = if config.server.tls_cert.is_some() { "https" } else { "http" };
    config.server.public_url.clone().unwrap_or_else(|| address(scheme, bound))
}

/// How the console is reached: with the runtime, unless the administration listens elsewhere.
pub fn console_url(config: &Config, bound: SocketAddr, private: Option<SocketAddr>) -> String {
    match private {
        None => base_url(config, bound),
        Some(private) => {
            config.admin.public_url.clone().unwrap_or_else(|| address("http", private))
        }
    }
}

/// The console, as its cookies and redirects have to know it.
pub fn site(config: &Config, bound: SocketAddr, private: Option<SocketAddr>) -> Site {
    let runtime = |url: &String| format!("{url}/api/llm-gateway");
    if private.is_some() {
        let gateway_url = Some(runtime(&base_url(config, bound)));
        return Site { public_url: config.admin.public_url.clone(), tls: false, gateway_url };
    }
    let public_url = config.server.public_url.clone();
    let gateway_url = public_url.as_ref().map(runtime);
    Site { public_url, tls: config.server.tls_cert.is_some(), gateway_url }
}

/// Whatever nothing else answers: a page of the console, or nothing.
pub async fn anything_else(request: Request) -> Response {
    match console::answer(&request) {
        Some(page) => page,
        None => admin::not_found().await.into_response(),
    }
}

fn address(scheme: &str, bound: SocketAddr) -> String {
    let reached = if bound.ip().is_unspecified() {
        SocketAddr::new(Ipv4Addr::LOCALHOST.into(), bound.port())
    } else {
        bound
    };
    format!("{scheme}://{reached}")
}
