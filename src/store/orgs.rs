//! Organizations, and the sealed values of the installation.

use uuid::Uuid;

use super::{
    OrgRow, Store, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{OrgId, Timestamp};

const BY_ID: &str = "SELECT id, name, created_at, revision FROM orgs WHERE id = $1";
const BY_NAME: &str = "SELECT id, name, created_at, revision FROM orgs WHERE name = $1";
const ALL: &str = "SELECT id, name, created_at, revision FROM orgs ORDER BY created_at, id";
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
        let find = || sql(BY_NAME).bind(name.to_owned());
        if let Some(found) = self.readers.optional(find()).await? {
            return Ok(found);
        }
        let insert = sql(INSERT).bind(Uuid::new_v4()).bind(name).bind(Timestamp::now().0);
        let mut tx = self.write().await?;
        tx.execute(insert).await?;
        let org: OrgRow = tx.one(find()).await?;
        tx.touch(org.id).await?;
        let org = OrgRow { revision: org.revision + 1, ..org };
        tx.commit().await?;
        Ok(org)
    }

    /// One organization.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn org(&self, id: OrgId) -> Result<Option<OrgRow>, StoreError> {
        Ok(self.readers.optional(sql(BY_ID).bind(id.0)).await?)
    }

    /// The organization of exactly that name.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn org_by_name(&self, name: &str) -> Result<Option<OrgRow>, StoreError> {
        Ok(self.readers.optional(sql(BY_NAME).bind(name)).await?)
    }

    /// Makes an organization, unless there is one of that id or name already.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn make_org(&self, id: OrgId, name: &str) -> Result<(), StoreError> {
        let insert = sql(INSERT).bind(id.0).bind(name).bind(Timestamp::now().0);
        let mut tx = self.write().await?;
        tx.execute(insert).await?;
        tx.touch(id).await?;
        tx.commit().await
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn orgs(&self) -> Result<Vec<OrgRow>, StoreError> {
        Ok(self.lookups.all(sql(ALL)).await?)
    }

    /// A sealed value of the installation.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn sealed(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sql(SEALED).bind(name.to_owned());
        Ok(self.readers.optional(query).await?)
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
        let put = sql(PUT_SEALED).bind(name.to_owned()).bind(blob.to_owned());
        self.writer.execute(put).await?;
        let get = sql(SEALED).bind(name.to_owned());
        Ok(self.writer.one(get).await?)
    }
}

impl Tx {
    /// One organization.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn org(&mut self, id: OrgId) -> Result<Option<OrgRow>, StoreError> {
        let query = sql(BY_ID).bind(id.0);
        Ok(self.optional(query).await?)
    }
}

impl Record for OrgRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", OrgId)?,
            name: found.get("name")?,
            created_at: found.time("created_at")?,
            revision: found.get("revision")?,
        })
    }
}
