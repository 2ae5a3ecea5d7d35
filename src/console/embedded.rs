//! The files, as `build.rs` found them.

use super::asset::Asset;

include!(concat!(env!("OUT_DIR"), "/console.rs"));
