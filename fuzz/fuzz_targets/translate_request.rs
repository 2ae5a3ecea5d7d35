//! Any bytes as a request of every client for every vendor, and as an answer of every vendor for every
//! client: nothing panics, and what is written is JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use turnpike::properties;

fuzz_target!(|input: &[u8]| {
    properties::requests(input);
    properties::answers(input);
});
