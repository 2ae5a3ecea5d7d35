//! Any bytes as a vendor's stream for a client: what comes out is an event stream of JSON whatever comes
//! in, and no cut changes it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use turnpike::properties;

fuzz_target!(|input: &[u8]| {
    properties::streams(input);
});
