//! One rule over time: what may be written to it, and when it takes effect.

use crate::domain::{ChangeSource, PriceId, PriceVersion, Rates, SyncMode, Timestamp};

/// How far apart the clocks of replicas may be, microseconds. What one of them wrote at once, another
/// sees in its own future by at most so much.
const CLOCK_SKEW: i64 = 5_000_000;

/// Every version of one rule, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a>(&'a [PriceVersion]);

impl<'a> Rule<'a> {
    /// From versions of one rule, oldest first.
    #[must_use]
    pub const fn new(versions: &'a [PriceVersion]) -> Self {
        Self(versions)
    }

    /// The newest version that has taken effect, be it a tombstone.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> Option<&'a PriceVersion> {
        self.0.iter().rfind(|version| version.effective_from <= now)
    }

    /// The versions that have not taken effect.
    pub fn pending(&self, now: Timestamp) -> impl Iterator<Item = &'a PriceVersion> {
        self.0.iter().filter(move |version| version.effective_from > now)
    }

    /// Whether a version takes effect at that instant; the one of that id does not count.
    #[must_use]
    pub fn has_at(&self, instant: Timestamp, but: Option<PriceId>) -> bool {
        let others = self.0.iter().filter(|version| Some(version.id) != but);
        others.into_iter().any(|version| version.effective_from == instant)
    }

    /// When something that is written now takes effect: now, or as soon after what was written
    /// before it as to come later.
    #[must_use]
    pub fn at_once(&self, now: Timestamp) -> Timestamp {
        let unscheduled =
            self.0.iter().filter(|version| version.change_source != ChangeSource::AdminSchedule);
        let newest = unscheduled.map(|version| version.effective_from.0).max();
        let newest = newest.filter(|newest| *newest >= now.0 && *newest - now.0 <= CLOCK_SKEW);
        let mut instant = newest.map_or(now, |newest| Timestamp(newest + 1));
        while self.has_at(instant, None) {
            instant.0 += 1;
        }
        instant
    }

    /// The version in force that already says all this, if it does.
    #[must_use]
    pub fn says(
        &self,
        rates: &Rates,
        sync_mode: SyncMode,
        now: Timestamp,
    ) -> Option<&'a PriceVersion> {
        self.current(now).filter(|version| {
            !version.is_archived && version.rates == *rates && version.sync_mode == sync_mode
        })
    }

    /// How a version comes to be that an admin writes.
    #[must_use]
    pub const fn source(&self, scheduled: bool) -> ChangeSource {
        if scheduled {
            ChangeSource::AdminSchedule
        } else if self.0.is_empty() {
            ChangeSource::AdminCreate
        } else {
            ChangeSource::AdminEdit
        }
    }
}
