//! Streams: at once, unchanged, and never ending as if complete when they are not.

mod at_once;
mod endings;
mod leaving;
mod usage;
