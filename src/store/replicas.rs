//! How many replicas there are, as Redis last told.

use super::{Store, StoreError, statement::sql};

const COUNT: &str = "SELECT count FROM replicas WHERE id = 1";
/// Every replica notes the same: only the first writes.
const NOTE: &str = "INSERT INTO replicas (id, count) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET count = excluded.count WHERE replicas.count <> excluded.count";

impl Store {
    /// How many there were when that was last noted; one if it never was.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn replicas(&self) -> Result<u32, StoreError> {
        let count: Option<i64> = self.read().await?.optional(sql(COUNT)).await?;
        Ok(count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1))
    }

    /// Notes how many there are.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn note_replicas(&self, count: u32) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.execute(sql(NOTE).bind(i64::from(count))).await?;
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use crate::store::testing::{postgres_store, temp_store};

    #[tokio::test]
    async fn the_last_number_that_was_noted_is_told() {
        let (_dir, sqlite) = temp_store().await;
        for store in [sqlite, postgres_store().await] {
            assert_eq!(store.replicas().await.unwrap(), 1, "nobody has noted any");
            for count in [4, 3, 3] {
                store.note_replicas(count).await.unwrap();
                assert_eq!(store.replicas().await.unwrap(), count);
            }
        }
    }
}
