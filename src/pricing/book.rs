//! An organization's rules, ready for questions.

use std::collections::HashMap;

use super::{ModelNames, Timeline, defaults::Defaults, pattern::Closeness, patterns::Patterns};
use crate::domain::{BilledRates, PriceId, PriceSource, PriceVersion, ProviderId, Timestamp};

/// Which provider calls a model, and what it is.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The provider.
    pub provider: ProviderId,
    /// Its vendor's slug.
    pub vendor: &'a str,
    /// Its catalog slug; often the same.
    pub catalog: &'a str,
}

/// The price that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The version, or the managed default, that says so.
    pub rule: PriceId,
    /// Its tier.
    pub source: PriceSource,
    /// What is billed.
    pub rates: BilledRates,
}

/// Whom a rule is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Scope<'a> {
    Instance(ProviderId),
    Line(&'a str),
    Anyone,
}

impl<'a> Scope<'a> {
    fn of(version: &'a PriceVersion) -> Self {
        match (version.provider_id, version.model_provider.as_deref()) {
            (Some(provider), _) => Self::Instance(provider),
            (None, Some(slug)) => Self::Line(slug),
            (None, None) => Self::Anyone,
        }
    }
}

/// The versions of one rule, oldest first.
type Rule<'a> = Vec<&'a PriceVersion>;

/// The version of a rule that prices at a moment.
fn live<'a>(rule: &Rule<'a>, at: Timestamp) -> Option<&'a PriceVersion> {
    let effective = rule.partition_point(|version| version.effective_from <= at);
    let newest = rule.get(effective.checked_sub(1)?)?;
    Some(*newest).filter(|version| !version.is_archived)
}

/// An organization's rules and the managed defaults behind them.
pub struct PriceBook<'a> {
    scopes: HashMap<Scope<'a>, Patterns<'a, Rule<'a>>>,
    defaults: &'a Defaults,
}

impl<'a> PriceBook<'a> {
    /// Sorts versions into rules. They may be all of an organization, or its rules' current and
    /// coming ones.
    #[must_use]
    pub fn new(versions: &'a [PriceVersion], defaults: &'a Defaults) -> Self {
        let mut rules: HashMap<_, Rule<'a>> = HashMap::new();
        for version in versions {
            let key = (Scope::of(version), &*version.model_pattern, &version.model_provider);
            rules.entry(key).or_default().push(version);
        }
        let mut by_scope: HashMap<Scope<'a>, Vec<(&'a str, Rule<'a>)>> = HashMap::new();
        for ((scope, pattern, _), mut rule) in rules {
            rule.sort_by_key(|version| version.effective_from);
            by_scope.entry(scope).or_default().push((pattern, rule));
        }
        let filed = |(scope, rules)| (scope, Patterns::new(rules));
        Self { scopes: by_scope.into_iter().map(filed).collect(), defaults }
    }

    /// The price of a model on a line at a moment; none where nothing prices it. The organization's rules
    /// may be for any of its names; the managed default is that of what it is.
    #[must_use]
    pub fn price(&self, line: &Line<'_>, names: &ModelNames<'_>, at: Timestamp) -> Option<Priced> {
        let known = [names.told, names.base];
        let default = known.into_iter().find_map(|name| self.defaults.price(line, name));
        let own = tiers(line).into_iter().find_map(|(source, scopes)| {
            let version = self.closest(&scopes, names, at)?;
            let rates = match default {
                Some(default) => default.billed(&version.rates),
                None => version.rates.billed(None),
            };
            Some(Priced { rule: version.id, source, rates })
        });
        own.or_else(|| {
            let default = default?;
            let (rule, source) = (default.id, PriceSource::BarndoorDefault);
            Some(Priced { rule, source, rates: default.billed(&default.rates) })
        })
    }

    /// Every price of a model on a line, from the first that is known of into the future.
    #[must_use]
    pub fn timeline(&self, line: &Line<'_>, names: &ModelNames<'_>) -> Timeline {
        let mut changes: Vec<Timestamp> = tiers(line)
            .iter()
            .flat_map(|(_, scopes)| scopes.iter().flatten())
            .filter_map(|scope| self.scopes.get(scope))
            .flat_map(|patterns| names.all().flat_map(move |name| patterns.covering(name)))
            .flat_map(|(_, rule)| rule.iter().map(|version| version.effective_from))
            .collect();
        changes.sort_unstable();
        changes.dedup();
        let first = (Timestamp(i64::MIN), self.price(line, names, Timestamp(i64::MIN)));
        let later = changes.into_iter().map(|at| (at, self.price(line, names, at)));
        Timeline::new(std::iter::once(first).chain(later))
    }

    /// Among the rules of a tier the one whose pattern is the closest to any of the names. Where several
    /// are as close, the order of the names decides, then the catalog line goes before the vendor's.
    fn closest(
        &self,
        scopes: &[Option<Scope<'_>>; 2],
        names: &ModelNames<'_>,
        at: Timestamp,
    ) -> Option<&'a PriceVersion> {
        let mut best: Option<(Closeness, &'a PriceVersion)> = None;
        let places =
            names.all().flat_map(|name| scopes.iter().flatten().map(move |scope| (name, scope)));
        for (name, scope) in places {
            let Some(patterns) = self.scopes.get(scope) else { continue };
            let living = |(closeness, rule)| Some((closeness, live(rule, at)?));
            for (closeness, version) in patterns.covering(name).filter_map(living) {
                let better = best.is_none_or(|(most, known)| {
                    // Two rules for one provider and pattern may differ in `model_provider` alone.
                    let newer = version.effective_from > known.effective_from;
                    let rivals = version.provider_id.is_some()
                        && version.model_pattern == known.model_pattern;
                    closeness > most || (closeness == most && rivals && newer)
                });
                if better {
                    best = Some((closeness, version));
                }
            }
        }
        best.map(|(_, version)| version)
    }
}

/// The organization's tiers in order, each with the scopes that are in it.
fn tiers<'a>(line: &Line<'a>) -> [(PriceSource, [Option<Scope<'a>>; 2]); 3] {
    let vendor = Some(line.vendor).filter(|vendor| *vendor != line.catalog);
    [
        (PriceSource::OrgInstance, [Some(Scope::Instance(line.provider)), None]),
        (PriceSource::OrgCatalog, [Some(Scope::Line(line.catalog)), vendor.map(Scope::Line)]),
        (PriceSource::OrgGeneric, [Some(Scope::Anyone), None]),
    ]
}
