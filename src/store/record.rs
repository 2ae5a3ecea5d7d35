//! From a row of either engine to a value.

use serde::de::DeserializeOwned;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use crate::domain::Timestamp;

/// A row as an engine answered it.
pub(super) enum Found<'a> {
    Sqlite(&'a SqliteRow),
    Postgres(&'a PgRow),
}

/// What both engines can read from a column.
pub(super) trait Column<'a>:
    Decode<'a, Sqlite> + Type<Sqlite> + Decode<'a, Postgres> + Type<Postgres>
{
}

impl<'a, T> Column<'a> for T where
    T: Decode<'a, Sqlite> + Type<Sqlite> + Decode<'a, Postgres> + Type<Postgres>
{
}

/// A value that is read from a row.
pub(super) trait Record: Sized {
    fn read(found: &Found<'_>) -> sqlx::Result<Self>;
}

/// An error for a stored value that is not what the schema promises.
pub(super) fn unreadable(
    column: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) }
}

impl<'a> Found<'a> {
    /// The column of that name.
    pub(super) fn get<T: Column<'a>>(&self, column: &str) -> sqlx::Result<T> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    fn first<T: Column<'a>>(&self) -> sqlx::Result<T> {
        match self {
            Self::Sqlite(row) => row.try_get(0),
            Self::Postgres(row) => row.try_get(0),
        }
    }

    /// An id, in its type.
    pub(super) fn id<T>(&self, column: &str, wrap: fn(Uuid) -> T) -> sqlx::Result<T> {
        self.get::<Uuid>(column).map(wrap)
    }

    /// An id that may be null.
    pub(super) fn id_opt<T>(&self, column: &str, wrap: fn(Uuid) -> T) -> sqlx::Result<Option<T>> {
        Ok(self.get::<Option<Uuid>>(column)?.map(wrap))
    }

    /// A time.
    pub(super) fn time(&self, column: &str) -> sqlx::Result<Timestamp> {
        self.get::<i64>(column).map(Timestamp)
    }

    /// A time that may be null.
    pub(super) fn time_opt(&self, column: &str) -> sqlx::Result<Option<Timestamp>> {
        Ok(self.get::<Option<i64>>(column)?.map(Timestamp))
    }

    /// A count.
    pub(super) fn count(&self, column: &str) -> sqlx::Result<u32> {
        let value: i64 = self.get(column)?;
        u32::try_from(value).map_err(|error| unreadable(column, error))
    }

    /// A count that may be null.
    pub(super) fn count_opt(&self, column: &str) -> sqlx::Result<Option<u32>> {
        let value: Option<i64> = self.get(column)?;
        value.map(u32::try_from).transpose().map_err(|error| unreadable(column, error))
    }

    /// A value that is kept as JSON text.
    pub(super) fn json<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<T> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|error| unreadable(column, error))
    }

    /// A value of an enumeration, kept as the word that it is on the wire.
    pub(super) fn word<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<T> {
        let word: String = self.get(column)?;
        serde_json::from_value(word.into()).map_err(|error| unreadable(column, error))
    }

    /// JSON text that may be null.
    pub(super) fn json_opt<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<Option<T>> {
        let text: Option<String> = self.get(column)?;
        let value = text.map(|text| serde_json::from_str(&text)).transpose();
        value.map_err(|error| unreadable(column, error))
    }
}

/// A list of strings as the JSON text that the store keeps.
pub(super) fn json_list(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

macro_rules! single_columns {
    ($($type:ty),+) => {$(
        impl Record for $type {
            fn read(found: &Found<'_>) -> sqlx::Result<Self> {
                found.first()
            }
        }
    )+};
}

// Statements that answer one column.
single_columns!(String, Uuid, Vec<u8>, i64, bool);
