//! Addresses for the servers of a run.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::fault::Outcome;

/// A loopback address that nobody listens on now.
pub fn address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
