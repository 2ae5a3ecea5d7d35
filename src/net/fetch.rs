//! The gateway's own requests, to addresses that others may have chosen: keys of identity providers,
//! token endpoints, webhooks, media. One client, with the address policy at connect time.

use std::{error::Error as StdError, fmt, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode};
use reqwest::{
    Certificate, Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use tokio::time::Instant;
use url::Host;

use super::{AddressPolicy, Resolver};

/// Idle connections to one host.
const IDLE_PER_HOST: usize = 4;
/// How long to wait for what follows a status that alone matters.
const MOMENT: Duration = Duration::from_secs(1);

/// What one request may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// For everything, from the look-up of the name to the last byte.
    pub time: Duration,
    /// For the answer's body.
    pub bytes: usize,
}

/// An answer did not come. No message repeats the address or what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not an absolute `http` or `https` URL, or one with a user name or password in it.
    #[error("not a URL that can be fetched")]
    Url,
    /// The host, or every address of its name, is in `upstream.deny_addresses`.
    #[error("the host's address is not allowed by upstream.deny_addresses")]
    Denied,
    /// The name has no address.
    #[error("cannot resolve the host name")]
    Unresolved,
    /// Refused, cut off, or without a certificate to be trusted.
    #[error("the host cannot be reached")]
    Unreached,
    /// Not within [`Bounds::time`].
    #[error("the host did not answer in time")]
    Timeout,
    /// More than [`Bounds::bytes`].
    #[error("the answer is larger than expected")]
    TooLarge,
}

/// No client can be made: the certificates cannot be used. The text says why.
#[derive(Debug, thiserror::Error)]
#[error("no HTTPS client can be made: {0}")]
pub struct ClientError(String);

/// Asks. Follows no redirect (a 3xx is an answer like others), uses no proxy, keeps no cookies.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    policy: Arc<AddressPolicy>,
}

impl Fetcher {
    /// `authorities` are PEM certificates that take the place of the system's (`upstream.ca_file`).
    ///
    /// # Errors
    /// When the certificates, given or the system's, cannot be used.
    pub fn new(
        policy: AddressPolicy,
        resolver: Resolver,
        connect_timeout: Duration,
        authorities: Option<&[u8]>,
    ) -> Result<Self, ClientError> {
        // The HTTP client takes the process's provider and panics without one; a second call
        // changes nothing.
        let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let failed = |error: reqwest::Error| ClientError(causes(&error));
        let policy = Arc::new(policy);
        let guard = Guard { resolver, policy: Arc::clone(&policy), patience: connect_timeout };
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(connect_timeout)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .dns_resolver(Arc::new(guard));
        if let Some(pem) = authorities {
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(pem).map_err(failed)?);
        }
        Ok(Self { client: builder.build().map_err(failed)?, policy })
    }

    /// A GET.
    ///
    /// # Errors
    /// When no answer of any status came, or none within the bounds.
    pub async fn get(&self, url: &str, bounds: Bounds) -> Result<Response<Bytes>, FetchError> {
        let request = Request::get(url).body(Bytes::new()).map_err(|_| FetchError::Url)?;
        self.send(request, bounds).await
    }

    /// Any request.
    ///
    /// # Errors
    /// As [`Fetcher::get`].
    pub async fn send(
        &self,
        request: Request<Bytes>,
        bounds: Bounds,
    ) -> Result<Response<Bytes>, FetchError> {
        let request = reqwest::Request::try_from(request).map_err(|_| FetchError::Url)?;
        self.check(request.url())?;
        let answer = tokio::time::timeout(bounds.time, self.exchange(request, bounds.bytes));
        answer.await.unwrap_or(Err(FetchError::Timeout))
    }

    /// Any request of which only the status matters. What follows it is read as far as the bounds and a
    /// moment allow, so that the connection can be used again, and never changes what was answered.
    ///
    /// # Errors
    /// When no answer of any status came in time.
    pub async fn status(
        &self,
        request: Request<Bytes>,
        bounds: Bounds,
    ) -> Result<StatusCode, FetchError> {
        let answer = self.begin(request, Instant::now() + bounds.time).await?;
        let status = answer.status();
        let _whether_all_of_it = tokio::time::timeout(MOMENT, skim(answer, bounds.bytes)).await;
        Ok(status)
    }

    /// Any request whose answer counts however it ends: of its body as much as comes within the bounds, until it
    /// breaks off.
    ///
    /// # Errors
    /// As [`Fetcher::status`].
    pub async fn beginning(
        &self,
        request: Request<Bytes>,
        bounds: Bounds,
    ) -> Result<Response<Bytes>, FetchError> {
        let until = Instant::now() + bounds.time;
        let mut answer = self.begin(request, until).await?;
        let mut body = BytesMut::new();
        let reading = async {
            while body.len() < bounds.bytes
                && let Ok(Some(chunk)) = answer.chunk().await
            {
                let room = bounds.bytes - body.len();
                body.extend_from_slice(&chunk.slice(..chunk.len().min(room)));
            }
        };
        let _whether_all_of_it = tokio::time::timeout_at(until, reading).await;
        Ok(response(answer, body))
    }

    async fn begin(
        &self,
        request: Request<Bytes>,
        until: Instant,
    ) -> Result<reqwest::Response, FetchError> {
        let request = reqwest::Request::try_from(request).map_err(|_| FetchError::Url)?;
        self.check(request.url())?;
        let answer = tokio::time::timeout_at(until, self.client.execute(request)).await;
        answer.map_err(|_| FetchError::Timeout)?.map_err(|error| fault(&error))
    }

    /// An address in place of a name never meets the resolver, so it is judged here. The URL parser
    /// has already read other notations of IPv4 (`0xa9fea9fe`, `0251.254.43518`) as what they are.
    fn check(&self, url: &reqwest::Url) -> Result<(), FetchError> {
        let credentials = !url.username().is_empty() || url.password().is_some();
        if credentials || !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Url);
        }
        let ip = match url.host().ok_or(FetchError::Url)? {
            Host::Ipv4(ip) => ip.into(),
            Host::Ipv6(ip) => ip.into(),
            Host::Domain(_) => return Ok(()),
        };
        if self.policy.permits(ip) { Ok(()) } else { Err(FetchError::Denied) }
    }

    async fn exchange(
        &self,
        request: reqwest::Request,
        limit: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        let failed = |error: reqwest::Error| fault(&error);
        let mut answer = self.client.execute(request).await.map_err(failed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > limit {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(response(answer, body))
    }
}

fn response(mut answer: reqwest::Response, body: BytesMut) -> Response<Bytes> {
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    response
}

/// Reads on to the end, or as far as the limit allows.
async fn skim(mut answer: reqwest::Response, limit: usize) {
    let mut read = 0;
    while read <= limit
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        read += chunk.len();
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetcher")
    }
}

/// Names to the addresses that may be connected to.
struct Guard {
    resolver: Resolver,
    policy: Arc<AddressPolicy>,
    patience: Duration,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.resolver.clone();
        let policy = Arc::clone(&self.policy);
        let patience = self.patience;
        Box::pin(async move {
            let found = resolver.resolve(&Arc::from(name.as_str()), patience).await;
            let found = found.map_err(|_| FetchError::Unresolved)?;
            let permitted: Vec<SocketAddr> = found
                .iter()
                .filter(|ip| policy.permits(**ip))
                .map(|ip| SocketAddr::new(*ip, 0))
                .collect();
            if permitted.is_empty() {
                return Err(FetchError::Denied.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// What the guard said, if it did; else what the client did.
fn fault(error: &reqwest::Error) -> FetchError {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(inner) = cause {
        if let Some(ours) = inner.downcast_ref::<FetchError>() {
            return *ours;
        }
        cause = inner.source();
    }
    // Whoever cannot even be connected to was not reached.
    if error.is_timeout() && !error.is_connect() {
        FetchError::Timeout
    } else {
        FetchError::Unreached
    }
}

fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
