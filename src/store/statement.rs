//! A statement with its values, for either engine.
//!
//! One text serves both: placeholders are `$1`, `$2`, …; ids are UUIDs, times and numbers 64-bit
//! integers, JSON is text. Where an engine wants other words, two constants stand side by side and
//! [`Engine::pick`](super::pool::Engine::pick) chooses.

use sqlx::{
    AssertSqlSafe, Postgres, SqlSafeStr as _, SqlStr, Sqlite,
    postgres::PgArguments,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnection},
};
use uuid::Uuid;

use super::{
    record::{Found, Record},
    session::Session,
};

/// A value for a placeholder. Null has a type too: PostgreSQL wants to know it.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Id(Option<Uuid>),
    Integer(Option<i64>),
    Boolean(Option<bool>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! values {
    ($($from:ty => $to:ident ($($convert:tt)*)),+ $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$to(Some(($($convert)*)(value)))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$to(value.map($($convert)*))
            }
        }
    )+};
}

values! {
    Uuid => Id(std::convert::identity),
    i64 => Integer(std::convert::identity),
    u32 => Integer(i64::from),
    u16 => Integer(i64::from),
    bool => Boolean(std::convert::identity),
    String => Text(std::convert::identity),
    &str => Text(str::to_owned),
    Vec<u8> => Bytes(std::convert::identity),
    &[u8] => Bytes(<[u8]>::to_vec),
}

/// A statement and what goes into it, ready for whichever engine runs it.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    text: SqlStr,
    values: Vec<Value>,
}

/// A statement that is written in the sources.
pub(super) fn sql(text: &'static str) -> Statement {
    Statement { text: text.into_sql_str(), values: Vec::new() }
}

/// A statement that names a table of a month: made of what is written in the sources and of numbers,
/// nothing else.
pub(super) fn composed(text: String) -> Statement {
    Statement { text: AssertSqlSafe(text).into_sql_str(), values: Vec::new() }
}

impl Statement {
    /// The value of the next placeholder.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// PostgreSQL keeps no NUL in text; so neither engine does.
    fn checked(self) -> sqlx::Result<Self> {
        let has_nul =
            |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        if self.values.iter().any(has_nul) { Err(NulInText::error()) } else { Ok(self) }
    }

    fn for_sqlite(self) -> Query<'static, Sqlite, SqliteArguments> {
        self.values.into_iter().fold(sqlx::query(self.text), |query, value| match value {
            Value::Id(value) => query.bind(value),
            Value::Integer(value) => query.bind(value),
            Value::Boolean(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        })
    }

    fn for_postgres(self) -> Query<'static, Postgres, PgArguments> {
        self.values.into_iter().fold(sqlx::query(self.text), |query, value| match value {
            Value::Id(value) => query.bind(value),
            Value::Integer(value) => query.bind(value),
            Value::Boolean(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        })
    }
}

/// A text with a NUL character was to be stored.
#[derive(Debug, thiserror::Error)]
#[error("text must not contain the character U+0000")]
pub(super) struct NulInText;

impl NulInText {
    fn error() -> sqlx::Error {
        sqlx::Error::Encode(Box::new(Self))
    }
}

/// A connection of either engine, for as long as one statement runs.
pub(super) enum Link<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut Session),
}

impl Link<'_> {
    /// Every row.
    pub(super) async fn all<R: Record>(self, statement: Statement) -> sqlx::Result<Vec<R>> {
        let statement = statement.checked()?;
        match self {
            Self::Sqlite(link) => {
                let rows = statement.for_sqlite().fetch_all(link).await?;
                rows.iter().map(|row| R::read(&Found::Sqlite(row))).collect()
            }
            Self::Postgres(link) => {
                let rows = link.all(statement.for_postgres()).await?;
                rows.iter().map(|row| R::read(&Found::Postgres(row))).collect()
            }
        }
    }

    /// The first row, if there is one.
    pub(super) async fn optional<R: Record>(self, statement: Statement) -> sqlx::Result<Option<R>> {
        let statement = statement.checked()?;
        match self {
            Self::Sqlite(link) => {
                let row = statement.for_sqlite().fetch_optional(link).await?;
                row.map(|row| R::read(&Found::Sqlite(&row))).transpose()
            }
            Self::Postgres(link) => {
                let row = link.optional(statement.for_postgres()).await?;
                row.map(|row| R::read(&Found::Postgres(&row))).transpose()
            }
        }
    }

    /// Runs it for its effect; answers how many rows it touched.
    pub(super) async fn execute(self, statement: Statement) -> sqlx::Result<u64> {
        let statement = statement.checked()?;
        Ok(match self {
            Self::Sqlite(link) => statement.for_sqlite().execute(link).await?.rows_affected(),
            Self::Postgres(link) => link.execute(statement.for_postgres()).await?,
        })
    }
}
