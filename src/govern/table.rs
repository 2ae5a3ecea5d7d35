//! Counters by name, in parts, so that neither growing nor tidying up holds anyone for long.

use hashbrown::HashMap;

use super::Counter;

/// How many parts.
pub(super) const PARTS: usize = 64;

/// Counters by name. They are looked up many times for each request: so the maps are of a kind that hashes fast
/// and asks once for a place that may be empty.
#[derive(Debug)]
pub(super) struct Table<T> {
    parts: Vec<HashMap<Counter, T>>,
    /// Which part is tidied up next.
    next: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashMap::new()).collect(), next: 0 }
    }
}

impl<T: Default> Table<T> {
    /// One that is there.
    pub fn get_mut(&mut self, counter: &Counter) -> Option<&mut T> {
        self.part(counter).and_then(|part| part.get_mut(counter))
    }

    /// One, made if it is missing.
    pub fn entry(&mut self, counter: &Counter) -> &mut T {
        let place = place(counter);
        #[expect(clippy::indexing_slicing, reason = "there are PARTS parts")]
        let part = &mut self.parts[place];
        part.entry_ref(counter).or_default()
    }

    fn part(&mut self, counter: &Counter) -> Option<&mut HashMap<Counter, T>> {
        self.parts.get_mut(place(counter))
    }

    /// Those of one part.
    pub fn in_part(&self, part: usize) -> impl Iterator<Item = (&Counter, &T)> {
        self.parts.get(part).into_iter().flatten()
    }

    /// All of them, in no order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Counter, &mut T)> {
        self.parts.iter_mut().flat_map(|part| part.iter_mut())
    }

    /// Drops from the next part what is not worth keeping.
    pub fn tidy(&mut self, mut keep: impl FnMut(&mut T) -> bool) {
        self.next = (self.next + 1) % PARTS;
        if let Some(part) = self.parts.get_mut(self.next) {
            part.retain(|_, value| keep(value));
            if part.capacity() > 4 * part.len() + 64 {
                part.shrink_to(2 * part.len());
            }
        }
    }
}

/// In which part a counter lies: by the end of its name, which differs where there are many.
fn place(counter: &Counter) -> usize {
    let mix = |sum: usize, byte: &u8| sum.wrapping_mul(31).wrapping_add(usize::from(*byte));
    let policy = counter.policy.as_bytes().iter().take(4).fold(0, mix);
    counter.entity.as_bytes().iter().rev().take(8).fold(policy, mix) % PARTS
}
