//! The schema's steps, forward only. A file's checksum is kept by the database: a shipped one is
//! never edited. Steps expand before they contract, so that the version before this one still works
//! on this one's schema while replicas are exchanged one by one.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::pool::Engine;

/// Number, name and text of every step, for each engine.
macro_rules! steps {
    ($engine:expr, $($number:literal $name:literal),+ $(,)?) => {
        vec![$((
            $number,
            $name,
            $engine.pick(
                include_str!(concat!("../../migrations/sqlite/", $number, "_", $name, ".sql")),
                include_str!(concat!("../../migrations/postgres/", $number, "_", $name, ".sql")),
            ),
        )),+]
    };
}

/// What brings a database of that engine to this version.
pub(super) fn migrator(engine: Engine) -> Migrator {
    let steps: Vec<(&'static str, &'static str, &'static str)> = steps! { engine,
        "0001" "initial",
        "0002" "changes",
        "0003" "pricing",
        "0007" "claims",
    };
    let migrations = steps.into_iter().map(|(number, name, text)| {
        // The numbers are the literals above.
        let version = number.parse().unwrap_or_default();
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}
