//! AWS's client over ours: one address check, one set of certificates, no second HTTP stack.

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::net::{Bounds, FetchError, Fetcher};

/// [`Fetcher`] as AWS's crates call it.
#[derive(Clone, Debug)]
pub(super) struct Http {
    pub(super) fetcher: Fetcher,
    pub(super) bounds: Bounds,
}

impl HttpClient for Http {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let time = settings.read_timeout().unwrap_or(self.bounds.time).min(self.bounds.time);
        let bounds = Bounds { time, ..self.bounds };
        SharedHttpConnector::new(Self { fetcher: self.fetcher.clone(), bounds })
    }
}

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (fetcher, bounds) = (self.fetcher.clone(), self.bounds);
        HttpConnectorFuture::new(async move { exchange(&fetcher, bounds, request).await })
    }
}

async fn exchange(
    fetcher: &Fetcher,
    bounds: Bounds,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let failed = |error: FetchError| match error {
        FetchError::Timeout => ConnectorError::timeout(error.into()),
        FetchError::Unreached | FetchError::Unresolved => ConnectorError::io(error.into()),
        _ => ConnectorError::user(error.into()),
    };
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (head, body) = request.into_parts();
    // Every call that is made here has its body in memory.
    let body = body.bytes().map(Bytes::copy_from_slice).unwrap_or_default();
    let answer = fetcher.send(http::Request::from_parts(head, body), bounds).await;
    let answer = answer.map_err(failed)?.map(SdkBody::from);
    HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
}
