//! Among routes of equal priority the healthiest and cheapest first (contract 4.5).
//!
//! The score is the lower the better: price, uptime and latency, each scaled over the candidates to 0..1
//! and weighted 2 : 5 : 1, and a penalty below 95 % of uptime that no price makes up for. What is not
//! known counts as usual: all attempts answered, the others' mean latency; an unknown price as the
//! highest. The same measurements always give the same order.

use smallvec::SmallVec;

use super::Standing;

const PRICE: f64 = 0.2;
const UPTIME: f64 = 0.5;
const LATENCY: f64 = 0.1;
/// Uptime below which a route is no good however cheap it is.
const SOUND: f64 = 0.95;

/// A route among its equals.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Candidate {
    /// Its priority: only equals are compared.
    pub priority: i64,
    /// How it has done.
    pub standing: Standing,
    /// What a million tokens cost, the mean of input and output; none where that is not known.
    pub price: Option<f64>,
}

/// What spoke for the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Price, uptime and latency.
    WeightedScore,
    /// Price alone: nothing has been measured yet.
    PriceOnly,
}

impl Reason {
    /// Name in `metadata.routing`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WeightedScore => "weighted-score",
            Self::PriceOnly => "price-only",
        }
    }
}

/// One place of the order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Index of the candidate.
    pub index: usize,
    /// Its score among its equals; none where it has no equal.
    pub score: Option<f64>,
    /// What spoke for it.
    pub reason: Option<Reason>,
}

/// The order in which candidates, which are in ascending priority, are tried.
#[must_use]
pub fn order(candidates: &[Candidate]) -> SmallVec<[Choice; 4]> {
    let mut all: SmallVec<[Choice; 4]> = SmallVec::new();
    let mut start = 0;
    for equals in candidates.chunk_by(|one, next| one.priority == next.priority) {
        let mut group = scored(equals, start);
        // Stable: equal scores stay in the order of the rows.
        group.sort_by(|one, next| {
            one.score.unwrap_or_default().total_cmp(&next.score.unwrap_or_default())
        });
        all.extend(group);
        start += equals.len();
    }
    all
}

fn scored(equals: &[Candidate], start: usize) -> SmallVec<[Choice; 4]> {
    if equals.len() < 2 {
        return SmallVec::from_iter([Choice { index: start, score: None, reason: None }]);
    }
    let measured = equals.iter().any(|one| one.standing.uptime.is_some());
    let reason = if measured { Reason::WeightedScore } else { Reason::PriceOnly };
    let highest = equals.iter().filter_map(|one| one.price).fold(0.0, f64::max);
    let prices = scale(equals.iter().map(|one| one.price.unwrap_or(highest)));
    let known: SmallVec<[f64; 4]> =
        equals.iter().filter_map(|one| one.standing.latency_ms).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let mean = known.iter().sum::<f64>() / (known.len().max(1) as f64);
    let waits = scale(equals.iter().map(|one| one.standing.latency_ms.unwrap_or(mean)));
    let up = |one: &Candidate| one.standing.uptime.unwrap_or(1.0);
    let downs = scale(equals.iter().map(|one| 1.0 - up(one)));
    let factors = prices.iter().zip(&waits).zip(&downs);
    equals
        .iter()
        .zip(factors)
        .enumerate()
        .map(|(at, (one, ((price, wait), down)))| {
            let weighted = price * PRICE + wait * LATENCY + down * UPTIME;
            let score = if measured { weighted + penalty(up(one)) } else { *price };
            Choice { index: start + at, score: Some(score), reason: Some(reason) }
        })
        .collect()
}

/// To 0..1, the smallest 0.
fn scale(values: impl Iterator<Item = f64> + Clone) -> SmallVec<[f64; 4]> {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let span = most - least;
    values.map(|value| if span > 0.0 { (value - least) / span } else { 0.0 }).collect()
}

/// 0 for a sound route, 0.07 at 90 %, 5.6 at half, 25 for one that never answers.
fn penalty(uptime: f64) -> f64 {
    ((SOUND - uptime).max(0.0) / SOUND * 5.0).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(priority: i64, uptime: Option<f64>, latency: Option<f64>, price: f64) -> Candidate {
        let standing = Standing { uptime, latency_ms: latency };
        Candidate { priority, standing, price: Some(price) }
    }

    fn indices(candidates: &[Candidate]) -> Vec<usize> {
        order(candidates).iter().map(|choice| choice.index).collect()
    }

    #[test]
    fn unequal_priorities_are_an_order_that_nothing_changes() {
        let routes = [route(0, Some(0.1), Some(9e9), 99.0), route(1, Some(1.0), Some(1.0), 1.0)];
        assert_eq!(indices(&routes), [0, 1]);
        assert_eq!(order(&routes)[0].reason, None);
    }

    #[test]
    fn with_equal_health_the_cheaper_is_chosen() {
        let unmeasured = [route(0, None, None, 9.0), route(0, None, None, 3.0)];
        assert_eq!(indices(&unmeasured), [1, 0]);
        assert_eq!(order(&unmeasured)[0].reason, Some(Reason::PriceOnly));
        let measured = [route(0, Some(1.0), Some(5.0), 9.0), route(0, Some(1.0), Some(5.0), 3.0)];
        assert_eq!(indices(&measured), [1, 0]);
    }

    #[test]
    fn a_provider_that_is_down_is_not_chosen_however_cheap() {
        let routes = [route(0, Some(0.2), Some(1.0), 0.01), route(0, Some(1.0), Some(900.0), 99.0)];
        assert_eq!(indices(&routes), [1, 0]);
    }

    #[test]
    fn at_the_same_price_and_health_the_faster_is_chosen() {
        let routes = [route(0, Some(1.0), Some(800.0), 1.0), route(0, Some(1.0), Some(90.0), 1.0)];
        assert_eq!(indices(&routes), [1, 0]);
    }

    #[test]
    fn one_that_nobody_measured_yet_gets_its_chance() {
        let routes = [route(0, Some(1.0), Some(500.0), 2.0), route(0, None, None, 1.0)];
        assert_eq!(indices(&routes), [1, 0]);
    }

    #[test]
    fn equals_in_everything_stay_as_they_are() {
        assert_eq!(indices(&[route(0, None, None, 1.0); 3]), [0, 1, 2]);
        let unknown = Candidate { price: None, ..route(0, None, None, 0.0) };
        assert_eq!(indices(&[unknown, route(0, None, None, 1.0)]), [0, 1]);
    }
}
