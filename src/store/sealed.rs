//! Sealed values of the installation, read and changed together: the wraps of its root secret.

use super::{StoreError, Tx};

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
        let query = sqlx::query_as(UNDER).bind(format!("{prefix}%"));
        Ok(query.fetch_all(self.connection_mut()).await?)
    }

    /// One sealed value.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn sealed(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar(ONE).bind(name.to_owned());
        Ok(query.fetch_optional(self.connection_mut()).await?)
    }

    /// Stores a sealed value, in place of what was there.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn put_sealed(&mut self, name: &str, blob: &[u8]) -> Result<(), StoreError> {
        let put = sqlx::query(PUT).bind(name.to_owned()).bind(blob.to_owned());
        put.execute(self.connection_mut()).await?;
        Ok(())
    }

    /// Removes a sealed value.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_sealed(&mut self, name: &str) -> Result<(), StoreError> {
        let delete = sqlx::query(DELETE).bind(name.to_owned());
        delete.execute(self.connection_mut()).await?;
        Ok(())
    }
}
