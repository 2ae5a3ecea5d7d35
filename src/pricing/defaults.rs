//! The managed defaults: `conf/prices.json`, compiled in and read once.

use std::{collections::BTreeMap, sync::LazyLock};

use aws_lc_rs::digest;
use serde::Deserialize;

use super::{
    book::Line,
    pattern::{self, check_pattern},
};
use crate::domain::{BilledRates, Price, PriceId, Rates, Timestamp};

static DEFAULTS: LazyLock<Defaults> = LazyLock::new(|| {
    // The file is part of the program and a test reads it: it cannot fail in a released binary. No
    // defaults is the answer that needs no panic.
    Defaults::parse(include_str!("../../conf/prices.json")).unwrap_or_else(|fault| {
        tracing::error!(%fault, "conf/prices.json is unreadable; there are no default prices");
        Defaults::default()
    })
});

/// The defaults of this program.
#[must_use]
pub fn defaults() -> &'static Defaults {
    &DEFAULTS
}

/// One pattern's default price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultPrice {
    /// Stays as long as vendor and pattern do, whatever the price.
    pub id: PriceId,
    /// Catalog slug of the line that it is for.
    pub provider_slug: String,
    /// The model that the price is of.
    pub model_name: String,
    /// What it covers.
    pub model_pattern: String,
    /// The price.
    pub rates: Rates,
    /// What input costs that is written to a cache for an hour, where that is another price.
    pub cache_write_hour: Option<Price>,
    /// The vendor's page that says so.
    pub source: String,
    /// When that page was read.
    pub as_of: Timestamp,
}

/// The shipped prices by line.
#[derive(Debug, Default)]
pub struct Defaults {
    lines: BTreeMap<String, Vec<Row>>,
}

/// A pattern and what is known of its price.
#[derive(Debug)]
struct Row {
    pattern: String,
    price: Option<DefaultPrice>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DefaultsFault {
    /// No such JSON.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A row that makes no sense.
    #[error("{slug}, {pattern}: {what}")]
    Row {
        /// Whose.
        slug: String,
        /// Which.
        pattern: String,
        /// What is wrong.
        what: String,
    },
}

impl Defaults {
    /// Reads the text of `conf/prices.json`.
    ///
    /// # Errors
    /// When it is not as its `_format` says.
    pub fn parse(text: &str) -> Result<Self, DefaultsFault> {
        let file: File = serde_json::from_str(text)?;
        let mut defaults = Self::default();
        for vendor in &file.vendors {
            for slug in &vendor.slugs {
                vendor.file_under(slug, defaults.lines.entry(slug.clone()).or_default())?;
            }
        }
        Ok(defaults)
    }

    /// Every price that is known.
    pub fn iter(&self) -> impl Iterator<Item = &DefaultPrice> {
        self.lines.values().flatten().filter_map(|row| row.price.as_ref())
    }

    /// The default of this id.
    #[must_use]
    pub fn get(&self, id: PriceId) -> Option<&DefaultPrice> {
        self.iter().find(|default| default.id == id)
    }

    /// The default for exactly this pattern of this line.
    #[must_use]
    pub fn of_rule(&self, slug: &str, pattern: &str) -> Option<&DefaultPrice> {
        self.lines.get(slug)?.iter().find(|row| row.pattern == pattern)?.price.as_ref()
    }

    /// The default for a model: that of the catalog line, else of the vendor's. A closer pattern
    /// whose price is unknown leaves the model without one.
    #[must_use]
    pub fn price(&self, line: &Line<'_>, model: &str) -> Option<&DefaultPrice> {
        let covering = |slug: &str| {
            let rows = self.lines.get(slug)?;
            let near = |row: &&Row| pattern::closeness(&row.pattern, model);
            rows.iter().filter(|row| near(row).is_some()).max_by_key(near)
        };
        covering(line.catalog).or_else(|| covering(line.vendor))?.price.as_ref()
    }

    /// Whether anything is said of a model of a line, be it that its price is unknown.
    #[cfg(test)]
    pub(super) fn mentions(&self, slug: &str, model: &str) -> bool {
        let rows = self.lines.get(slug).into_iter().flatten();
        rows.into_iter().any(|row| pattern::closeness(&row.pattern, model).is_some())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "_format")]
    _format: Vec<String>,
    vendors: Vec<Vendor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendor {
    slugs: Vec<String>,
    source: String,
    as_of: String,
    prices: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    model: String,
    /// The model's name alone where left out.
    #[serde(default)]
    patterns: Vec<String>,
    input: Option<Price>,
    output: Option<Price>,
    #[serde(default)]
    cache_read: Option<Price>,
    #[serde(default)]
    cache_write: Option<Price>,
    #[serde(default)]
    cache_write_1h: Option<Price>,
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

impl Vendor {
    /// Adds its rows to those of one of its lines.
    fn file_under(&self, slug: &str, rows: &mut Vec<Row>) -> Result<(), DefaultsFault> {
        let fault = |pattern: &str, what: &dyn std::fmt::Display| DefaultsFault::Row {
            slug: slug.to_owned(),
            pattern: pattern.to_owned(),
            what: what.to_string(),
        };
        let as_of = format!("{}T00:00:00Z", self.as_of).parse::<Timestamp>();
        let as_of = as_of.map_err(|error| fault("as_of", &error))?;
        for entry in &self.prices {
            for pattern in entry.patterns() {
                check_pattern(pattern).map_err(|what| fault(pattern, &what))?;
                if rows.iter().any(|row| row.pattern == *pattern) {
                    return Err(fault(pattern, &"stands there twice"));
                }
                let rates = entry.rates().map_err(|what| fault(pattern, &what))?;
                let price = rates.map(|rates| DefaultPrice {
                    id: id(slug, pattern),
                    provider_slug: slug.to_owned(),
                    model_name: entry.model.clone(),
                    model_pattern: pattern.clone(),
                    rates,
                    cache_write_hour: entry.cache_write_1h,
                    source: self.source.clone(),
                    as_of,
                });
                rows.push(Row { pattern: pattern.clone(), price });
            }
        }
        Ok(())
    }
}

impl DefaultPrice {
    /// What a rule of an organization bills. One that leaves the price of writing to a cache to the
    /// default, or copies it, bills the default's for an hour, too; one that sets its own has that alone.
    pub(super) fn billed(&self, own: &Rates) -> BilledRates {
        let rates = own.billed(Some(&self.rates));
        let is_default = rates.cache_write == self.rates.billed(None).cache_write;
        match self.cache_write_hour.filter(|_| is_default) {
            Some(cache_write_hour) => BilledRates { cache_write_hour, ..rates },
            None => rates,
        }
    }
}

impl Entry {
    fn patterns(&self) -> &[String] {
        match self.patterns.as_slice() {
            [] => std::slice::from_ref(&self.model),
            patterns => patterns,
        }
    }

    /// None where the price is unknown, which both halves must agree on.
    fn rates(&self) -> Result<Option<Rates>, &'static str> {
        let (cache_read, cache_write) = (self.cache_read, self.cache_write);
        match (self.input, self.output) {
            (Some(input), Some(output)) => {
                Ok(Some(Rates { input, output, cache_read, cache_write }))
            }
            (None, None) if cache_read.or(cache_write).or(self.cache_write_1h).is_none() => {
                Ok(None)
            }
            _ => Err("input and output are either both known or all is null"),
        }
    }
}

/// A UUID that stays the same in every release: a digest of line and pattern, in the form of a
/// random one, which is what the API's ids are.
fn id(slug: &str, pattern: &str) -> PriceId {
    let name = format!("turnpike default price\n{slug}\n{pattern}");
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.as_ref()) {
        *byte = *hashed;
    }
    PriceId(uuid::Builder::from_random_bytes(bytes).into_uuid())
}
