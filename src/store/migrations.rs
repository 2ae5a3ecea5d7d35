//! The schema's steps, forward only. A file's checksum is kept by the database: a shipped one is
//! never edited. Steps expand before they contract, so that the version before this one still works
//! on this one's schema while replicas are exchanged one by one.
//!
//! A step that takes away or demands what an older version does not know is named
//! `contract_<number>_…`: versions that know at least the step with that number work on. A process
//! starts on a newer schema as long as no such step stands in its way.

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
        "0004" "identity",
        "0005" "policies",
        "0006" "usage_rollups",
        "0007" "claims",
        "0008" "key_emails",
        "0010" "ledger_marks",
        "0011" "console_sessions",
        "0012" "smart_models_in_sums",
        "0013" "model_efforts",
        "0014" "replicas",
    };
    let migrations = steps.into_iter().filter_map(|(number, name, text)| {
        let version = number.parse().ok()?;
        let text = text.into_sql_str();
        Some(Migration::new(version, name.into(), MigrationType::Simple, text, false))
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // Whether this version gets along with newer steps is for [`check_newer`] to say.
    migrator.set_ignore_missing(true);
    migrator
}

/// The steps that were taken, by whatever version.
pub(super) const TAKEN: &str = "SELECT version, description FROM _sqlx_migrations";

/// Says why this version cannot work on a database on which these steps were taken; nothing if it
/// can.
pub(super) fn check_newer(
    taken: impl IntoIterator<Item = (i64, String)>,
    engine: Engine,
) -> Result<(), String> {
    let known = migrator(engine).iter().map(|step| step.version).max().unwrap_or_default();
    for (version, name) in taken.into_iter().filter(|(version, _)| *version > known) {
        if oldest_that_works(&name).is_some_and(|oldest| oldest > known) {
            return Err(format!(
                "a newer version of Turnpike has changed it (step {version}) beyond what this one \
                 understands; start that version"
            ));
        }
    }
    Ok(())
}

/// The step that a version must know to work after the step of this name; none: any.
fn oldest_that_works(name: &str) -> Option<i64> {
    let rest = name.strip_prefix("contract_")?;
    // A number that cannot be read is no permission.
    Some(rest.split('_').next().and_then(|number| number.parse().ok()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn files(engine: &str) -> BTreeSet<String> {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn every_file_is_a_step_and_both_engines_take_the_same() {
        for (engine, folder) in [(Engine::Sqlite, "sqlite"), (Engine::Postgres, "postgres")] {
            let steps: Vec<_> = migrator(engine)
                .iter()
                .map(|step| format!("{:04}_{}.sql", step.version, step.description))
                .collect();
            let listed: BTreeSet<String> = steps.iter().cloned().collect();
            assert_eq!(listed, files(folder), "src/store/migrations.rs and migrations/{folder}");
            assert!(steps.is_sorted() && listed.len() == steps.len(), "{steps:?}");
        }
    }

    #[test]
    fn newer_steps_are_worked_on_until_one_takes_away_what_is_needed() {
        let known = migrator(Engine::Sqlite).iter().map(|step| step.version).max().unwrap();
        let check = |name: &str| check_newer([(known + 3, name.to_owned())], Engine::Sqlite);
        assert!(check("more_columns").is_ok());
        assert!(check(&format!("contract_{known:04}_old_columns")).is_ok());
        let refused = check(&format!("contract_{:04}_old_columns", known + 1)).unwrap_err();
        assert!(refused.contains("start that version"), "{refused}");
        assert!(check("contract_everything").is_err());
        // One's own steps are no reason to refuse.
        assert!(check_newer([(known, "contract_9999_x".to_owned())], Engine::Sqlite).is_ok());
    }
}
