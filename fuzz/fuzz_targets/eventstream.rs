//! Any bytes as an event stream of AWS: no cut changes its frames.

#![no_main]

use libfuzzer_sys::fuzz_target;
use turnpike::properties;

fuzz_target!(|input: &[u8]| {
    properties::frames(input);
});
