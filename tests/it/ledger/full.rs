//! `ledger.on_full = "block"`: who asks while usage cannot be stored, and the spool is full.

use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, SqliteConnection,
    sqlite::SqliteConnectOptions,
};

use crate::support::{Gate, Gateway, Reply, Scene, until, within};

/// The database, held by another process for as long as this lives.
enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

async fn database_held(gateway: &Gateway) -> Held {
    if let Some(url) = gateway.database_url() {
        let mut database = PgConnection::connect(url).await.unwrap();
        database.execute("BEGIN; LOCK TABLE usage_records IN EXCLUSIVE MODE").await.unwrap();
        return Held::Postgres(database);
    }
    let file = SqliteConnectOptions::new().filename(gateway.data_dir().join("turnpike.db"));
    let mut database = file.connect().await.unwrap();
    within("the database", async { while database.execute("BEGIN IMMEDIATE").await.is_err() {} })
        .await;
    Held::Sqlite(database)
}

impl Held {
    async fn let_go(self) {
        match self {
            Self::Sqlite(database) => database.close().await.unwrap(),
            Self::Postgres(database) => database.close().await.unwrap(),
        }
    }
}

#[tokio::test]
async fn refusals_leave_the_last_room_to_requests_that_were_admitted() {
    let builder = Gateway::configured().set("ledger.on_full", "block");
    let Scene { gateway, openai, acme, key, .. } =
        Scene::with(builder.set("ledger.max_spool_mb", 4)).await;
    let database = database_held(&gateway).await;
    let gate = Gate::closed();
    openai.will(Reply::answers().gated(&gate));
    let mut admitted = key.chat("fast").header("x-request-id", "admitted").sent().await;
    openai.wait_for_calls(1).await;

    // Records of about two kilobytes fill the spool up to the room that is kept.
    let talker = key.with("user-agent", &"u".repeat(256));
    let ask = talker.chat(&"\u{1f98a}".repeat(256));
    let mut wire = talker.connect().await;
    while ask.on(&mut wire).await.status != 503 {}
    assert_eq!(gateway.readiness().await.json()["checks"]["ledger"], "failing");
    // That is 1 MiB; each of these would take more than half a kilobyte of it.
    let mut wire = talker.connect().await;
    for _ in 0..2_500 {
        talker.get("/v1/nowhere").on(&mut wire).await.has_status(404);
    }
    gate.open();
    admitted.answer().await.has_status(200);

    database.let_go().await;
    acme.record_of("admitted").await;
    let asked_again = async || (ask.clone().await.status == 404).then_some(());
    until("there is room again", asked_again).await;
}
