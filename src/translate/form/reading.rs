//! JSON into types, with faults that name the member.

use serde::Deserialize;

use super::Refusal;

/// The longest account of a fault, characters.
const MOST_SAID: usize = 300;

/// Reads a client's body, which is known to be JSON by now.
///
/// # Errors
/// When a member has a type or a value that the dialect does not have; names its path.
pub fn read_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    // The path is followed only where it is needed: it costs a third of the reading.
    serde_json::from_slice(body).or_else(|_| {
        let mut reader = serde_json::Deserializer::from_slice(body);
        serde_path_to_error::deserialize(&mut reader).map_err(|fault| {
            let path = fault.path().to_string();
            // The position says nothing to somebody who did not write the JSON by hand.
            let said = fault.inner().to_string();
            let said = said.split(" at line ").next().unwrap_or(&said);
            // It may repeat a value, and a value may be a whole prompt.
            let said: String = said.chars().take(MOST_SAID).collect();
            Refusal::invalid(&*path, format!("`{path}`: {said}"))
        })
    })
}
