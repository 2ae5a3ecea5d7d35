//! Reading a request's members: absent and `null` are the same, and a wrong one is named.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// A JSON object of the request and the path to it, for error messages.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    members: &'a Map<String, Value>,
    path: &'a str,
}

impl<'a> Fields<'a> {
    /// The request's body.
    pub fn of_body(body: &'a Value) -> Result<Self, Refusal> {
        Self::of(body, "")
    }

    /// An object inside the request; `path` leads to it.
    pub fn of(value: &'a Value, path: &'a str) -> Result<Self, Refusal> {
        match value {
            Value::Object(members) => Ok(Self { members, path }),
            _ => Err(Refusal::invalid(
                if path.is_empty() { "body" } else { path },
                "must be a JSON object",
            )),
        }
    }

    /// A member that is there and not null.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A 400 about one member.
    pub fn refuse(&self, name: &str, message: impl Into<String>) -> Refusal {
        let param =
            if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Refusal::invalid(param, message)
    }

    /// A member that must be there.
    pub fn required(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.get(name)
            .ok_or_else(|| self.refuse(name, format!("Missing required parameter: '{name}'.")))
    }

    /// A string that must be there and not be empty.
    pub fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        match self.required(name)?.as_str() {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.refuse(name, "must be a non-empty string")),
        }
    }

    /// A string.
    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        value.as_str().map(Some).ok_or_else(|| self.refuse(name, "must be a string"))
    }

    /// A boolean; false where it is absent.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.optional_flag(name)?.unwrap_or(false))
    }

    /// A boolean.
    pub fn optional_flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        value.as_bool().map(Some).ok_or_else(|| self.refuse(name, "must be a boolean"))
    }

    /// A whole number within a range.
    pub fn integer(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_u64() {
            Some(number) if range.contains(&number) => Ok(Some(number)),
            _ if *range.end() == u64::MAX => {
                Err(self
                    .refuse(name, format!("must be a whole number of at least {}", range.start())))
            }
            _ => Err(self.refuse(
                name,
                format!("must be a whole number between {} and {}", range.start(), range.end()),
            )),
        }
    }

    /// A number within a range.
    pub fn number(&self, name: &str, range: RangeInclusive<f64>) -> Result<Option<f64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_f64() {
            Some(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(self.refuse(
                name,
                format!("must be a number between {} and {}", range.start(), range.end()),
            )),
        }
    }

    /// An array that must be there and not be empty.
    pub fn array(&self, name: &str) -> Result<&'a [Value], Refusal> {
        match self.required(name)?.as_array() {
            Some(items) if !items.is_empty() => Ok(items),
            _ => Err(self.refuse(name, "must be a non-empty array")),
        }
    }

    /// An array; empty where it is absent.
    pub fn optional_array(&self, name: &str) -> Result<&'a [Value], Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(&[]);
        };
        value.as_array().map(Vec::as_slice).ok_or_else(|| self.refuse(name, "must be an array"))
    }

    /// Stop sequences: a string or up to `most` of them.
    pub fn stops(&self, name: &str, most: usize) -> Result<Vec<String>, Refusal> {
        let wrong =
            || self.refuse(name, format!("must be a string or an array of at most {most} strings"));
        let stops = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::String(stop)) => vec![stop.clone()],
            Some(Value::Array(stops)) if stops.len() <= most => stops
                .iter()
                .map(|stop| stop.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(wrong()),
        };
        Ok(stops.into_iter().filter(|stop| !stop.is_empty()).collect())
    }
}
