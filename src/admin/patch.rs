//! Fields that tell "absent" from "null".

use serde::{Deserialize, Deserializer};

/// A tri-state field of a partial update. Use with `#[serde(default)]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Patch<T> {
    /// Absent: keeps.
    #[default]
    Keep,
    /// Null: clears.
    Clear,
    /// A value: replaces.
    Set(T),
}

impl<T> Patch<T> {
    /// The same, with the value checked or changed.
    pub(super) fn try_map<U, E>(self, map: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(map(value)?),
        })
    }

    /// Writes it to a nullable field.
    pub(super) fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        field: Patch<u8>,
    }

    fn read(json: &str) -> Patch<u8> {
        serde_json::from_str::<Body>(json).unwrap().field
    }

    #[test]
    fn absent_null_and_value_are_three_things() {
        assert_eq!(read("{}"), Patch::Keep);
        assert_eq!(read(r#"{"field":null}"#), Patch::Clear);
        assert_eq!(read(r#"{"field":7}"#), Patch::Set(7));
    }
}
