//! Histories that are made up by a seed: what the simulations share.

/// Each simulation goes through so many.
const HISTORIES: u64 = 256;

/// Numbers that look random, by the `SplitMix64` generator.
pub(crate) struct Dice(u64);

impl Dice {
    /// Those of a seed.
    pub const fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// One below `bound`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// A place in something so long.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a length")
    }

    /// Whether that happens whose chance is so many percent.
    pub const fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// Goes through the histories of all seeds, or that of `TURNPIKE_SEED` alone. What each answers is added up; `None`
/// where one was replayed.
pub(crate) fn histories(run: impl Fn(u64) -> u64 + std::panic::RefUnwindSafe) -> Option<u64> {
    let replayed: Option<u64> =
        std::env::var("TURNPIKE_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut sum = 0;
    for seed in replayed.map_or(0..HISTORIES, |seed| seed..seed + 1) {
        let outcome = std::panic::catch_unwind(|| run(seed));
        sum +=
            outcome.unwrap_or_else(|_| panic!("seed {seed}: replay it with TURNPIKE_SEED={seed}"));
    }
    replayed.is_none().then_some(sum)
}
