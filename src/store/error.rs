//! What can go wrong with the store, by what the caller can do about it.

use super::statement::NulInText;

/// A store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What was named does not exist, or belongs to another organization.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// A uniqueness rule of the database refused the row; another row has the same name or key.
    #[error("a row with the same unique value exists")]
    Conflict,
    /// The value cannot be stored; the message names it and the remedy.
    #[error("{0}")]
    Invalid(String),
    /// The database file could not be opened or brought to this version.
    #[error("cannot open the database {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The database did not answer, or a stored value is unreadable. May pass: try again.
    #[error("the database is unavailable: {0}")]
    Unavailable(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => Self::Conflict,
            sqlx::Error::Encode(cause) if cause.is::<NulInText>() => {
                Self::Invalid(cause.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}
