//! The members of a body, one after the other: what is not taken is left, in its order.

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess},
};
use serde_json::value::RawValue;

use crate::translate::form::{Refusal, Text, read_json};

/// A body's members that have not been taken yet. `null` is the same as absent.
pub struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of a body.
    ///
    /// # Errors
    /// When it is no object.
    pub fn of(body: &'a [u8]) -> Result<Self, Refusal> {
        read_json(body)
    }

    /// Takes a member as it stands; the last one where it is there twice.
    pub fn take_raw(&mut self, name: &str) -> Option<&'a RawValue> {
        let mut found = None;
        self.0.retain(|(known, raw)| {
            let this = *known == name;
            if this {
                found = Some(*raw);
            }
            !this
        });
        found.filter(|raw| raw.get() != "null")
    }

    /// Takes a member and reads it.
    ///
    /// # Errors
    /// When it is not what it should be; names the place in it.
    pub fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Refusal> {
        self.take_raw(name).map(|raw| read_at(name, raw)).transpose()
    }

    /// What nobody took.
    pub fn rest(self) -> Vec<(Text<'a>, &'a RawValue)> {
        self.0
    }
}

/// Reads a value that stands at `place` in the client's body.
pub(super) fn read_at<'a, T: Deserialize<'a>>(
    place: impl std::fmt::Display,
    raw: &'a RawValue,
) -> Result<T, Refusal> {
    serde_json::from_str(raw.get()).or_else(|_| {
        let mut reader = serde_json::Deserializer::from_str(raw.get());
        serde_path_to_error::deserialize(&mut reader).map_err(|fault| {
            let inside = fault.path().to_string();
            let path = match inside.as_str() {
                "." => place.to_string(),
                inside if inside.starts_with('[') => format!("{place}{inside}"),
                inside => format!("{place}.{inside}"),
            };
            let said = fault.inner().to_string();
            let said = said.split(" at line ").next().unwrap_or(&said);
            Refusal::invalid(&*path, format!("`{path}`: {said}"))
        })
    })
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
