//! Whom policies are about, what counts against them and when: pure functions of rows and time.

mod access;
mod determiner;
mod matching;
mod period;
mod smart;
mod subject;

pub use access::{AccessPolicy, Asked, Candidate, permits};
pub use determiner::{Question, answered, last_texts, question};
pub use matching::{Used, counters};
pub use period::{end_of, start_of};
pub use smart::{
    Selected, SlotReason, SmartFault, check_smart, floor_slot, forced_slot, select_slot,
};
pub use subject::Subject;
