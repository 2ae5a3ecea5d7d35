//! Organizations, and the sealed values of the installation.

use sqlx::{FromRow, Row as _, sqlite::SqliteRow};
use uuid::Uuid;

use super::{OrgRow, Store, StoreError, Tx, row};
use crate::domain::{OrgId, Timestamp};

const BY_ID: &str = "SELECT id, name, created_at FROM orgs WHERE id = $1";
const BY_NAME: &str = "SELECT id, name, created_at FROM orgs WHERE name = $1";
const ALL: &str = "SELECT id, name, created_at FROM orgs ORDER BY created_at, id";
const INSERT: &str = "INSERT INTO orgs (id, name, created_at) VALUES ($1, $2, $3)
    ON CONFLICT DO NOTHING";
const SEALED: &str = "SELECT value FROM sealed_values WHERE name = $1";
const PUT_SEALED: &str = "INSERT INTO sealed_values (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO NOTHING";

impl Store {
    /// The organization of that name or UUID. An unknown name is created.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown UUID, [`StoreError::Invalid`] for a blank name.
    pub async fn ensure_org(&self, name_or_uuid: &str) -> Result<OrgRow, StoreError> {
        let name = name_or_uuid.trim();
        if name.is_empty() {
            return Err(StoreError::Invalid("the organization's name must not be empty".into()));
        }
        if let Ok(id) = Uuid::parse_str(name) {
            return self.org(OrgId(id)).await?.ok_or(StoreError::NotFound("organization"));
        }
        let find = || sqlx::query_as(BY_NAME).bind(name.to_owned());
        if let Some(found) = find().fetch_optional(&self.readers).await? {
            return Ok(found);
        }
        let insert = sqlx::query(INSERT).bind(Uuid::new_v4()).bind(name.to_owned());
        insert.bind(Timestamp::now().0).execute(&self.writer).await?;
        Ok(find().fetch_one(&self.writer).await?)
    }

    /// One organization.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn org(&self, id: OrgId) -> Result<Option<OrgRow>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id.0).fetch_optional(&self.readers).await?)
    }

    /// The organization of exactly that name.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn org_by_name(&self, name: &str) -> Result<Option<OrgRow>, StoreError> {
        let query = sqlx::query_as(BY_NAME).bind(name.to_owned());
        Ok(query.fetch_optional(&self.readers).await?)
    }

    /// Makes an organization, unless there is one of that id or name already.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn make_org(&self, id: OrgId, name: &str) -> Result<(), StoreError> {
        let insert = sqlx::query(INSERT).bind(id.0).bind(name.to_owned());
        insert.bind(Timestamp::now().0).execute(&self.writer).await?;
        Ok(())
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn orgs(&self) -> Result<Vec<OrgRow>, StoreError> {
        Ok(sqlx::query_as(ALL).fetch_all(&self.lookups).await?)
    }

    /// A sealed value of the installation.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar(SEALED).bind(name.to_owned());
        Ok(query.fetch_optional(&self.readers).await?)
    }

    /// Stores a sealed value unless there is one, and answers what is stored afterwards: of several
    /// processes that start at once, the first wins and all agree.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn put_sealed_if_absent(
        &self,
        name: &str,
        blob: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let put = sqlx::query(PUT_SEALED).bind(name.to_owned()).bind(blob.to_owned());
        put.execute(&self.writer).await?;
        let get = sqlx::query_scalar(SEALED).bind(name.to_owned());
        Ok(get.fetch_one(&self.writer).await?)
    }
}

impl Tx {
    /// One organization.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn org(&mut self, id: OrgId) -> Result<Option<OrgRow>, StoreError> {
        let query = sqlx::query_as(BY_ID).bind(id.0);
        Ok(query.fetch_optional(self.connection_mut()).await?)
    }
}

impl FromRow<'_, SqliteRow> for OrgRow {
    fn from_row(found: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row::id(found, "id", OrgId)?,
            name: found.try_get("name")?,
            created_at: row::time(found, "created_at")?,
        })
    }
}
