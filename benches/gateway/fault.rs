//! What can go wrong in the bench, in words: its only reader is the person who runs it.

use std::error::Error;

/// Any failure of the bench itself or of what it measures.
pub type Fault = Box<dyn Error + Send + Sync>;

/// A result whose error is told to the person who runs the bench.
pub type Outcome<T> = Result<T, Fault>;
