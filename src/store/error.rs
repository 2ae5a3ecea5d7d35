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

impl StoreError {
    /// Whether the same may succeed later: the database was away, busy, full or stopping, and it is neither
    /// what was to be stored nor what is stored already that is wrong.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        use sqlx::Error::{ColumnDecode, ColumnNotFound, Decode};
        let unreadable =
            matches!(self, Self::Unavailable(ColumnDecode { .. } | ColumnNotFound(_) | Decode(_)));
        matches!(self, Self::Unavailable(_)) && !unreadable && !self.is_about_the_value()
    }

    /// Whether it is the stored value that the database will not take, now or later, and not the
    /// database that is away, full, stopping or in other hands.
    pub(super) fn is_about_the_value(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| is_about_the_value(&code))
            }
            Self::Unavailable(sqlx::Error::Encode(_)) | Self::Invalid(_) | Self::Conflict => true,
            Self::Unavailable(_) | Self::NotFound(_) | Self::Open { .. } => false,
        }
    }
}

/// PostgreSQL: data exceptions, broken constraints, program limits
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>). SQLite: too big, constraint,
/// mismatch, with their extended codes (<https://sqlite.org/rescode.html>).
fn is_about_the_value(code: &str) -> bool {
    let postgres =
        code.len() == 5 && ["22", "23", "54"].iter().any(|class| code.starts_with(class));
    let sqlite = || code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 18..=20));
    postgres || (code.len() < 5 && sqlite())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_the_value_is_held_against_it() {
        for code in ["22021", "23502", "54000", "18", "19", "20", "1299", "2067"] {
            assert!(is_about_the_value(code), "{code}");
        }
        // Stopping, starting, no connection, full, read-only, deadlock; SQLite: busy, full, read-only,
        // input and output.
        for code in [
            "57P01", "57P03", "53300", "53100", "25006", "40P01", "08006", "5", "13", "8", "10",
            "522",
        ] {
            assert!(!is_about_the_value(code), "{code}");
        }
        assert!(!StoreError::Unavailable(sqlx::Error::PoolTimedOut).is_about_the_value());
    }

    #[test]
    fn only_what_is_the_databases_fault_may_pass() {
        assert!(StoreError::Unavailable(sqlx::Error::PoolTimedOut).may_pass());
        assert!(StoreError::Unavailable(sqlx::Error::WorkerCrashed).may_pass());
        let unreadable = sqlx::Error::ColumnNotFound("events".to_owned());
        assert!(!StoreError::Unavailable(unreadable).may_pass());
        assert!(!StoreError::Invalid(String::new()).may_pass());
        assert!(!StoreError::Conflict.may_pass());
        assert!(!StoreError::NotFound("x").may_pass());
    }
}
