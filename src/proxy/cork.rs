//! A request's header and body in one packet.
//!
//! Pingora writes the header, flushes it, and then writes the body: two packets, and a vendor's server that
//! wakes up twice. So the socket is told to wait ([`TCP_CORK`](https://man7.org/linux/man-pages/man7/tcp.7.html))
//! before the header is written, and no longer once Pingora has let go of the body, which it does when all of
//! it is written. What fills packets is sent meanwhile.

use std::os::fd::{BorrowedFd, RawFd};

use bytes::Bytes;
use socket2::SockRef;

/// Tells the socket to wait. `false` where there is no such thing.
pub fn set(socket: RawFd) -> bool {
    tell(socket, true)
}

/// The last piece of a body: when it is dropped, the socket sends what it has.
pub fn until_written(piece: Bytes, socket: RawFd) -> Bytes {
    Bytes::from_owner(Corked { piece, socket })
}

struct Corked {
    piece: Bytes,
    socket: RawFd,
}

impl AsRef<[u8]> for Corked {
    fn as_ref(&self) -> &[u8] {
        &self.piece
    }
}

impl Drop for Corked {
    fn drop(&mut self) {
        tell(self.socket, false);
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "Pingora names the vendor's socket by its number")]
fn tell(socket: RawFd, wait: bool) -> bool {
    // SAFETY: Pingora names it to a filter of the attempt, and keeps the connection open until the attempt
    // has ended, by when it has dropped the pieces of the body: they are in a channel of the attempt.
    let socket = unsafe { BorrowedFd::borrow_raw(socket) };
    SockRef::from(&socket).set_tcp_cork(wait).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn tell(_socket: RawFd, _wait: bool) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        os::fd::AsRawFd as _,
    };

    use super::*;

    #[test]
    fn what_is_written_leaves_when_the_last_piece_is_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut vendor = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        vendor.set_nodelay(true).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        let mut read = [0; 100];
        // The system waits 200 ms at most, which a busy machine may let pass between two lines.
        let waited = (0..20).any(|_| {
            assert!(set(vendor.as_raw_fd()));
            vendor.write_all(b"header ").unwrap();
            let body = until_written(Bytes::from_static(b"body"), vendor.as_raw_fd());
            let nothing_yet = server.read(&mut read).is_err();
            vendor.write_all(&body).unwrap();
            drop(body);
            // Over the loopback, what was sent is there.
            nothing_yet
                && server.read(&mut read).is_ok_and(|length| &read[..length] == b"header body")
        });
        assert!(waited);
    }
}
