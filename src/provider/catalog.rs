//! The catalogue: every row of `conf/providers.toml`, compiled in and read once.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Vendor;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    // The file is part of the program and a test reads it: it cannot fail in a released binary. An
    // empty catalogue is the answer that needs no panic.
    Catalog::parse(include_str!("../../conf/providers.toml")).unwrap_or_else(|fault| {
        tracing::error!(%fault, "conf/providers.toml is unreadable; no vendor is known");
        Catalog::default()
    })
});

/// The vendors, in the order of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    #[serde(rename = "vendor")]
    rows: Vec<Vendor>,
}

impl Catalog {
    /// The vendor whose `model_provider` is `slug`.
    #[must_use]
    pub fn vendor(&'static self, slug: &str) -> Option<&'static Vendor> {
        self.rows.iter().find(|vendor| vendor.slug == slug)
    }

    /// Every vendor, in the order of the file.
    pub fn vendors(&'static self) -> impl Iterator<Item = &'static Vendor> {
        self.rows.iter()
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let mut catalog: Self = toml::from_str(text)?;
        for row in &mut catalog.rows {
            row.quirks.stream_usage = row.stream_usage_option;
        }
        Ok(catalog)
    }
}

/// The catalogue of this program.
#[must_use]
pub fn catalog() -> &'static Catalog {
    &CATALOG
}

#[cfg(test)]
mod tests;
