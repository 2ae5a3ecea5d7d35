//! Summing a batch of records up in memory: what is to be added to which hour and which day.

use std::{borrow::Cow, collections::BTreeMap};

use aws_lc_rs::digest::{Context, SHA256};
use hashbrown::HashMap;
use uuid::Uuid;

use super::{histogram, usage_facts::Facts};
use crate::domain::Timestamp;

/// Microseconds.
pub(super) const HOUR: i64 = 3_600_000_000;
/// Microseconds.
pub(super) const DAY: i64 = 24 * HOUR;

/// The most that one record adds to a sum of tokens or of money. No request comes near it; it keeps
/// figures that a vendor made up from running a sum over.
const MOST: u64 = 1 << 40;

/// The start of the hour or day in which a moment lies (UTC).
pub(super) const fn start_of(width: i64, at: Timestamp) -> i64 {
    at.0.div_euclid(width).saturating_mul(width)
}

/// What records are summed by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Series<'a> {
    pub(super) org: Uuid,
    pub(super) user: Option<Uuid>,
    pub(super) api_key: Option<Uuid>,
    /// JSON list.
    pub(super) groups: Cow<'a, str>,
    pub(super) provider: Option<Uuid>,
    pub(super) provider_name: Option<&'a str>,
    pub(super) upstream_model: Option<&'a str>,
    pub(super) alias: Option<&'a str>,
    pub(super) smart_model: Option<&'a str>,
    pub(super) status: u16,
}

impl<'a> Series<'a> {
    /// None for a record that belongs to no organization: nobody would see its sums.
    fn of(facts: &'a Facts<'a>) -> Option<Self> {
        Some(Self {
            org: facts.org_id?.0,
            user: facts.user_id.map(|id| id.0),
            api_key: facts.api_key_id.map(|id| id.0),
            groups: facts.groups(),
            provider: facts.provider_id.map(|id| id.0),
            provider_name: facts.provider_name(),
            upstream_model: facts.upstream_model(),
            alias: facts.alias(),
            smart_model: facts.smart_model(),
            status: facts.status,
        })
    }

    /// Names the series in its organization: a digest, so that every replica finds the same one
    /// without asking.
    pub(super) fn id(&self) -> Uuid {
        let mut digest = Context::new(&SHA256);
        for id in [self.user, self.api_key, self.provider] {
            digest.update(&[u8::from(id.is_some())]);
            digest.update(id.unwrap_or_default().as_bytes());
        }
        let texts: [Option<&str>; 4] =
            [Some(&*self.groups), self.provider_name, self.upstream_model, self.alias];
        for text in texts {
            // The length, so that no two lists of texts look alike; none is one that no text has.
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            digest.update(&length.to_le_bytes());
            digest.update(text.unwrap_or_default().as_bytes());
        }
        digest.update(&self.status.to_le_bytes());
        // Only where there is one: other series keep the names that versions before it gave them.
        if let Some(name) = self.smart_model {
            digest.update(name.as_bytes());
        }
        let bytes = digest.finish();
        Uuid::from_slice(bytes.as_ref().get(..16).unwrap_or_default()).unwrap_or_default()
    }
}

/// What is added to an hour or a day of a series.
#[derive(Clone, Debug, Default)]
pub(super) struct Added {
    pub(super) requests: i64,
    pub(super) priced: i64,
    pub(super) cost: i64,
    pub(super) input: i64,
    pub(super) output: i64,
    pub(super) cache_read: i64,
    pub(super) cache_write: i64,
    pub(super) reasoning: i64,
    latency: Vec<u16>,
    ttfb: Vec<u16>,
}

impl Added {
    fn record(&mut self, facts: &Facts<'_>) {
        self.requests += 1;
        if let Some(cost) = facts.cost_total {
            self.priced += 1;
            self.cost += capped(cost.0.unsigned_abs());
        }
        self.input += capped(facts.input_tokens);
        self.output += capped(facts.output_tokens);
        self.cache_read += capped(facts.cache_read_tokens);
        self.cache_write += capped(facts.cache_write_tokens);
        self.reasoning += capped(facts.reasoning_tokens);
        self.latency.push(histogram::bucket(facts.latency_ms));
        self.ttfb.extend(facts.ttfb_ms.map(histogram::bucket));
    }

    fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.priced += other.priced;
        self.cost += other.cost;
        self.input += other.input;
        self.output += other.output;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
        self.reasoning += other.reasoning;
        self.latency.extend(&other.latency);
        self.ttfb.extend(&other.ttfb);
    }

    /// The histogram of whole times.
    pub(super) fn latency(&self) -> String {
        histogram::text_of(&mut self.latency.clone())
    }

    /// The histogram of times to the first byte.
    pub(super) fn ttfb(&self) -> String {
        histogram::text_of(&mut self.ttfb.clone())
    }
}

/// A figure as it goes into a sum.
pub(super) fn capped(figure: u64) -> i64 {
    i64::try_from(figure.min(MOST)).unwrap_or(0)
}

/// A row of sums in the making.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) org: Uuid,
    /// Hours: 1 or 24.
    pub(super) width: i64,
    pub(super) start: i64,
    pub(super) series: Uuid,
    pub(super) added: Added,
}

/// A batch, summed up.
#[derive(Debug, Default)]
pub(super) struct Rollup<'a> {
    /// Every series of it, with the newest day, in the order of their keys: writers that lock rows
    /// in one order cannot lock each other out.
    pub(super) series: Vec<(Uuid, Series<'a>, i64)>,
    /// Every hour and day of it, in the order of their keys.
    pub(super) entries: Vec<Entry>,
}

impl<'a> Rollup<'a> {
    /// Of these records.
    pub(super) fn of(records: impl Iterator<Item = &'a Facts<'a>>) -> Self {
        let mut series: HashMap<Series<'a>, Sums> = HashMap::new();
        for facts in records {
            let Some(key) = Series::of(facts) else { continue };
            let hours = series.entry(key).or_default();
            hours.entry(start_of(HOUR, facts.ts)).or_default().record(facts);
        }
        let mut rollup = Self::default();
        for (key, hours) in series {
            rollup.add(key, hours);
        }
        rollup.series.sort_unstable_by_key(|(id, series, _)| (series.org, *id));
        rollup.entries.sort_unstable_by_key(|row| (row.org, row.width, row.start, row.series));
        rollup
    }

    fn add(&mut self, key: Series<'a>, hours: Sums) {
        let (org, series) = (key.org, key.id());
        let mut days = Sums::new();
        for (hour, added) in &hours {
            days.entry(start_of(DAY, Timestamp(*hour))).or_default().merge(added);
        }
        let newest = days.last_key_value().map_or(0, |(day, _)| *day);
        let entry = |width| move |(start, added)| Entry { org, width, start, series, added };
        self.entries.extend(hours.into_iter().map(entry(1)));
        self.entries.extend(days.into_iter().map(entry(24)));
        self.series.push((series, key, newest));
    }
}

/// The sums that begin then, oldest first.
type Sums = BTreeMap<i64, Added>;
