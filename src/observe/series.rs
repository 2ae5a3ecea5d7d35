//! Counters found by names on the request path: one hash and one atomic load, no lock.
//!
//! New names replace one small map by a copy with one entry more; readers never wait.
//!
//! Resolving label values in a metric family costs a hash and a lock for each family. A request
//! touches many families with the same names, so what they resolve to is kept together.

use std::{
    collections::BTreeMap,
    hash::BuildHasher as _,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use hashbrown::DefaultHashBuilder;
use smallvec::SmallVec;

/// What a combination of names resolves to.
pub(super) struct Series<T> {
    names: Box<[Box<str>]>,
    code: u16,
    /// The counters.
    pub values: T,
}

/// Combinations of `N` names and a code, bounded.
pub(super) struct Table<const N: usize, T> {
    most: usize,
    hasher: DefaultHashBuilder,
    /// By the last bits of the hash, so that little is copied for a new entry.
    shards: [ArcSwap<Found<T>>; SHARDS],
    /// How many there are; held while one is added.
    count: Mutex<usize>,
}

const SHARDS: usize = 64;

/// By hash; more than one only where hashes collide.
type Found<T> = BTreeMap<u64, SmallVec<[Arc<Series<T>>; 1]>>;

impl<const N: usize, T> Table<N, T> {
    /// For at most `most` combinations.
    pub fn new(most: usize) -> Self {
        let shards = std::array::from_fn(|_| ArcSwap::default());
        Self { most, hasher: DefaultHashBuilder::default(), shards, count: Mutex::new(0) }
    }

    /// What `names` and `code` resolve to; `make` is asked once for each combination. `None` when
    /// this one is new and the table is full.
    pub fn with<R>(
        &self,
        names: [&str; N],
        code: u16,
        make: impl FnOnce() -> T,
        then: impl FnOnce(&T) -> R,
    ) -> Option<R> {
        let hash = self.hasher.hash_one((names, code));
        let shard = self.shards.get(usize::from(hash.to_le_bytes()[0]) % SHARDS)?;
        if let Some(series) = find(&shard.load(), hash, &names, code) {
            return Some(then(&series.values));
        }
        self.add(shard, hash, names, code, make).map(|series| then(&series.values))
    }

    #[cold]
    fn add(
        &self,
        shard: &ArcSwap<Found<T>>,
        hash: u64,
        names: [&str; N],
        code: u16,
        make: impl FnOnce() -> T,
    ) -> Option<Arc<Series<T>>> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let now = shard.load_full();
        if let Some(series) = find(&now, hash, &names, code) {
            return Some(Arc::clone(series));
        }
        if *count >= self.most {
            return None;
        }
        *count += 1;
        let names = names.into_iter().map(Box::from).collect();
        let series = Arc::new(Series { names, code, values: make() });
        let mut next = (*now).clone();
        next.entry(hash).or_default().push(Arc::clone(&series));
        shard.store(Arc::new(next));
        Some(series)
    }
}

fn find<'a, T>(
    found: &'a Found<T>,
    hash: u64,
    names: &[&str],
    code: u16,
) -> Option<&'a Arc<Series<T>>> {
    found.get(&hash)?.iter().find(|series| {
        series.code == code && series.names.iter().map(|name| &**name).eq(names.iter().copied())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn bump(table: &Table<2, AtomicU32>, names: [&str; 2], code: u16) -> Option<u32> {
        table.with(names, code, AtomicU32::default, |count| {
            count.fetch_add(1, Ordering::Relaxed) + 1
        })
    }

    #[test]
    fn the_same_names_find_the_same_counter_and_others_their_own() {
        let table = Table::new(10);
        assert_eq!(bump(&table, ["a", "b"], 200), Some(1));
        assert_eq!(bump(&table, ["a", "b"], 200), Some(2));
        assert_eq!(bump(&table, ["a", "b"], 500), Some(1));
        assert_eq!(bump(&table, ["ab", ""], 200), Some(1));
        assert_eq!(bump(&table, ["a", "b"], 200), Some(3));
    }

    #[test]
    fn a_full_table_knows_the_old_and_takes_no_new_names() {
        let table = Table::new(2);
        assert_eq!(bump(&table, ["a", "b"], 1), Some(1));
        assert_eq!(bump(&table, ["c", "d"], 1), Some(1));
        assert_eq!(bump(&table, ["e", "f"], 1), None);
        assert_eq!(bump(&table, ["a", "b"], 1), Some(2));
    }

    #[test]
    fn threads_that_meet_a_new_name_make_it_once() {
        let table = Table::new(1000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..100 {
                        bump(&table, ["x", &n.to_string()], 0).unwrap();
                    }
                });
            }
        });
        assert!((0..100).all(|n| bump(&table, ["x", &n.to_string()], 0) == Some(5)));
    }
}
