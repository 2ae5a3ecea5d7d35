//! Starting on PostgreSQL: together, and where it cannot be.

use std::{
    process::Output,
    time::{Duration, Instant},
};

use super::fleet::{Fleet, PASSWORD, replica};
use crate::support::{Gateway, PostgresServer, mock};

#[tokio::test]
async fn three_that_start_together_on_an_empty_database_are_one_gateway() {
    let server = PostgresServer::shared();
    let fleet = Fleet::new().await;
    for replica in &fleet.replicas {
        let ready = replica.readiness().await.has_status(200).json();
        assert_eq!(ready["status"], "ready");
    }
    let steps = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres"));
    let taken = server.psql(&fleet.database, "SELECT count(*) FROM _sqlx_migrations WHERE success");
    assert_eq!(taken, steps.unwrap().count().to_string());
    // Each has its own folder, and the records that all of them served are one organization's.
    for caller in fleet.callers(&fleet.key.secret) {
        caller.chat("fast").header("x-request-id", "from-all").await.has_status(200);
    }
    crate::support::until("all three are recorded", async || {
        (fleet.acme_at(2).records_of("from-all").await.len() == 3).then_some(())
    })
    .await;
    fleet.keeps_the_password();
}

/// What `serve` says when it cannot start.
fn refusal(url: &str) -> String {
    refusal_with(1, url)
}

/// What it says as it ends with this code.
fn refusal_with(code: i32, url: &str) -> String {
    let began = Instant::now();
    let output: Output = replica(url).command().arg("serve").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty());
    assert!(!said.contains(PASSWORD), "{said}");
    assert!(said.contains("storage.url"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(15));
    said
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_and_its_password_is_not() {
    let (nobody, _taken) = mock::nobody();
    let address = nobody.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let said = refusal(&format!("postgres://turnpike:{PASSWORD}@{address}/turnpike"));
    assert!(said.contains(&address) && said.contains("is PostgreSQL running there"), "{said}");
}

#[tokio::test]
async fn a_database_that_lets_nobody_in_or_is_missing_is_told_with_the_remedy() {
    let hba = "local all all trust\nhost all guarded 127.0.0.1/32 scram-sha-256\n\
               host all all 127.0.0.1/32 trust\n";
    let server = PostgresServer::start_with(&[("hba.conf", hba)], &["hba_file=hba.conf"]);
    server.psql("postgres", "CREATE USER guarded PASSWORD 'another'");
    let address = server.address();
    let said = refusal(&format!("postgres://guarded:{PASSWORD}@{address}/postgres"));
    assert!(said.contains("check the user and the password"), "{said}");
    let said = refusal(&format!("postgres://turnpike:{PASSWORD}@{address}/missing"));
    assert!(said.contains("CREATE DATABASE \"missing\" OWNER \"turnpike\""), "{said}");
    server.psql("postgres", "CREATE DATABASE theirs");
    server.psql("theirs", "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let said = refusal(&format!("postgres://guarded:another@{address}/theirs"));
    assert!(said.contains("GRANT CREATE, USAGE ON SCHEMA public"), "{said}");
    // That nobody has to be asked for.
    let url = format!("postgres://turnpike:{PASSWORD}@{address}/x?sslpasword=1");
    let said = refusal_with(78, &url);
    assert!(said.contains("sslpasword"), "{said}");
}

#[tokio::test]
async fn a_replica_with_another_master_key_does_not_start() {
    let fleet = Fleet::new().await;
    let url = PostgresServer::shared().url(&fleet.database);
    let other = Gateway::configured()
        .on_postgres(&url)
        .set("secrets.master_key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
    let output = other.command().arg("serve").output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("master key") || said.contains("master_key"), "{said}");
}
