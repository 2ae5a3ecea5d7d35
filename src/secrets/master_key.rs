//! The master key: where it comes from, and the refusal to start without the right one.
