//! Whom policies are about, what counts against them and when: pure functions of rows and time.

mod matching;
mod period;
mod smart;

pub use matching::{Directory, Person, Used, used};
pub use period::{end_of, start_of};
pub use smart::{SmartFault, check_smart, floor_slot};
