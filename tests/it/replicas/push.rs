//! The announcement of a change is lost: it is found by looking.

use std::time::Duration;

use super::fleet::{Fleet, listeners};
use crate::support::{PostgresServer, until};

/// Within which a change is found that nobody announced (contract 3 and the issue).
const BOUND: Duration = Duration::from_secs(5);

/// Takes the place of the function that announces, and does not.
const SILENCE: &str = "CREATE FUNCTION public.pg_notify(text, text) RETURNS void AS '' LANGUAGE sql;
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
    END $$";

#[tokio::test]
async fn a_revocation_that_was_never_announced_is_found() {
    let fleet = Fleet::on(PostgresServer::shared(), SILENCE).await;
    let mut took = Vec::new();
    for _ in 0..5 {
        let (id, key) = fleet.new_key().await;
        fleet.everywhere(&key, "fast", 200).await;
        fleet.revoke(&id).await;
        took.push(fleet.everywhere(&key, "fast", 401).await);
    }
    took.sort();
    assert!(took[4] < BOUND, "{took:?}");
    assert!(took[4] > Duration::from_millis(200), "it was announced after all: {took:?}");
}

#[tokio::test]
async fn a_replica_whose_connection_was_cut_hears_of_changes_again() {
    let server = PostgresServer::shared();
    let fleet = Fleet::new().await;
    let all_listen = async || (listeners(server, &fleet.database) == 3).then_some(());
    until("every replica listens", all_listen).await;
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = '{}' AND query LIKE 'LISTEN%'",
        fleet.database
    );
    for _ in 0..3 {
        let (id, key) = fleet.new_key().await;
        fleet.everywhere(&key, "fast", 200).await;
        server.psql("postgres", &cut);
        fleet.revoke(&id).await;
        assert!(fleet.everywhere(&key, "fast", 401).await < BOUND);
        until("every replica listens again", all_listen).await;
    }
    fleet.keeps_the_password();
}
