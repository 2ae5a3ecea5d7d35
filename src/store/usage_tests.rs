//! Sums of usage against the records they were made of, on both engines.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    rollup::{DAY, HOUR},
    statement::sql,
    testing::{on_both, postgres_store, temp_store},
    *,
};
use crate::{
    domain::{
        KeyId, LedgerId, Mark, Money, OrgId, Position, ProviderId, RecordId, Timestamp, UserId,
    },
    ledger::UsageSink as _,
};

on_both! {
    a_summary_is_what_its_records_sum_up_to,
    a_batch_that_is_offered_again_adds_nothing,
    a_mark_is_moved_with_its_batch_and_never_back,
    writers_at_once_lose_nothing,
    a_long_histogram_is_shortened_and_says_the_same,
    records_of_an_earlier_version_are_summed_up_later,
    sums_go_with_their_records,
    sums_of_days_stay_for_longer_than_their_records,
    a_summary_shows_one_organization_only,
    a_summary_that_is_too_long_is_refused,
    odd_records_are_neither_lost_nor_in_the_way,
}

/// Pseudo-random numbers that are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        // Constants: Knuth's MMIX generator.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()].clone()
    }
}

/// A week of November.
const START: i64 = 1_794_096_000_000_000;

struct World {
    org: OrgId,
    users: Vec<Value>,
    keys: Vec<Value>,
    providers: Vec<(Value, Value)>,
}

impl World {
    fn new(org: OrgId) -> Self {
        let ids = |n: usize| {
            let ids = (0..n).map(|_| Uuid::new_v4().to_string().into());
            ids.chain([Value::Null]).collect::<Vec<Value>>()
        };
        let mut providers: Vec<(Value, Value)> =
            ids(2).into_iter().zip(["east".into(), "west".into(), Value::Null]).collect();
        // Renamed.
        providers.push((providers[0].0.clone(), "east-2".into()));
        Self { org, users: ids(2), keys: ids(3), providers }
    }

    fn record(&self, dice: &mut Dice) -> Value {
        let at = START + i64::try_from(dice.roll(3 * 24 * 3_600_000)).unwrap() * 1_000;
        let groups = [json!([]), json!(["research"]), json!(["sales", "a \"quoted\" one"])];
        let provider = dice.one_of(&self.providers);
        let cost = dice.one_of(&[Some(dice.0 % 1_000_000_007), None, Some(0)]);
        let cost: Option<Money> = cost.map(|nano| Money(i64::try_from(nano).unwrap()));
        json!({
            "id": RecordId::random(), "ts": Timestamp(at), "org_id": self.org,
            "api_key_id": dice.one_of(&self.keys), "user_id": dice.one_of(&self.users),
            "group_names": dice.one_of(&groups), "provider_id": provider.0,
            "provider_name": provider.1,
            "upstream_model": dice.one_of(&[Some("gpt-4o"), Some("=cmd"), None]),
            "alias": dice.one_of(&[Some("fast"), Some("schön"), None]),
            "smart_model": dice.one_of(&[Some("auto"), Some("schlau \"2\""), None]),
            "status": dice.one_of(&[200, 200, 404, 502]),
            "requested_model": "x", "stream": false, "input_tokens": dice.roll(9_000),
            "output_tokens": dice.roll(900), "cache_read_tokens": dice.roll(90),
            "cache_write_tokens": dice.roll(9), "reasoning_tokens": dice.roll(90),
            "cost_total": cost, "latency_ms": dice.roll(60_000),
            "ttfb_ms": dice.one_of(&[None, Some(dice.0 % 3_000)]), "attempts": [],
            "retry_count": 0, "retry_sleep_ms": 0, "request_id": "r",
        })
    }
}

fn bytes(records: &[Value]) -> Vec<Bytes> {
    records.iter().map(|record| Bytes::from(record.to_string())).collect()
}

async fn org(store: &Store, name: &str) -> OrgId {
    store.ensure_org(name).await.unwrap().id
}

/// What a record shows under a dimension: several, for groups.
fn values(record: &Value, dimension: Dimension) -> Vec<String> {
    let at = record["ts"].as_str().unwrap();
    let field = match dimension {
        Dimension::Day => return vec![at[..10].to_owned()],
        Dimension::Hour => return vec![at[..13].to_owned()],
        Dimension::Provider => {
            return vec![format!("{} {}", record["provider_name"], record["provider_id"])];
        }
        Dimension::Group => {
            let groups = record["group_names"].as_array().unwrap();
            let names: Vec<String> = groups.iter().map(Value::to_string).collect();
            return if names.is_empty() { vec!["null".to_owned()] } else { names };
        }
        Dimension::User => "user_id",
        Dimension::ApiKey => "api_key_id",
        Dimension::UpstreamModel => "upstream_model",
        Dimension::Alias => "alias",
        Dimension::SmartModel => "smart_model",
        Dimension::Status => "status",
    };
    vec![record[field].to_string()]
}

fn shown(label: &Label, dimension: Dimension) -> String {
    match label {
        Label::None if dimension == Dimension::Provider => "null null".to_owned(),
        Label::None => "null".to_owned(),
        Label::Time(at) => {
            let length = if dimension == Dimension::Day { 10 } else { 13 };
            at.to_string()[..length].to_owned()
        }
        Label::Id(id) => json!(id).to_string(),
        Label::Provider(name, id) => format!("{} {}", json!(name), json!(id)),
        Label::Text(text) => json!(text).to_string(),
        Label::Number(number) => number.to_string(),
    }
}

fn passes(record: &Value, filter: &UsageFilter) -> bool {
    let at: Timestamp = record["ts"].as_str().unwrap().parse().unwrap();
    let is = |field: &str, wanted: Option<Value>| wanted.is_none_or(|it| record[field] == it);
    filter.from.is_none_or(|from| at >= from)
        && filter.to.is_none_or(|to| at < to)
        && is("user_id", filter.user.map(|id| json!(id)))
        && is("api_key_id", filter.api_key.map(|id| json!(id)))
        && is("provider_id", filter.provider.map(|id| json!(id)))
        && is("provider_name", filter.provider_name.as_ref().map(|name| json!(name)))
        && is("upstream_model", filter.model.as_ref().map(|name| json!(name)))
        && is("alias", filter.alias.as_ref().map(|name| json!(name)))
        && is("smart_model", filter.smart_model.as_ref().map(|name| json!(name)))
        && is("status", filter.status.map(|status| json!(status)))
        && filter
            .group
            .as_ref()
            .is_none_or(|group| record["group_names"].as_array().unwrap().contains(&json!(group)))
}

/// Every record of a row of the summary, by the row's labels.
fn rows<'a>(
    records: &'a [Value],
    filter: &UsageFilter,
    by: &[Dimension],
) -> BTreeMap<Vec<String>, Vec<&'a Value>> {
    let mut rows: BTreeMap<Vec<String>, Vec<&Value>> = BTreeMap::new();
    for record in records.iter().filter(|record| passes(record, filter)) {
        let mut labels = vec![vec![]];
        for dimension in by {
            let values = values(record, *dimension);
            let longer = labels.iter().flat_map(|label: &Vec<String>| {
                values.iter().map(move |value| [&label[..], std::slice::from_ref(value)].concat())
            });
            labels = longer.collect();
        }
        for label in labels {
            rows.entry(label).or_default().push(record);
        }
    }
    rows
}

fn sum(records: &[&Value], field: &str) -> u64 {
    records.iter().map(|record| record[field].as_u64().unwrap()).sum()
}

/// The sums are exact; percentiles are near those of the values.
fn check(found: &SummaryRow, records: &[&Value]) {
    assert_eq!(found.requests, records.len() as u64);
    let errors = records.iter().filter(|it| it["status"].as_u64().unwrap() >= 400).count();
    assert_eq!(found.errors, errors as u64);
    assert_eq!(found.input_tokens, sum(records, "input_tokens"));
    assert_eq!(found.output_tokens, sum(records, "output_tokens"));
    assert_eq!(found.cache_read_tokens, sum(records, "cache_read_tokens"));
    assert_eq!(found.cache_write_tokens, sum(records, "cache_write_tokens"));
    assert_eq!(found.reasoning_tokens, sum(records, "reasoning_tokens"));
    let costs: Vec<Money> = records
        .iter()
        .filter_map(|it| serde_json::from_str(&it["cost_total"].to_string()).unwrap())
        .collect();
    assert_eq!(found.unpriced_requests, (records.len() - costs.len()) as u64);
    let cost = costs.into_iter().reduce(Money::plus);
    assert_eq!(found.cost_total, cost);
    for (field, found) in [("latency_ms", found.latency_ms), ("ttfb_ms", found.ttfb_ms)] {
        let mut values: Vec<u64> = records.iter().filter_map(|it| it[field].as_u64()).collect();
        values.sort_unstable();
        let pairs = [(50, found.p50), (90, found.p90), (95, found.p95), (99, found.p99)];
        for (percent, found) in pairs {
            let rank = (values.len() * percent).div_ceil(100).max(1);
            let Some(exact) = values.get(rank - 1) else {
                assert_eq!(found, None);
                continue;
            };
            let found = found.unwrap();
            assert!(found.abs_diff(*exact) * 32 <= *exact, "{field} {percent}: {found}, {exact}");
        }
    }
}

async fn compare(
    store: &Store,
    org: OrgId,
    records: &[Value],
    filter: &UsageFilter,
    by: &[Dimension],
) {
    let found = store.usage_summary(org, filter, by).await.unwrap();
    let expected = rows(records, filter, by);
    let labels = |row: &SummaryRow| -> Vec<String> {
        row.labels.iter().zip(by).map(|(label, dimension)| shown(label, *dimension)).collect()
    };
    let mut seen: Vec<Vec<String>> = found.iter().map(labels).collect();
    seen.sort();
    assert_eq!(seen, expected.keys().cloned().collect::<Vec<_>>(), "{filter:?} {by:?}");
    for row in &found {
        check(row, &expected[&labels(row)]);
    }
}

const EVERY: [Dimension; 10] = [
    Dimension::Day,
    Dimension::Hour,
    Dimension::User,
    Dimension::Group,
    Dimension::ApiKey,
    Dimension::Provider,
    Dimension::UpstreamModel,
    Dimension::Alias,
    Dimension::SmartModel,
    Dimension::Status,
];

async fn a_summary_is_what_its_records_sum_up_to(store: Store) {
    let org = org(&store, "acme").await;
    let mut dice = Dice(7);
    let world = World::new(org);
    let records: Vec<Value> = (0..700).map(|_| world.record(&mut dice)).collect();
    for batch in bytes(&records).chunks(97) {
        store.store_usage(batch).await.unwrap();
    }
    let none = UsageFilter::default();
    for dimension in EVERY {
        compare(&store, org, &records, &none, &[dimension]).await;
    }
    compare(&store, org, &records, &none, &[]).await;
    compare(&store, org, &records, &none, &EVERY).await;
    for _ in 0..60 {
        let filter = some_filter(&world, &mut dice);
        let by: Vec<Dimension> = EVERY.into_iter().filter(|_| dice.roll(3) == 0).collect();
        compare(&store, org, &records, &filter, &by).await;
    }
}

/// Any mixture of filters; the period may begin and end at any millisecond, or on an hour or a day.
fn some_filter(world: &World, dice: &mut Dice) -> UsageFilter {
    let width = dice.one_of(&[1_000, 1_000, HOUR, DAY]);
    let bound = |dice: &mut Dice| {
        let at = START + i64::try_from(dice.roll(3 * 24 * 3_600_000)).unwrap() * 1_000;
        Timestamp(at.div_euclid(width) * width)
    };
    let (a, b) = (bound(dice), bound(dice));
    let mut filter = UsageFilter {
        from: (dice.roll(4) > 0).then_some(a.min(b)),
        to: (dice.roll(4) > 0).then_some(a.max(b)),
        ..UsageFilter::default()
    };
    let id = |value: Value| serde_json::from_value::<Option<Uuid>>(value).unwrap();
    match dice.roll(14) {
        0 => filter.user = id(dice.one_of(&world.users)).map(UserId),
        1 => filter.api_key = id(dice.one_of(&world.keys)).map(KeyId),
        2 => filter.provider = id(dice.one_of(&world.providers).0).map(ProviderId),
        3 => filter.provider_name = Some("east".to_owned()),
        4 => filter.model = Some("=cmd".to_owned()),
        5 => filter.alias = Some("schön".to_owned()),
        6 => filter.status = Some(502),
        7 => filter.group = Some("a \"quoted\" one".to_owned()),
        9 => filter.smart_model = Some("schlau \"2\"".to_owned()),
        10 => (filter.smart_model, filter.status) = (Some("auto".to_owned()), Some(200)),
        8 => (filter.status, filter.alias) = (Some(404), Some("fast".to_owned())),
        _ => {}
    }
    filter
}

async fn a_batch_that_is_offered_again_adds_nothing(store: Store) {
    let org = org(&store, "acme").await;
    let world = World::new(org);
    let mut dice = Dice(11);
    let records: Vec<Value> = (0..150).map(|_| world.record(&mut dice)).collect();
    let batch = bytes(&records);
    store.store_usage(&batch[..90]).await.unwrap();
    store.store_usage(&batch[..90]).await.unwrap();
    // Some of it is new, and it holds one twice.
    let mut mixed = batch[40..].to_vec();
    mixed.push(batch[149].clone());
    store.store_usage(&mixed).await.unwrap();
    store.store_usage(&mixed).await.unwrap();
    let all = UsageFilter::default();
    compare(&store, org, &records, &all, &[Dimension::Day, Dimension::Alias]).await;
    compare(&store, org, &records, &all, &[Dimension::Hour]).await;
}

async fn a_mark_is_moved_with_its_batch_and_never_back(store: Store) {
    let org = org(&store, "acme").await;
    let world = World::new(org);
    let mut dice = Dice(12);
    let batch = bytes(&(0..4).map(|_| world.record(&mut dice)).collect::<Vec<_>>());
    let ledger = LedgerId(Uuid::new_v4());
    let mark = |position| Mark { ledger, position: Position(position) };
    store.store_usage_up_to(&batch[..2], mark(7)).await.unwrap();
    store.store_usage_up_to(&batch[2..], mark(9)).await.unwrap();
    store.store_usage_up_to(&batch[..2], mark(7)).await.unwrap();
    let spoilt = [batch[0].clone(), Bytes::from_static(b"{}")];
    store.store_usage_up_to(&spoilt, mark(11)).await.unwrap_err();
    let read = async || {
        let mut tx = store.read().await.unwrap();
        let spent = tx.spent_in_days(org, Timestamp(0), Timestamp(i64::MAX)).await.unwrap();
        (spent, tx.marks(Timestamp(0)).await.unwrap())
    };
    let (spent, marks) = read().await;
    assert_eq!(marks, [mark(9)]);
    assert_eq!(spent.iter().map(|spent| spent.requests).sum::<u64>(), 4);
    store.store_usage_up_to(&[], mark(12)).await.unwrap();
    assert_eq!(read().await.1, [mark(12)]);
}

async fn writers_at_once_lose_nothing(store: Store) {
    let org = org(&store, "acme").await;
    let world = World::new(org);
    let mut dice = Dice(13);
    let records: Vec<Value> = (0..400).map(|_| world.record(&mut dice)).collect();
    let batch = bytes(&records);
    let writers = batch.chunks(20).map(<[Bytes]>::to_vec).map(|batch| {
        let store = store.clone();
        tokio::spawn(async move { store.store_usage(&batch).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    compare(&store, org, &records, &UsageFilter::default(), &EVERY).await;
}

async fn a_long_histogram_is_shortened_and_says_the_same(store: Store) {
    let org = org(&store, "acme").await;
    let world = World::new(org);
    let mut dice = Dice(17);
    let first = world.record(&mut dice);
    let records: Vec<Value> = (0..1_200)
        .map(|_| {
            let mut record = first.clone();
            record["id"] = json!(RecordId::random());
            record["latency_ms"] = json!(dice.roll(9));
            record
        })
        .collect();
    for batch in bytes(&records).chunks(12) {
        store.store_usage(batch).await.unwrap();
    }
    let longest = "SELECT CAST(max(length(latency)) AS BIGINT) FROM usage_rollups";
    let longest: i64 = store.readers.one(sql(longest)).await.unwrap();
    assert!(longest <= 1_000, "{longest}");
    compare(&store, org, &records, &UsageFilter::default(), &[Dimension::Hour]).await;
}

async fn records_of_an_earlier_version_are_summed_up_later(store: Store) {
    let org = org(&store, "acme").await;
    let world = World::new(org);
    let mut dice = Dice(19);
    let records: Vec<Value> = (0..620).map(|_| world.record(&mut dice)).collect();
    store.store_usage(&bytes(&records[600..])).await.unwrap();
    for record in &records[..600] {
        let insert = "INSERT INTO usage_records (org_id, ts, id, record) VALUES ($1, $2, $3, $4)
            ON CONFLICT (org_id, ts, id) DO NOTHING";
        let ts: Timestamp = record["ts"].as_str().unwrap().parse().unwrap();
        let id: Uuid = record["id"].as_str().unwrap().parse().unwrap();
        let insert = sql(insert).bind(org.0).bind(ts.0).bind(id).bind(record.to_string());
        store.writer.execute(insert).await.unwrap();
    }
    let (a, b) = tokio::join!(store.roll_up_backlog(), store.roll_up_backlog());
    assert_eq!(a.unwrap() + b.unwrap(), 600);
    assert_eq!(store.roll_up_backlog().await.unwrap(), 0);
    let all = UsageFilter::default();
    compare(&store, org, &records, &all, &[Dimension::Day, Dimension::Status]).await;
    // And they are found by what they are filtered by.
    let filter = UsageFilter { alias: Some("fast".to_owned()), ..all };
    let page = store.usage(org, &filter.clone().into(), None, 700).await.unwrap();
    let expected = records.iter().filter(|record| passes(record, &filter)).count();
    assert_eq!(page.records.len(), expected);
}

async fn sums_of_days_stay_for_longer_than_their_records(store: Store) {
    let org = org(&store, "acme").await;
    let (old, older) = (START - 120 * DAY, START - 200 * DAY);
    let record = |ts: i64, tokens: u64| {
        json!({"id": RecordId::random(), "ts": Timestamp(ts), "org_id": org, "alias": tokens.to_string(),
            "status": 200, "input_tokens": tokens})
    };
    let records = [record(older, 1), record(old + HOUR, 20), record(START, 300)];
    store.store_usage(&bytes(&records)).await.unwrap();
    let spent = async || {
        let mut tx = store.read().await.unwrap();
        let spent = tx.spent_in_days(org, Timestamp(0), Timestamp(START + DAY)).await.unwrap();
        spent.into_iter().map(|spent| spent.tokens).sum::<u64>()
    };
    assert_eq!(spent().await, 321);
    store.expire_usage(Timestamp(START), Timestamp(old)).await.unwrap();
    let left = store.usage(org, &UsageFilter::default().into(), None, 500).await.unwrap();
    assert_eq!(left.records.len(), 1);
    assert_eq!(spent().await, 320, "of the days that are kept, whom they are about, too");
    // No day is kept for less time than its records.
    store.expire_usage(Timestamp(START), Timestamp(START + 9 * DAY)).await.unwrap();
    assert_eq!(spent().await, 300);
}

async fn sums_go_with_their_records(store: Store) {
    let org = org(&store, "acme").await;
    let world = World::new(org);
    let mut dice = Dice(23);
    let mut records: Vec<Value> = (0..200).map(|_| world.record(&mut dice)).collect();
    let old = Timestamp(START - 60 * DAY);
    for record in &mut records[..120] {
        record["ts"] = json!(old);
    }
    store.store_usage(&bytes(&records)).await.unwrap();
    store.make_usage_months(old, Timestamp(START)).await.unwrap();
    let all = UsageFilter::default();
    compare(&store, org, &records, &all, &[Dimension::Day]).await;

    let expired = store.expire_usage(Timestamp(START), Timestamp(START)).await.unwrap();
    match store.writer.engine() {
        Engine::Sqlite => assert_eq!(expired, Expired { records: 120, months: 0 }),
        // The one in between, too.
        Engine::Postgres => assert_eq!(expired, Expired { records: 0, months: 2 }),
    }
    compare(&store, org, &records[120..], &all, &EVERY).await;
    let left = store.usage(org, &all.clone().into(), None, 500).await.unwrap();
    assert_eq!(left.records.len(), 80);
    let none = "SELECT count(*) FROM usage_series s WHERE NOT EXISTS
        (SELECT 1 FROM usage_rollups r WHERE r.org_id = s.org_id AND r.series = s.id)";
    assert_eq!(store.readers.one::<i64>(sql(none)).await.unwrap(), 0);
    assert_eq!(
        store.expire_usage(Timestamp(START), Timestamp(START)).await.unwrap(),
        Expired::default()
    );
    // A series that was forgotten comes back.
    store.store_usage(&bytes(&records[..120])).await.unwrap();
    compare(&store, org, &records, &all, &[Dimension::Status]).await;
}

async fn a_summary_shows_one_organization_only(store: Store) {
    let (acme, evil) = (org(&store, "acme").await, org(&store, "evil").await);
    let (mut dice, world) = (Dice(29), World::new(acme));
    let records: Vec<Value> = (0..50).map(|_| world.record(&mut dice)).collect();
    // The same keys, users and names, by another organization's records.
    let mut others = records.clone();
    for record in &mut others {
        (record["id"], record["org_id"]) = (json!(RecordId::random()), json!(evil));
    }
    store.store_usage(&bytes(&records)).await.unwrap();
    store.store_usage(&bytes(&others[..20])).await.unwrap();
    let all = UsageFilter::default();
    compare(&store, acme, &records, &all, &EVERY).await;
    compare(&store, evil, &others[..20], &all, &EVERY).await;
    let third = org(&store, "third").await;
    assert_eq!(store.usage_summary(third, &all, &[]).await.unwrap(), []);
}

async fn a_summary_that_is_too_long_is_refused(store: Store) {
    let org = org(&store, "acme").await;
    let (mut dice, world) = (Dice(31), World::new(org));
    let mut record = world.record(&mut dice);
    let groups: Vec<String> = (0..=MAX_SUMMARY_ROWS).map(|n| n.to_string()).collect();
    record["group_names"] = json!(groups);
    store.store_usage(&bytes(&[record])).await.unwrap();
    let all = UsageFilter::default();
    let refused = store.usage_summary(org, &all, &[Dimension::Group]).await.unwrap_err();
    assert!(refused.to_string().contains("group_by"), "{refused}");
    assert_eq!(store.usage_summary(org, &all, &[Dimension::Alias]).await.unwrap().len(), 1);
}

async fn odd_records_are_neither_lost_nor_in_the_way(store: Store) {
    let org = org(&store, "acme").await;
    let (mut dice, world) = (Dice(37), World::new(org));
    let mut record = world.record(&mut dice);
    record["alias"] = json!("a\0b");
    record["group_names"] = json!(["c\0d"]);
    record["requested_model"] = json!("\0");
    record["input_tokens"] = json!(u64::MAX);
    record["latency_ms"] = json!(u64::MAX);
    store.store_usage(&bytes(&[record.clone()])).await.unwrap();
    record["id"] = json!(RecordId::random());
    store.store_usage(&bytes(&[record])).await.unwrap();
    let filter = UsageFilter {
        status: None,
        group: Some("c\u{fffd}d".to_owned()),
        ..UsageFilter::default()
    };
    let found = store.usage_summary(org, &filter, &[Dimension::Alias]).await.unwrap();
    assert_eq!(found[0].labels, [Label::Text("a\u{fffd}b".to_owned())]);
    assert_eq!((found[0].requests, found[0].input_tokens), (2, 2 << 40));
    let none = UsageFilter { alias: Some("other".to_owned()), ..UsageFilter::default() };
    assert!(store.usage(org, &none.clone().into(), None, 10).await.unwrap().records.is_empty());
}

#[tokio::test]
async fn months_are_made_ahead_and_take_in_what_came_before_them() {
    let store = postgres_store().await;
    let org = org(&store, "acme").await;
    let (mut dice, world) = (Dice(41), World::new(org));
    let mut records: Vec<Value> = (0..30).map(|_| world.record(&mut dice)).collect();
    // Of the future, and of long ago: no month is made for these.
    records[0]["ts"] = json!(Timestamp(START + 400 * DAY));
    records[1]["ts"] = json!(Timestamp(-5));
    store.store_usage(&bytes(&records)).await.unwrap();
    let since = Timestamp(START - 40 * DAY);
    let (a, b) = tokio::join!(
        store.make_usage_months(since, Timestamp(START)),
        store.make_usage_months(since, Timestamp(START))
    );
    a.unwrap();
    b.unwrap();
    store.make_usage_months(since, Timestamp(START)).await.unwrap();
    let count = async |table: &str| -> i64 {
        let count = statement::composed(format!("SELECT count(*) FROM {table}"));
        store.readers.one(count).await.unwrap()
    };
    assert_eq!(count("usage_records_default").await, 2);
    assert_eq!(count("usage_records_2026_11").await, 28);
    assert_eq!(count("usage_records_2026_12").await, 0);
    // Nothing is taken twice, wherever it lies.
    store.store_usage(&bytes(&records)).await.unwrap();
    assert_eq!(count("usage_records").await, 30);
    let page = store.usage(org, &RecordFilter::default(), None, 50).await.unwrap();
    assert_eq!(page.records.len(), 30);
    compare(&store, org, &records, &UsageFilter::default(), &[Dimension::Day]).await;
}
