//! Summaries of usage: whole days from the sums of days, whole hours from those of hours, and what
//! is left at the edges from the records themselves, all as of one moment. So any period is exact,
//! and none that is longer than an hour reads more than two hours of records.

use super::{
    Store, StoreError, Tx,
    record::{Found, Record},
    rollup::{DAY, HOUR},
    statement::sql,
    summary_fold::{Cell, Dimension, Summary, SummaryRow, Sums},
    usage::{RecordFilter, UsageFilter},
    usage_facts::Facts,
};
use crate::domain::{OrgId, Timestamp};

/// The most rows of a summary: about 20 MB of JSON.
pub const MAX_SUMMARY_ROWS: usize = 50_000;
/// Records read at a time at the edges.
const PAGE: u32 = 2_000;

macro_rules! sums {
    ($in_group:literal) => {
        concat!(
            "SELECT CASE WHEN $13 THEN r.start END AS start,
                CASE WHEN $14 THEN s.user_id END AS user_id,
                CASE WHEN $15 THEN s.api_key_id END AS api_key_id,
                CASE WHEN $16 THEN s.group_names END AS group_names,
                CASE WHEN $17 THEN s.provider_id END AS provider_id,
                CASE WHEN $17 THEN s.provider_name END AS provider_name,
                CASE WHEN $18 THEN s.upstream_model END AS upstream_model,
                CASE WHEN $19 THEN s.alias END AS alias,
                CASE WHEN $20 THEN s.status END AS status,
                CASE WHEN $21 THEN s.smart_model END AS smart_model,
                CAST(sum(r.requests) AS BIGINT) AS requests,
                CAST(sum(CASE WHEN s.status >= 400 THEN r.requests ELSE 0 END) AS BIGINT) AS errors,
                CAST(sum(r.priced) AS BIGINT) AS priced,
                CAST(sum(r.cost) AS BIGINT) AS cost,
                CAST(sum(r.input_tokens) AS BIGINT) AS input_tokens,
                CAST(sum(r.output_tokens) AS BIGINT) AS output_tokens,
                CAST(sum(r.cache_read_tokens) AS BIGINT) AS cache_read_tokens,
                CAST(sum(r.cache_write_tokens) AS BIGINT) AS cache_write_tokens,
                CAST(sum(r.reasoning_tokens) AS BIGINT) AS reasoning_tokens,
                string_agg(r.latency, '') AS latency, string_agg(r.ttfb, '') AS ttfb
            FROM usage_rollups r JOIN usage_series s ON s.org_id = r.org_id AND s.id = r.series
            WHERE r.org_id = $1 AND r.width = $2 AND r.start >= $3 AND r.start < $4
                AND ($5 IS NULL OR s.user_id = $5)
                AND ($6 IS NULL OR s.api_key_id = $6)
                AND ($7 IS NULL OR s.provider_id = $7)
                AND ($8 IS NULL OR s.provider_name = $8)
                AND ($9 IS NULL OR s.upstream_model = $9)
                AND ($10 IS NULL OR s.alias = $10)
                AND ($11 IS NULL OR s.status = $11)
                AND ($12 IS NULL OR ",
            $in_group,
            ") AND ($22 IS NULL OR s.smart_model = $22)
            GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 LIMIT $23"
        )
    };
}

const SQLITE: &str = sums!("EXISTS (SELECT 1 FROM json_each(s.group_names) WHERE value = $12)");
const POSTGRES: &str = sums!("s.group_names::jsonb ? $12");

/// A part of the period, and where it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Sums of so many hours (1 or 24) that begin from then, before then.
    Sums(i64, i64, i64),
    /// Records from then, before then.
    Records(i64, i64),
}

/// Covers `from ≤ ts < to` with parts that do not overlap; `hourly` where days are too long.
fn parts(from: i64, to: i64, hourly: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let widths: &[(i64, i64)] = if hourly { &[(HOUR, 1)] } else { &[(DAY, 24), (HOUR, 1)] };
    cover(from, to, widths, &mut parts);
    parts
}

fn cover(from: i64, to: i64, widths: &[(i64, i64)], parts: &mut Vec<Part>) {
    if from >= to {
        return;
    }
    let Some(((width, hours), narrower)) = widths.split_first() else {
        parts.push(Part::Records(from, to));
        return;
    };
    // The first and the last moment between two days or hours; an open end is one of them.
    let first = if from == i64::MIN { from } else { ceiling(from, *width) };
    let last = if to == i64::MAX { to } else { to.div_euclid(*width).saturating_mul(*width) };
    if first >= last {
        return cover(from, to, narrower, parts);
    }
    cover(from, first, narrower, parts);
    parts.push(Part::Sums(*hours, first, last));
    cover(last, to, narrower, parts);
}

fn ceiling(at: i64, width: i64) -> i64 {
    let floor = at.div_euclid(width).saturating_mul(width);
    if floor == at { at } else { floor.saturating_add(width) }
}

impl Store {
    /// Sums of an organization's usage, grouped by `by`, in the order of these values.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a summary of more than [`MAX_SUMMARY_ROWS`]; or when the database
    /// is unavailable.
    pub async fn usage_summary(
        &self,
        org: OrgId,
        filter: &UsageFilter,
        by: &[Dimension],
    ) -> Result<Vec<SummaryRow>, StoreError> {
        let from = filter.from.map_or(i64::MIN, |at| at.0);
        let to = filter.to.map_or(i64::MAX, |at| at.0);
        let mut tx = Tx::read(&self.readers).await?;
        let mut summary = Summary::by(by);
        for part in parts(from, to, by.contains(&Dimension::Hour)) {
            match part {
                Part::Sums(hours, from, to) => {
                    tx.add_sums(org, filter, (hours, from, to), &mut summary, by).await?;
                }
                Part::Records(from, to) => {
                    let (from, to) = (Some(Timestamp(from)), Some(Timestamp(to)));
                    let filter = UsageFilter { from, to, ..filter.clone() }.into();
                    tx.add_records(org, &filter, &mut summary).await?;
                }
            }
        }
        Ok(summary.finish())
    }
}

impl Tx {
    async fn add_sums(
        &mut self,
        org: OrgId,
        filter: &UsageFilter,
        (hours, from, to): (i64, i64, i64),
        summary: &mut Summary<'_>,
        by: &[Dimension],
    ) -> Result<(), StoreError> {
        let has = |dimension| by.contains(&dimension);
        let limit = i64::try_from(MAX_SUMMARY_ROWS).unwrap_or(i64::MAX).saturating_add(1);
        let query = sql(self.engine().pick(SQLITE, POSTGRES))
            .bind(org.0)
            .bind(hours)
            .bind(from)
            .bind(to)
            .bind(filter.user.map(|id| id.0))
            .bind(filter.api_key.map(|id| id.0))
            .bind(filter.provider.map(|id| id.0));
        let query = filter
            .names(query)
            .bind(has(Dimension::Day) || has(Dimension::Hour))
            .bind(has(Dimension::User))
            .bind(has(Dimension::ApiKey))
            .bind(has(Dimension::Group))
            .bind(has(Dimension::Provider))
            .bind(has(Dimension::UpstreamModel))
            .bind(has(Dimension::Alias))
            .bind(has(Dimension::Status))
            .bind(has(Dimension::SmartModel))
            .bind(filter.smart_model.clone())
            .bind(limit);
        let cells: Vec<Cell> = self.all(query).await?;
        if cells.len() > MAX_SUMMARY_ROWS {
            return Err(too_long());
        }
        cells.iter().try_for_each(|cell| add(summary, cell))
    }

    async fn add_records(
        &mut self,
        org: OrgId,
        filter: &RecordFilter,
        summary: &mut Summary<'_>,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.usage(org, filter, after, PAGE).await?;
            for record in &page.records {
                let facts = Facts::parse(record.get().as_bytes())?.0;
                add(summary, &Cell::of(&facts))?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

fn add(summary: &mut Summary<'_>, cell: &Cell) -> Result<(), StoreError> {
    summary.add(cell);
    if summary.rows() > MAX_SUMMARY_ROWS { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> StoreError {
    StoreError::Invalid(format!(
        "the summary has more than {MAX_SUMMARY_ROWS} rows; shorten the period from `from` to `to`, \
         filter, or take something out of group_by"
    ))
}

impl Record for Cell {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let mut sums = Sums {
            requests: found.get("requests")?,
            errors: found.get("errors")?,
            priced: found.get("priced")?,
            cost: found.get("cost")?,
            input: found.get("input_tokens")?,
            output: found.get("output_tokens")?,
            cache_read: found.get("cache_read_tokens")?,
            cache_write: found.get("cache_write_tokens")?,
            reasoning: found.get("reasoning_tokens")?,
            ..Sums::default()
        };
        sums.latency.read(&found.get::<String>("latency")?);
        sums.ttfb.read(&found.get::<String>("ttfb")?);
        Ok(Self {
            start: found.get("start")?,
            user: found.get("user_id")?,
            api_key: found.get("api_key_id")?,
            groups: found.json_opt("group_names")?.unwrap_or_default(),
            provider: found.get("provider_id")?,
            provider_name: found.get("provider_name")?,
            upstream_model: found.get("upstream_model")?,
            alias: found.get("alias")?,
            smart_model: found.get("smart_model")?,
            status: found.get("status")?,
            sums,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ragged_period_is_covered_by_records_hours_and_days() {
        let found = parts(DAY - HOUR - 5, 3 * DAY + 2 * HOUR + 7, false);
        let expected = [
            Part::Records(DAY - HOUR - 5, DAY - HOUR),
            Part::Sums(1, DAY - HOUR, DAY),
            Part::Sums(24, DAY, 3 * DAY),
            Part::Sums(1, 3 * DAY, 3 * DAY + 2 * HOUR),
            Part::Records(3 * DAY + 2 * HOUR, 3 * DAY + 2 * HOUR + 7),
        ];
        assert_eq!(found, expected);
        assert_eq!(parts(i64::MIN, i64::MAX, false), [Part::Sums(24, i64::MIN, i64::MAX)]);
        assert_eq!(parts(5, 9, false), [Part::Records(5, 9)]);
        assert_eq!(parts(9, 5, false), []);
    }

    proptest! {
        #[test]
        fn parts_follow_each_other_from_end_to_end(
            from in prop::option::of(-5 * DAY..5 * DAY),
            length in 1..10 * DAY,
            open in any::<bool>(),
            hourly in any::<bool>(),
        ) {
            let from = from.unwrap_or(i64::MIN);
            let to = if open { i64::MAX } else { from.max(0) + length };
            let mut at = from;
            for part in parts(from, to, hourly) {
                let (start, end) = match part {
                    Part::Records(start, end) => {
                        prop_assert!(end - start < 2 * HOUR);
                        (start, end)
                    }
                    Part::Sums(hours, start, end) => {
                        let whole = |at: i64| [i64::MIN, i64::MAX].contains(&at)
                            || at.rem_euclid(hours * HOUR) == 0;
                        prop_assert!(whole(start) && whole(end) && !(hourly && hours == 24));
                        (start, end)
                    }
                };
                prop_assert_eq!(start, at);
                prop_assert!(end > start);
                at = end;
            }
            prop_assert_eq!(at, to);
        }
    }
}
