//! Sealed values of the installation, read and changed together: the wraps of its root secret.

use super::{
    StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};

const UNDER: &str = "SELECT name, value FROM sealed_values WHERE name LIKE $1 ORDER BY name";
const ONE: &str = "SELECT value FROM sealed_values WHERE name = $1";
const PUT: &str = "INSERT INTO sealed_values (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM sealed_values WHERE name = $1";

impl Tx {
    /// The sealed values whose names begin with `prefix` (letters and slashes), by name.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn sealed_under(
        &mut self,
        prefix: &str,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let rows: Vec<Sealed> = self.all(sql(UNDER).bind(format!("{prefix}%"))).await?;
        Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
    }

    /// One sealed value.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn sealed(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.optional(sql(ONE).bind(name)).await?)
    }

    /// Stores a sealed value, in place of what was there.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn put_sealed(&mut self, name: &str, blob: &[u8]) -> Result<(), StoreError> {
        self.execute(sql(PUT).bind(name).bind(blob.to_owned())).await?;
        Ok(())
    }

    /// Removes a sealed value.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_sealed(&mut self, name: &str) -> Result<(), StoreError> {
        self.execute(sql(DELETE).bind(name)).await?;
        Ok(())
    }
}

struct Sealed {
    name: String,
    value: Vec<u8>,
}

impl Record for Sealed {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self { name: found.get("name")?, value: found.get("value")? })
    }
}
