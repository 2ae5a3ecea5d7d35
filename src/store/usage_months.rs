//! The months into which PostgreSQL divides usage records, so that those whose time is over go with
//! their table. SQLite has one table.

use std::ops::RangeInclusive;

use super::{
    Engine, Store, StoreError, Tx,
    record::{Found, Record},
    rollup::DAY,
    statement::{composed, sql},
};
use crate::domain::Timestamp;

/// Held while months are made or dropped, by one replica at a time. The number is ours alone: it is
/// "months" in ASCII.
const ALONE: &str = "SELECT pg_try_advisory_xact_lock(120325361920115)";
/// Whoever comes by while a table waits for its lock waits too: better to try again in an hour.
const SHORT_WAIT: &str = "SET LOCAL lock_timeout = '2s'";
const PATIENCE: &str = "SET LOCAL statement_timeout = 0";
const TABLES: &str =
    "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'usage_records'::regclass";
const STRAYS: &str = "SELECT min(ts) AS oldest, max(ts) AS newest FROM usage_records_default
    WHERE ts >= $1 AND ts < $2";
const LOCK_STRAYS: &str = "LOCK TABLE usage_records_default IN ACCESS EXCLUSIVE MODE";

/// A month by UTC: months since the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month(i64);

impl Month {
    /// The month in which a moment lies.
    pub(super) fn of(at: Timestamp) -> Self {
        let odd = if at.0 < 0 { jiff::civil::Date::MIN } else { jiff::civil::Date::MAX };
        let date = jiff::Timestamp::from_microsecond(at.0)
            .map_or(odd, |at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
        Self(i64::from(date.year()) * 12 + i64::from(date.month()) - 1)
    }

    /// Its first moment.
    pub(super) fn start(self) -> Timestamp {
        // Days from civil, with the year beginning in March: the leap day is its last.
        let (year, month) = (self.0.div_euclid(12), self.0.rem_euclid(12));
        let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let days = year * 365 + leap_days + (month * 153 + 2) / 5;
        // From 0000-03-01 to 1970-01-01.
        Timestamp((days - 719_468).saturating_mul(DAY))
    }

    fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The table that holds its records.
    fn table(self) -> String {
        format!("usage_records_{:04}_{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }

    /// The month that a table is for; none for the one that takes what no other does.
    fn of_table(name: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix("usage_records_")?.split_once('_')?;
        Some(Self(year.parse::<i64>().ok()? * 12 + month.parse::<i64>().ok()? - 1))
    }
}

impl Store {
    /// Makes tables for this month, for the next, and for every month from `since` of which there
    /// are records in none. To be called now and then; does nothing with SQLite.
    ///
    /// # Errors
    /// When the database is unavailable, or too busy to change its tables now.
    pub async fn make_usage_months(
        &self,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.writer.engine() == Engine::Sqlite {
            return Ok(());
        }
        let (this, next) = (Month::of(now), Month::of(now).next());
        let strays = sql(STRAYS).bind(Month::of(since).start().0).bind(next.next().start().0);
        let strays: Strays = self.writer.one(strays).await?;
        let made: Vec<String> = self.writer.all(sql(TABLES)).await?;
        let wanted = strays.0.into_iter().flat_map(months).chain([this, next]);
        let mut wanted: Vec<Month> =
            wanted.filter(|month| !made.contains(&month.table())).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for month in wanted {
            self.make_month(month).await?;
        }
        Ok(())
    }

    async fn make_month(&self, month: Month) -> Result<(), StoreError> {
        let Some(mut tx) = self.change_months().await? else { return Ok(()) };
        let made: Vec<String> = tx.all(sql(TABLES)).await?;
        let table = month.table();
        if made.contains(&table) {
            return Ok(());
        }
        let (from, to) = (month.start().0, month.next().start().0);
        tx.execute(sql(LOCK_STRAYS)).await?;
        let like = "(LIKE usage_records INCLUDING DEFAULTS)";
        tx.execute(composed(format!("CREATE TABLE {table} {like}"))).await?;
        let move_strays = format!(
            "WITH moved AS (DELETE FROM usage_records_default WHERE ts >= {from} AND ts < {to}
                RETURNING *)
             INSERT INTO {table} SELECT * FROM moved"
        );
        tx.execute(composed(move_strays)).await?;
        let attach = format!(
            "ALTER TABLE usage_records ATTACH PARTITION {table} FOR VALUES FROM ({from}) TO ({to})"
        );
        tx.execute(composed(attach)).await?;
        // What was moved in has no statistics yet, and plans that know nothing walk everything.
        tx.execute(composed(format!("ANALYZE {table}"))).await?;
        tx.commit().await
    }

    /// Drops the tables of the months before this one; answers how many there were.
    pub(super) async fn drop_months_before(&self, first: Month) -> Result<u64, StoreError> {
        let made: Vec<String> = self.writer.all(sql(TABLES)).await?;
        let mut dropped = 0;
        for table in made.iter().filter(|name| Month::of_table(name).is_some_and(|it| it < first)) {
            let Some(mut tx) = self.change_months().await? else { continue };
            // Another replica may have been first.
            tx.execute(composed(format!("DROP TABLE IF EXISTS {table}"))).await?;
            tx.commit().await?;
            dropped += 1;
        }
        Ok(dropped)
    }

    /// None while another replica is at it.
    async fn change_months(&self) -> Result<Option<Tx>, StoreError> {
        let mut tx = Tx::append(&self.writer).await?;
        if !tx.one::<bool>(sql(ALONE)).await? {
            return Ok(None);
        }
        tx.execute(sql(SHORT_WAIT)).await?;
        tx.execute(sql(PATIENCE)).await?;
        Ok(Some(tx))
    }
}

fn months(range: RangeInclusive<Month>) -> impl Iterator<Item = Month> {
    (range.start().0..=range.end().0).map(Month)
}

/// The months of the records that are in no month's table.
struct Strays(Option<RangeInclusive<Month>>);

impl Record for Strays {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let (oldest, newest) = (found.time_opt("oldest")?, found.time_opt("newest")?);
        Ok(Self(oldest.zip(newest).map(|(from, to)| Month::of(from)..=Month::of(to))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_begin_where_the_calendar_says() {
        for (moment, start, table) in [
            ("2026-11-21T03:00:00Z", "2026-11-01T00:00:00Z", "usage_records_2026_11"),
            ("2024-02-29T23:59:59.999999Z", "2024-02-01T00:00:00Z", "usage_records_2024_02"),
            ("2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z", "usage_records_2024_03"),
            ("1969-12-31T23:59:59Z", "1969-12-01T00:00:00Z", "usage_records_1969_12"),
            ("2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z", "usage_records_2000_01"),
        ] {
            let month = Month::of(at(moment));
            assert_eq!(month.start(), at(start));
            assert_eq!(month.table(), table);
            assert_eq!(Month::of_table(table), Some(month));
        }
        assert_eq!(Month::of_table("usage_records_default"), None);
    }

    #[test]
    fn every_month_of_centuries_ends_where_the_next_begins() {
        let mut month = Month::of(at("1890-05-01T00:00:00Z"));
        for _ in 0..4_000 {
            let last = Timestamp(month.next().start().0 - 1);
            assert_eq!(Month::of(last), month);
            assert_eq!(Month::of(month.start()), month);
            month = month.next();
        }
    }
}
