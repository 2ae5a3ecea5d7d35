//! Both engines end with the same tables.

use std::collections::BTreeMap;

use sqlx::{ConnectOptions as _, Row as _, sqlite::SqliteConnectOptions};

use super::fleet::replica;
use crate::support::{Gateway, PostgresServer};

/// Table and column → kind and whether it may be null.
type Schema = BTreeMap<(String, String), (String, bool)>;

/// What a column of either engine is called here.
fn kind(declared: &str) -> String {
    let kind = match declared.to_lowercase().as_str() {
        "blob" | "uuid" | "bytea" => "bytes",
        "integer" | "bigint" => "integer",
        other => return other.to_owned(),
    };
    kind.to_owned()
}

fn postgres(server: &PostgresServer, database: &str) -> Schema {
    let columns = "SELECT table_name, column_name, data_type, is_nullable
        FROM information_schema.columns WHERE table_schema = 'public'";
    let rows = server.psql(database, columns);
    rows.lines()
        .filter(|row| !row.starts_with("_sqlx"))
        .map(|row| {
            let [table, column, declared, nullable] =
                row.split('|').collect::<Vec<_>>().try_into().unwrap();
            ((table.to_owned(), column.to_owned()), (kind(declared), nullable == "YES"))
        })
        .collect()
}

async fn sqlite(file: &std::path::Path) -> Schema {
    let mut database = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let columns = "SELECT t.name AS tab, c.name AS col, c.type AS kind, c.\"notnull\" AS full
        FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '_sqlx%'";
    let rows = sqlx::query(columns).fetch_all(&mut database).await.unwrap();
    rows.iter()
        .map(|row| {
            let nullable = row.get::<i64, _>("full") == 0;
            ((row.get("tab"), row.get("col")), (kind(row.get("kind")), nullable))
        })
        .collect()
}

#[tokio::test]
async fn both_engines_end_with_the_same_tables_columns_and_nulls() {
    let server = PostgresServer::shared();
    let url = server.database();
    let shared = replica(&url).start().await;
    let alone = Gateway::configured().on_sqlite().start().await;
    let (one, other) = (
        postgres(server, url.rsplit('/').next().unwrap()),
        sqlite(&alone.data_dir().join("turnpike.db")).await,
    );
    assert!(one.len() > 50, "{one:?}");
    // Usage records are kept in their own way: with columns to find them by, and by month.
    let is_usage = |(table, _): &(String, String)| table.starts_with("usage_records");
    for (column, kind) in other.iter().filter(|(column, _)| is_usage(column)) {
        assert_eq!(one.get(column), Some(kind), "{column:?} in PostgreSQL");
    }
    let plain = |schema: Schema| -> Schema {
        schema.into_iter().filter(|(column, _)| !is_usage(column)).collect()
    };
    assert_eq!(plain(one), plain(other));
    drop(shared);
}
