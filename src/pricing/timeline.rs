//! One route's prices over time, computed ahead so that a scheduled price needs nobody's help to
//! take effect.

use super::Priced;
use crate::domain::Timestamp;

/// What a route costs from when on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline(Box<[(Timestamp, Option<Priced>)]>);

impl Timeline {
    /// From the price at each moment at which it may change, oldest first.
    pub(super) fn new(steps: impl IntoIterator<Item = (Timestamp, Option<Priced>)>) -> Self {
        let mut kept: Vec<(Timestamp, Option<Priced>)> = Vec::new();
        for step in steps {
            if kept.last().is_none_or(|(_, price)| *price != step.1) {
                kept.push(step);
            }
        }
        Self(kept.into())
    }

    /// The price at a moment; none where nothing prices the route then.
    #[must_use]
    pub fn at(&self, moment: Timestamp) -> Option<&Priced> {
        let reached = self.0.partition_point(|(from, _)| *from <= moment);
        self.0.get(reached.checked_sub(1)?)?.1.as_ref()
    }
}
