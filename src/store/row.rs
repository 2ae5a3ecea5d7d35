//! Reading columns into the domain's types.

use serde::de::DeserializeOwned;
use sqlx::{Row, sqlite::SqliteRow};
use uuid::Uuid;

use crate::domain::Timestamp;

/// An error for a stored value that is not what the schema promises.
pub(super) fn unreadable(
    column: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) }
}

pub(super) fn id<T>(row: &SqliteRow, column: &str, wrap: fn(Uuid) -> T) -> sqlx::Result<T> {
    row.try_get::<Uuid, _>(column).map(wrap)
}

pub(super) fn id_opt<T>(
    row: &SqliteRow,
    column: &str,
    wrap: fn(Uuid) -> T,
) -> sqlx::Result<Option<T>> {
    Ok(row.try_get::<Option<Uuid>, _>(column)?.map(wrap))
}

pub(super) fn time(row: &SqliteRow, column: &str) -> sqlx::Result<Timestamp> {
    row.try_get::<i64, _>(column).map(Timestamp)
}

pub(super) fn time_opt(row: &SqliteRow, column: &str) -> sqlx::Result<Option<Timestamp>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp))
}

pub(super) fn count(row: &SqliteRow, column: &str) -> sqlx::Result<u32> {
    let value: i64 = row.try_get(column)?;
    u32::try_from(value).map_err(|error| unreadable(column, error))
}

pub(super) fn count_opt(row: &SqliteRow, column: &str) -> sqlx::Result<Option<u32>> {
    let value: Option<i64> = row.try_get(column)?;
    value.map(u32::try_from).transpose().map_err(|error| unreadable(column, error))
}

pub(super) fn json<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> sqlx::Result<T> {
    let text: &str = row.try_get(column)?;
    serde_json::from_str(text).map_err(|error| unreadable(column, error))
}

/// A list of strings as the JSON text that the store keeps.
pub(super) fn json_list(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}
