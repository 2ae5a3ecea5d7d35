//! The gateway's pure parts, by themselves: what fuzzing needs builds in a minute, with coverage
//! only where it is of use.

#![allow(dead_code, reason = "a part of the gateway uses not all of the others")]

#[path = "../../src/dialect/mod.rs"]
pub mod dialect;
#[path = "../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../src/translate/properties.rs"]
pub mod properties;
#[path = "../../src/translate/mod.rs"]
pub mod translate;
#[path = "../../src/wire/mod.rs"]
pub mod wire;
