//! What Pingora's errors say about a connection.

use pingora_core::protocols::http::v2::client::PING_TIMEDOUT;
use pingora_error::{
    Error,
    ErrorType::{
        BindError, ConnectError, ConnectNoRoute, ConnectRefused, ConnectTimedout, H2Downgrade,
        H2Error, InternalError, InvalidH2, SocketError,
    },
};

/// Whether no connection came about with the address, so that another address of the same host may
/// do. Only for errors of connecting: what the system has against a socket is an internal error to
/// Pingora, and IPv6 on a machine without it is such a thing.
#[must_use]
pub fn is_unreached(error: &Error) -> bool {
    matches!(
        error.etype(),
        ConnectTimedout
            | ConnectRefused
            | ConnectNoRoute
            | ConnectError
            | SocketError
            | BindError
            | InternalError
    )
}

/// Whether an HTTP/2 connection ended under the request (GOAWAY, an end without one, no answer to a
/// ping, `REFUSED_STREAM`), as opposed to a vendor that ended this one stream or broke the protocol.
#[must_use]
pub fn is_lost_h2(error: &Error) -> bool {
    if *error.etype() == PING_TIMEDOUT {
        return true;
    }
    let broken = |cause: &h2::Error| {
        let refused = cause.reason() == Some(h2::Reason::REFUSED_STREAM);
        cause.is_library() || (cause.is_reset() && !refused)
    };
    // While sending, h2 does not say why a stream is gone.
    *error.etype() == H2Error && !error.root_cause().downcast_ref().is_some_and(broken)
}

/// Whether the vendor's HTTP/2 is none. Pingora then speaks HTTP/1.1 to the peer of that pool key.
#[must_use]
pub fn is_downgrade(error: &Error) -> bool {
    matches!(error.etype(), H2Downgrade | InvalidH2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client of HTTP/2 is told when its server does `deed` with a request.
    async fn told(
        deed: impl AsyncFnOnce(
            h2::server::SendResponse<bytes::Bytes>,
            &mut h2::server::Connection<tokio::io::DuplexStream, bytes::Bytes>,
        ),
    ) -> Box<Error> {
        let (near, far) = tokio::io::duplex(1 << 16);
        let server = async {
            let mut connection = h2::server::handshake(far).await.unwrap();
            let (_request, respond) = connection.accept().await.unwrap().unwrap();
            deed(respond, &mut connection).await;
            while connection.accept().await.is_some() {}
            std::future::pending::<()>().await;
        };
        let client = async {
            let (mut requests, connection) = h2::client::handshake(near).await.unwrap();
            tokio::spawn(connection);
            let (answer, _body) = requests.send_request(http::Request::new(()), true).unwrap();
            answer.await.unwrap_err()
        };
        let error = tokio::select! {
            error = client => error,
            () = server => unreachable!("the server outlives its client"),
        };
        Error::because(H2Error, "while reading h2 header", error)
    }

    #[tokio::test]
    async fn a_refused_stream_or_a_closed_connection_is_lost() {
        let refused =
            told(async |mut respond, _| respond.send_reset(h2::Reason::REFUSED_STREAM)).await;
        assert!(is_lost_h2(&refused), "{refused}");
        let gone = told(async |_respond, connection| {
            connection.abrupt_shutdown(h2::Reason::ENHANCE_YOUR_CALM);
        })
        .await;
        assert!(is_lost_h2(&gone), "{gone}");
        assert!(is_lost_h2(&Error::explain(H2Error, "cannot reserve capacity")));
        assert!(is_lost_h2(&Error::explain(PING_TIMEDOUT, "ping")));
    }

    #[tokio::test]
    async fn a_stream_that_the_vendor_gave_up_is_its_answer() {
        let error =
            told(async |mut respond, _| respond.send_reset(h2::Reason::INTERNAL_ERROR)).await;
        assert!(!is_lost_h2(&error), "{error}");
        assert!(!is_lost_h2(&Error::explain(InvalidH2, "frames")));
    }
}
