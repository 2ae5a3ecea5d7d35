//! A listener that takes no new connections and still gives out those that it has.
//!
//! Closing a listener resets the connections that the kernel has made and nobody has accepted yet,
//! often with a request on them already, which a balancer must not send again. So before it closes, a
//! socket filter drops what would open another connection; meanwhile the others are accepted. Who is
//! dropped tries again a second later, and is refused then: that is safe to send elsewhere.

use std::{io, net::TcpListener};

use socket2::{SockFilter, SockRef};

/// Where a TCP header has its flags, bytes.
const FLAGS: u32 = 13;
const SYN: u32 = 0x02;
const ACK: u32 = 0x10;

/// Classic BPF: drop what has SYN and not ACK, let everything else pass.
const NOTHING_NEW: [SockFilter; 5] = [
    // Load the byte with the flags,
    SockFilter::new(0x30, 0, 0, FLAGS),
    // leave the two that matter,
    SockFilter::new(0x54, 0, 0, SYN | ACK),
    // and skip the next if there are others than the one.
    SockFilter::new(0x15, 0, 1, SYN),
    SockFilter::new(0x06, 0, 0, 0),
    SockFilter::new(0x06, 0, 0, u32::MAX),
];

/// Makes the socket deaf to new connections, for all who hold it.
///
/// # Errors
/// When the system has no such filters.
pub fn deafen(listener: &TcpListener) -> io::Result<()> {
    SockRef::from(listener).attach_filter(&NOTHING_NEW)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
        time::Duration,
    };

    use super::*;

    #[test]
    fn connections_that_were_made_before_are_given_out_and_no_others_are_made() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut early = TcpStream::connect(address).unwrap();
        deafen(&listener).unwrap();
        let late = TcpStream::connect_timeout(&address, Duration::from_millis(200));
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let (mut accepted, _) = listener.accept().unwrap();
        drop(listener);
        early.write_all(b"request").unwrap();
        early.shutdown(std::net::Shutdown::Write).unwrap();
        let mut read = String::new();
        accepted.read_to_string(&mut read).unwrap();
        assert_eq!(read, "request");
    }
}
