//! A request's header and body in one packet.
//!
//! Pingora writes the header, flushes it, and then writes the body: two packets, and a vendor's server that
//! wakes up twice. So the socket is told to wait ([`TCP_CORK`](https://man7.org/linux/man-pages/man7/tcp.7.html))
//! before the header is written, and no longer once Pingora has let go of the body, which it does when all of
//! it is written. What fills packets is sent meanwhile.

use std::os::fd::RawFd;

use bytes::Bytes;

/// A vendor's connection.
#[derive(Clone, Copy)]
pub struct Socket(RawFd);

impl Socket {
    /// By its number, where it has one.
    ///
    /// # Safety
    /// The connection stays open as long as the socket, its copies and the pieces of [`until_written`] are
    /// used.
    #[expect(unsafe_code, reason = "Pingora names connections by number")]
    pub unsafe fn of(number: RawFd) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }

    /// Tells it to wait. `false` where there is no such thing.
    pub fn wait(self) -> bool {
        self.tell(true)
    }

    #[cfg(target_os = "linux")]
    #[expect(unsafe_code, reason = "it is named by number")]
    fn tell(self, wait: bool) -> bool {
        // SAFETY: it is open, as who made it has promised.
        let socket = unsafe { std::os::fd::BorrowedFd::borrow_raw(self.0) };
        socket2::SockRef::from(&socket).set_tcp_cork(wait).is_ok()
    }

    #[cfg(not(target_os = "linux"))]
    fn tell(self, _wait: bool) -> bool {
        let Self(_unused) = self;
        false
    }
}

/// The last piece of a body: when it is dropped, the socket sends what it has.
pub fn until_written(piece: Bytes, socket: Socket) -> Bytes {
    Bytes::from_owner(Corked { piece, socket })
}

struct Corked {
    piece: Bytes,
    socket: Socket,
}

impl AsRef<[u8]> for Corked {
    fn as_ref(&self) -> &[u8] {
        &self.piece
    }
}

impl Drop for Corked {
    fn drop(&mut self) {
        self.socket.tell(false);
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        os::fd::AsRawFd as _,
    };

    use super::*;

    /// Whether the vendor sees nothing of a header until its body is dropped, and then both.
    #[expect(unsafe_code, reason = "sockets are named by number")]
    fn waits(listener: &TcpListener) -> bool {
        let mut gateway = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        gateway.set_nodelay(true).unwrap();
        let (mut vendor, _) = listener.accept().unwrap();
        vendor.set_nonblocking(true).unwrap();
        // SAFETY: the stream lives longer.
        let socket = unsafe { Socket::of(gateway.as_raw_fd()) }.unwrap();

        assert!(socket.wait());
        gateway.write_all(b"header ").unwrap();
        let body = until_written(Bytes::from_static(b"body"), socket);
        let mut read = [0; 100];
        let nothing_yet = vendor.read(&mut read).is_err();
        gateway.write_all(&body).unwrap();
        drop(body);
        // Over the loopback, what was sent is there.
        nothing_yet && vendor.read(&mut read).is_ok_and(|length| &read[..length] == b"header body")
    }

    #[test]
    fn what_is_written_leaves_when_the_last_piece_is_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // The system waits 200 ms at most, which a busy machine may let pass between two lines.
        assert!((0..20).any(|_| waits(&listener)));
    }
}
