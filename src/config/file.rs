//! The TOML file: tables of keys, each with the line on which it stands.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    fault::{Fault, Place},
    value::{Field, Given},
};

/// A key with what was given for it.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The table's name; empty for a key outside every table.
    pub(super) section: String,
    /// The key within it.
    pub(super) key: String,
    /// Its value.
    pub(super) given: Given,
    /// Where it stands.
    pub(super) place: Place,
}

/// Reads the file. Syntax errors are faults, and what stands on other lines is still read.
pub(super) fn read(path: &Path) -> (Vec<Setting>, Vec<Fault>) {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) => {
            let place = Place::File(path.to_path_buf(), 0);
            (Vec::new(), vec![Fault { place, key: None, message: format!("cannot read: {error}") }])
        }
    }
}

fn parse(path: &Path, text: &str) -> (Vec<Setting>, Vec<Fault>) {
    let lines = Lines { path, text };
    let (document, errors) = DeTable::parse_recoverable(text);
    let faults: Vec<Fault> = errors
        .iter()
        .map(|error| Fault {
            place: lines.place(error.span().map_or(0, |span| span.start)),
            key: None,
            message: error.message().to_owned(),
        })
        .collect();
    let mut settings = lines.settings(document.get_ref());
    // What the parser guessed on a broken line would only add noise.
    settings.retain(|setting| faults.iter().all(|fault| fault.place != setting.place));
    (settings, faults)
}

struct Lines<'t> {
    path: &'t Path,
    text: &'t str,
}

impl Lines<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        Place::File(self.path.to_path_buf(), 1 + memchr::memchr_iter(b'\n', before).count())
    }

    fn settings(&self, document: &DeTable<'_>) -> Vec<Setting> {
        let mut settings = Vec::new();
        for (name, value) in document {
            let DeValue::Table(table) = value.get_ref() else {
                settings.push(self.setting("", name.get_ref(), name.span().start, value.get_ref()));
                continue;
            };
            for (key, value) in table {
                let at = key.span().start;
                settings.push(self.setting(name.get_ref(), key.get_ref(), at, value.get_ref()));
            }
        }
        settings
    }

    fn setting(&self, section: &str, key: &str, at: usize, value: &DeValue<'_>) -> Setting {
        Setting {
            section: section.to_owned(),
            key: key.to_owned(),
            given: self.given(value),
            place: self.place(at),
        }
    }

    fn given(&self, value: &DeValue<'_>) -> Given {
        match value {
            DeValue::String(text) => Given::Text(text.clone().into_owned()),
            DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
                .map_or(Given::Other("an integer beyond 64 bits"), Given::Integer),
            DeValue::Array(items) => {
                Given::List(items.iter().map(|item| self.given(item.get_ref())).collect())
            }
            DeValue::Table(table) => Given::Table(self.fields(table)),
            DeValue::Float(_) => Given::Other("a float"),
            DeValue::Boolean(_) => Given::Other("a boolean"),
            DeValue::Datetime(_) => Given::Other("a date"),
        }
    }

    fn fields(&self, table: &DeTable<'_>) -> Vec<Field> {
        let field = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| Field {
            key: key.get_ref().clone().into_owned(),
            given: self.given(value.get_ref()),
            place: self.place(key.span().start),
        };
        table.iter().map(field).collect()
    }
}
