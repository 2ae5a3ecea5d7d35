//! Counters by name, in parts, so that neither growing nor tidying up holds anyone for long.

use hashbrown::{HashTable, hash_table::Entry};

use super::Counter;

/// How many parts.
pub(super) const PARTS: usize = 64;

/// Counters by name. They are looked up many times for each request: so the hash that a name comes with tells both
/// the part and the place in it.
#[derive(Debug)]
pub(super) struct Table<T> {
    parts: Vec<HashTable<(Counter, T)>>,
    /// Which part is tidied up next.
    next: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashTable::new()).collect(), next: 0 }
    }
}

impl<T: Default> Table<T> {
    /// One that is there.
    pub fn get_mut(&mut self, counter: &Counter) -> Option<&mut T> {
        let part = self.parts.get_mut(place(counter.hash()))?;
        part.find_mut(counter.hash(), |(known, _)| known == counter).map(|(_, value)| value)
    }

    /// One, made if it is missing.
    pub fn entry(&mut self, counter: &Counter) -> &mut T {
        #[expect(clippy::indexing_slicing, reason = "there are PARTS parts")]
        let part = &mut self.parts[place(counter.hash())];
        let is_it = |(known, _): &(Counter, T)| known == counter;
        match part.entry(counter.hash(), is_it, |(counter, _)| counter.hash()) {
            Entry::Occupied(entry) => &mut entry.into_mut().1,
            Entry::Vacant(entry) => &mut entry.insert((counter.clone(), T::default())).into_mut().1,
        }
    }

    /// Those of one part.
    pub fn in_part(&self, part: usize) -> impl Iterator<Item = (&Counter, &T)> {
        self.parts.get(part).into_iter().flatten().map(|(counter, value)| (counter, value))
    }

    /// All of them, in no order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Counter, &mut T)> {
        let all = self.parts.iter_mut().flat_map(|part| part.iter_mut());
        all.map(|(counter, value)| (&*counter, value))
    }

    /// Drops from the next part what is not worth keeping.
    pub fn tidy(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.next = (self.next + 1) % PARTS;
        if let Some(part) = self.parts.get_mut(self.next) {
            part.retain(|(_, value)| keep(value));
            if part.capacity() > 4 * part.len() + 64 {
                part.shrink_to(2 * part.len(), |(counter, _)| counter.hash());
            }
        }
    }
}

/// In which part a counter lies: by bits that tell nothing of its place there.
const fn place(hash: u64) -> usize {
    (hash >> 32) as usize % PARTS
}
