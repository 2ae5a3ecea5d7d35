//! Idle connections to vendors that speak HTTP/1.1 without TLS.
//!
//! Pingora's pool watches each idle connection with a task of its own, which a busy gateway starts, wakes and
//! ends with every request. Here nobody waits: a connection is looked at when it is taken, and all of them in
//! rounds.

use std::{
    collections::{HashMap, VecDeque},
    fmt, io, mem,
    net::SocketAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::net::TcpStream;

/// Time from one [round](Pool::round) to the next.
pub const ROUND: Duration = Duration::from_secs(5);
/// Rounds that a connection may idle: a minute, and the rest of the last one.
const MOST_ROUNDS: u64 = 12;
/// Idle connections kept.
const MOST_IDLE: usize = 4096;

/// What may share a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The provider's, as Pingora groups by.
    pub group: u64,
    pub address: SocketAddr,
}

/// A connection, and the room in which a header waits for its body.
pub struct Line {
    pub socket: TcpStream,
    pub held: Vec<u8>,
}

/// Without what waits: there is a credential in it.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Line {
    /// Whether the vendor has neither closed it nor sent what nobody asked for.
    fn is_quiet(&self) -> bool {
        let read = self.socket.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

#[derive(Debug)]
struct Idle {
    line: Line,
    /// The round in which it was put here.
    since: u64,
}

impl Idle {
    /// Whether it has idled for long by `now`, or is good no more.
    fn is_over(&self, now: u64) -> bool {
        self.since + MOST_ROUNDS < now || !self.line.is_quiet()
    }
}

/// The connections that nobody uses.
#[derive(Debug)]
pub struct Pool {
    idle: Mutex<AllIdle>,
    most: usize,
    round: AtomicU64,
}

#[derive(Debug, Default)]
struct AllIdle {
    /// The one used last at the end.
    of: HashMap<Key, VecDeque<Idle>>,
    count: usize,
}

impl AllIdle {
    /// Makes room for one: the one used longest ago of `key`'s goes, or of those who have most.
    fn make_room(&mut self, key: &Key) -> Option<Idle> {
        self.count -= 1;
        if let Some(own) = self.of.get_mut(key).and_then(VecDeque::pop_front) {
            return Some(own);
        }
        self.of.values_mut().max_by_key(|kept| kept.len())?.pop_front()
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::keeping(MOST_IDLE)
    }
}

impl Pool {
    /// With this many idle connections at most.
    fn keeping(most: usize) -> Self {
        Self { idle: Mutex::default(), most, round: AtomicU64::new(0) }
    }

    /// The one used last of those that are still good.
    pub fn take(&self, key: &Key) -> Option<Line> {
        loop {
            let line = self.pop(key)?.line;
            if line.is_quiet() {
                return Some(line);
            }
        }
    }

    fn pop(&self, key: &Key) -> Option<Idle> {
        let mut all = self.lock();
        let idle = all.of.get_mut(key)?.pop_back()?;
        all.count -= 1;
        Some(idle)
    }

    /// Keeps a connection on which nothing is under way. Where there are too many, one that was used longest ago
    /// goes.
    pub fn put(&self, key: Key, line: Line) {
        let idle = Idle { line, since: self.round.load(Ordering::Relaxed) };
        let mut all = self.lock();
        let surplus = if all.count >= self.most { all.make_room(&key) } else { None };
        all.of.entry(key).or_default().push_back(idle);
        all.count += 1;
        drop(all);
        drop(surplus);
    }

    /// What has idled for long and what the vendor has closed, to be dropped. To be called once in [`ROUND`].
    pub fn round(&self) -> Vec<Line> {
        let now = self.round.fetch_add(1, Ordering::Relaxed) + 1;
        let mut over = Vec::new();
        let mut all = self.lock();
        all.of.retain(|_, kept| {
            let (gone, good): (VecDeque<_>, VecDeque<_>) =
                mem::take(kept).into_iter().partition(|idle| idle.is_over(now));
            over.extend(gone.into_iter().map(|idle| idle.line));
            *kept = good;
            !kept.is_empty()
        });
        all.count -= over.len();
        over
    }

    fn lock(&self) -> MutexGuard<'_, AllIdle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    struct Vendor {
        listener: TcpListener,
        key: Key,
    }

    impl Vendor {
        async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let key = Key { group: 1, address: listener.local_addr().unwrap() };
            Self { listener, key }
        }

        /// A connection, and the vendor's end of it.
        async fn line(&self) -> (Line, TcpStream) {
            let socket = TcpStream::connect(self.key.address).await.unwrap();
            let (far, _) = self.listener.accept().await.unwrap();
            (Line { socket, held: Vec::new() }, far)
        }
    }

    fn name(line: &Line) -> SocketAddr {
        line.socket.local_addr().unwrap()
    }

    /// Waits until what the vendor did has reached the line.
    async fn heard(pool: &Pool, key: &Key) {
        let line = pool.lock().of.get_mut(key).unwrap().pop_back().unwrap();
        line.line.socket.readable().await.unwrap();
        pool.lock().of.get_mut(key).unwrap().push_back(line);
    }

    #[tokio::test]
    async fn the_connection_used_last_is_taken_first_and_by_nobody_else() {
        let (vendor, pool) = (Vendor::start().await, Pool::default());
        let (first, _far) = vendor.line().await;
        let (second, _other_far) = vendor.line().await;
        let names = (name(&first), name(&second));
        pool.put(vendor.key, first);
        pool.put(vendor.key, second);

        let others = Key { group: 2, ..vendor.key };
        assert!(pool.take(&others).is_none(), "another provider's");
        assert_eq!(name(&pool.take(&vendor.key).unwrap()), names.1);
        assert_eq!(name(&pool.take(&vendor.key).unwrap()), names.0);
        assert!(pool.take(&vendor.key).is_none());
    }

    #[tokio::test]
    async fn what_the_vendor_closed_or_wrote_to_unasked_is_not_taken() {
        let (vendor, pool) = (Vendor::start().await, Pool::default());
        let (good, _far) = vendor.line().await;
        let expected = name(&good);
        pool.put(vendor.key, good);
        let (closed, far) = vendor.line().await;
        pool.put(vendor.key, closed);
        drop(far);
        heard(&pool, &vendor.key).await;
        let (written, mut far) = vendor.line().await;
        pool.put(vendor.key, written);
        far.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
        heard(&pool, &vendor.key).await;

        assert_eq!(name(&pool.take(&vendor.key).unwrap()), expected);
        assert!(pool.take(&vendor.key).is_none());
    }

    #[tokio::test]
    async fn rounds_close_what_idles_for_long_and_what_the_vendor_closed() {
        let (vendor, pool) = (Vendor::start().await, Pool::default());
        let (line, _far) = vendor.line().await;
        pool.put(vendor.key, line);
        let (closed, far) = vendor.line().await;
        pool.put(vendor.key, closed);
        drop(far);
        heard(&pool, &vendor.key).await;

        assert_eq!(pool.round().len(), 1);
        assert_eq!(pool.lock().count, 1, "the closed one is gone");
        for _ in 1..MOST_ROUNDS {
            assert!(pool.round().is_empty());
        }
        let line = pool.take(&vendor.key).expect("it may idle for a minute");
        pool.put(vendor.key, line);
        let over: Vec<_> = (0..=MOST_ROUNDS).flat_map(|_| pool.round()).collect();
        assert_eq!(over.len(), 1);
        let all = pool.lock();
        assert!(all.of.is_empty() && all.count == 0, "neither connections nor keys are left");
    }

    #[tokio::test]
    async fn of_too_many_the_one_used_longest_ago_goes() {
        let (vendor, pool) = (Vendor::start().await, Pool::keeping(2));
        let mut ends = Vec::new();
        for _ in 0..3 {
            let (line, far) = vendor.line().await;
            ends.push((name(&line), far));
            pool.put(vendor.key, line);
        }
        let mut rest = Vec::new();
        let told = ends[0].1.read_to_end(&mut rest).await;
        assert_eq!(told.unwrap(), 0, "the gateway has closed it");

        let others = Key { group: 2, ..vendor.key };
        let (line, _far) = vendor.line().await;
        let expected = name(&line);
        pool.put(others, line);
        assert_eq!(
            ends[1].1.read_to_end(&mut rest).await.unwrap(),
            0,
            "one of those who have most"
        );
        assert_eq!(name(&pool.take(&others).unwrap()), expected);
        assert_eq!(name(&pool.take(&vendor.key).unwrap()), ends[2].0);
        assert_eq!(pool.lock().count, 0);
    }
}
