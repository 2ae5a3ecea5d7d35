//! Putting sums together by what a summary is grouped by.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    histogram::Histogram,
    rollup::{DAY, HOUR, capped, start_of},
    usage_facts::Facts,
};
use crate::domain::{Money, Timestamp};

/// What a summary can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Day of arrival, UTC.
    Day,
    /// Hour of arrival, UTC.
    Hour,
    /// The key's user.
    User,
    /// Each of the caller's groups: a request of a caller in two counts in both.
    Group,
    /// The key.
    ApiKey,
    /// The provider, by id and by the name that it had then.
    Provider,
    /// The model id sent upstream.
    UpstreamModel,
    /// What the client's `model` resolved to.
    Alias,
    /// The smart model that chose the alias.
    SmartModel,
    /// Status sent to the client.
    Status,
}

/// A value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The record had none.
    None,
    /// Start of a day or an hour.
    Time(Timestamp),
    /// Of a user or a key.
    Id(Uuid),
    /// Name and id.
    Provider(Option<String>, Option<Uuid>),
    /// A name.
    Text(String),
    /// A status.
    Number(i64),
}

impl Label {
    fn text(text: Option<String>) -> Self {
        text.map_or(Self::None, Self::Text)
    }

    fn id(id: Option<Uuid>) -> Self {
        id.map_or(Self::None, Self::Id)
    }
}

/// One row of a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// One value for each dimension, in the order asked for.
    pub labels: Vec<Label>,
    /// Requests, denied and failed ones too.
    pub requests: u64,
    /// Requests answered with 400 or above.
    pub errors: u64,
    /// See [`crate::domain::TokenUsage::input`].
    pub input_tokens: u64,
    /// See [`crate::domain::TokenUsage::output`].
    pub output_tokens: u64,
    /// See [`crate::domain::TokenUsage::cache_read`].
    pub cache_read_tokens: u64,
    /// See [`crate::domain::TokenUsage::cache_write`].
    pub cache_write_tokens: u64,
    /// See [`crate::domain::TokenUsage::reasoning`].
    pub reasoning_tokens: u64,
    /// Sum of the costs that are known; none where none is.
    pub cost_total: Option<Money>,
    /// Requests whose cost is not known.
    pub unpriced_requests: u64,
    /// Whole time in milliseconds that so many of a hundred requests did not exceed.
    pub latency_ms: Percentiles,
    /// The same of the time to the first byte; of requests that got one.
    pub ttfb_ms: Percentiles,
}

/// Percentiles, each within 1/32 of the exact one; none without values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// The median.
    pub p50: Option<u64>,
    /// 90 of 100.
    pub p90: Option<u64>,
    /// 95 of 100.
    pub p95: Option<u64>,
    /// 99 of 100.
    pub p99: Option<u64>,
}

impl Percentiles {
    fn of(histogram: &Histogram) -> Self {
        let [p50, p90, p95, p99] = [50, 90, 95, 99].map(|percent| histogram.percentile(percent));
        Self { p50, p90, p95, p99 }
    }
}

/// Sums of one combination of values, from the database or of one record.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    /// None where the summary is not grouped by time.
    pub(super) start: Option<i64>,
    pub(super) user: Option<Uuid>,
    pub(super) api_key: Option<Uuid>,
    pub(super) groups: Vec<String>,
    pub(super) provider: Option<Uuid>,
    pub(super) provider_name: Option<String>,
    pub(super) upstream_model: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) smart_model: Option<String>,
    pub(super) status: Option<i64>,
    pub(super) sums: Sums,
}

/// What is summed.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) requests: i64,
    pub(super) errors: i64,
    pub(super) priced: i64,
    pub(super) cost: i64,
    pub(super) input: i64,
    pub(super) output: i64,
    pub(super) cache_read: i64,
    pub(super) cache_write: i64,
    pub(super) reasoning: i64,
    pub(super) latency: Histogram,
    pub(super) ttfb: Histogram,
}

impl Cell {
    /// Of one record.
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let mut sums = Sums {
            requests: 1,
            errors: i64::from(facts.status >= 400),
            priced: i64::from(facts.cost_total.is_some()),
            cost: capped(facts.cost_total.unwrap_or_default().0.unsigned_abs()),
            input: capped(facts.input_tokens),
            output: capped(facts.output_tokens),
            cache_read: capped(facts.cache_read_tokens),
            cache_write: capped(facts.cache_write_tokens),
            reasoning: capped(facts.reasoning_tokens),
            ..Sums::default()
        };
        sums.latency.count(facts.latency_ms);
        if let Some(millis) = facts.ttfb_ms {
            sums.ttfb.count(millis);
        }
        Self {
            start: Some(facts.ts.0),
            user: facts.user_id.map(|id| id.0),
            api_key: facts.api_key_id.map(|id| id.0),
            groups: serde_json::from_str(&facts.groups()).unwrap_or_default(),
            provider: facts.provider_id.map(|id| id.0),
            provider_name: facts.provider_name().map(str::to_owned),
            upstream_model: facts.upstream_model().map(str::to_owned),
            alias: facts.alias().map(str::to_owned),
            smart_model: facts.smart_model().map(str::to_owned),
            status: Some(i64::from(facts.status)),
            sums,
        }
    }

    fn label(&self, dimension: Dimension, group: Option<&String>) -> Label {
        let time = |width| {
            let start = self.start.map(|at| Timestamp(start_of(width, Timestamp(at))));
            start.map_or(Label::None, Label::Time)
        };
        match dimension {
            Dimension::Day => time(DAY),
            Dimension::Hour => time(HOUR),
            Dimension::User => Label::id(self.user),
            Dimension::Group => Label::text(group.cloned()),
            Dimension::ApiKey => Label::id(self.api_key),
            Dimension::Provider if self.provider.is_none() && self.provider_name.is_none() => {
                Label::None
            }
            Dimension::Provider => Label::Provider(self.provider_name.clone(), self.provider),
            Dimension::UpstreamModel => Label::text(self.upstream_model.clone()),
            Dimension::Alias => Label::text(self.alias.clone()),
            Dimension::SmartModel => Label::text(self.smart_model.clone()),
            Dimension::Status => self.status.map_or(Label::None, Label::Number),
        }
    }
}

/// A summary in the making.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    by: &'a [Dimension],
    rows: BTreeMap<Vec<Label>, Sums>,
}

impl<'a> Summary<'a> {
    /// Grouped by these.
    pub(super) fn by(by: &'a [Dimension]) -> Self {
        Self { by, rows: BTreeMap::new() }
    }

    /// How many rows it has.
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Adds to the row of the cell's values; to one for each group, if it is grouped by those.
    pub(super) fn add(&mut self, cell: &Cell) {
        if !self.by.contains(&Dimension::Group) || cell.groups.is_empty() {
            return self.add_in(cell, None);
        }
        let mut groups: Vec<&String> = cell.groups.iter().collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            self.add_in(cell, Some(group));
        }
    }

    fn add_in(&mut self, cell: &Cell, group: Option<&String>) {
        let labels = self.by.iter().map(|dimension| cell.label(*dimension, group)).collect();
        self.rows.entry(labels).or_default().merge(&cell.sums);
    }

    /// Its rows, in the order of their values.
    pub(super) fn finish(self) -> Vec<SummaryRow> {
        self.rows.into_iter().map(|(labels, sums)| sums.row(labels)).collect()
    }
}

impl Sums {
    fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.requests, other.requests),
            (&mut self.errors, other.errors),
            (&mut self.priced, other.priced),
            (&mut self.cost, other.cost),
            (&mut self.input, other.input),
            (&mut self.output, other.output),
            (&mut self.cache_read, other.cache_read),
            (&mut self.cache_write, other.cache_write),
            (&mut self.reasoning, other.reasoning),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
        self.latency.merge(&other.latency);
        self.ttfb.merge(&other.ttfb);
    }

    fn row(self, labels: Vec<Label>) -> SummaryRow {
        let count = |sum: i64| u64::try_from(sum).unwrap_or(0);
        SummaryRow {
            labels,
            requests: count(self.requests),
            errors: count(self.errors),
            input_tokens: count(self.input),
            output_tokens: count(self.output),
            cache_read_tokens: count(self.cache_read),
            cache_write_tokens: count(self.cache_write),
            reasoning_tokens: count(self.reasoning),
            cost_total: (self.priced > 0).then_some(Money(self.cost)),
            unpriced_requests: count(self.requests - self.priced),
            latency_ms: Percentiles::of(&self.latency),
            ttfb_ms: Percentiles::of(&self.ttfb),
        }
    }
}
