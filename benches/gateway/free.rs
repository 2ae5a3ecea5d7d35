//! Addresses for the servers of a run.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::fault::Outcome;

/// Below the ports that the kernel gives to clients: thousands of connections that linger in
/// `TIME_WAIT` must not hold the port of a server that starts again.
const FIRST: u16 = 21_000;
/// How many ports are tried.
const TRIED: u16 = 5_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A loopback address that nobody listens on now, a new one at each call.
pub fn address() -> Outcome<SocketAddr> {
    for _ in 0..TRIED {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % TRIED;
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(addr).is_ok() {
            return Ok(addr);
        }
    }
    Err(format!("no free port from {FIRST} to {}", FIRST + TRIED).into())
}
