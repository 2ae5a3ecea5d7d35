//! Money, in integers end to end.
//!
//! * A [`Price`] is per million tokens, in units of 10^-12 of the currency: twelve digits after the
//!   decimal point are exact, more are refused. So a price per *token* is whole units of 10^-18.
//! * A [`Money`] amount is in units of 10^-9 of the currency (nano-dollars).
//! * A [`Cost`] is computed exactly and rounded once per part, half to even: a request's input and
//!   output are each off by half a nano-dollar at most, and a sum of many does not drift.
//!
//! Both are written to JSON digit by digit, never by way of a floating-point number, and read back
//! as the same number; a client that reads doubles gets the double that it sent.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use super::{TokenUsage, decimal};

/// What all prices and costs are in, ISO 4217.
pub const CURRENCY: &str = "USD";

/// Digits of a price after the decimal point.
const PRICE_PLACES: u32 = 12;
/// Highest price, per million tokens. More is a slip of the finger: vendors charge up to about 600.
const MAX_PRICE: u64 = 1_000_000;
/// Digits of an amount after the decimal point.
pub(super) const MONEY_PLACES: u32 = 9;
/// Units of price times tokens (10^-18) in a unit of money (10^-9).
const PER_NANO: u64 = 1_000_000_000;

/// A price per million tokens, in units of 10^-12 of the currency. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = f64, minimum = 0, maximum = 1_000_000)]
pub struct Price(i64);

impl Price {
    /// From units of 10^-12, as the store keeps it.
    #[must_use]
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// Units of 10^-12, as the store keeps it.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// What so many tokens cost at most: never less than what is billed for them.
    #[must_use]
    pub fn at_most(self, tokens: u64) -> Money {
        let nanos = self.times(tokens).div_ceil(u128::from(PER_NANO));
        Money(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// How many tokens so much money pays for; [`u64::MAX`] where they are free.
    #[must_use]
    pub fn paid_by(self, money: Money) -> u64 {
        let units = u128::from(u64::try_from(money.0).unwrap_or(0)) * u128::from(PER_NANO);
        match u128::from(self.0.unsigned_abs()) {
            0 => u64::MAX,
            price => u64::try_from(units / price).unwrap_or(u64::MAX),
        }
    }

    /// In units of the currency, for comparisons only.
    #[expect(clippy::cast_precision_loss, reason = "for comparisons")]
    fn approximate(self) -> f64 {
        self.0 as f64 / 1e12
    }

    /// What so many tokens cost, in units of 10^-18.
    fn times(self, tokens: u64) -> u128 {
        u128::from(self.0.unsigned_abs()) * u128::from(tokens)
    }
}

impl std::str::FromStr for Price {
    type Err = decimal::DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decimal::parse(text, PRICE_PLACES, MAX_PRICE).map(Self)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal::serialize(self.0, PRICE_PLACES, serializer)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decimal::deserialize(deserializer, PRICE_PLACES, MAX_PRICE).map(Self)
    }
}

/// An amount in units of 10^-9 of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = f64, minimum = 0)]
pub struct Money(pub i64);

impl Money {
    /// The nearest amount to so many units of 10^-18, half to even; the largest where it is more.
    fn nearest(units: u128) -> Self {
        // Nearly every request: a division of 128 bits costs ten times as much.
        let (whole, rest) = if let Ok(units) = u64::try_from(units) {
            (u128::from(units / PER_NANO), units % PER_NANO)
        } else {
            let per_nano = u128::from(PER_NANO);
            (units / per_nano, u64::try_from(units % per_nano).unwrap_or(0))
        };
        let half = PER_NANO / 2;
        let up = rest > half || (rest == half && whole % 2 == 1);
        Self(i64::try_from(whole + u128::from(up)).unwrap_or(i64::MAX))
    }

    /// Reads a JSON number's text.
    ///
    /// # Errors
    /// When it is no amount. Nothing is rounded.
    pub fn parse(text: &str) -> Result<Self, decimal::DecimalError> {
        decimal::parse(text, MONEY_PLACES, u64::MAX).map(Self)
    }

    /// The sum; the largest amount where it is more.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(decimal::format(self.0, MONEY_PLACES).as_str())
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal::serialize(self.0, MONEY_PLACES, serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decimal::deserialize(deserializer, MONEY_PLACES, u64::MAX).map(Self)
    }
}

/// What a price version says, per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Input tokens that no cache had a part in.
    pub input: Price,
    /// Output tokens, reasoning included.
    pub output: Price,
    /// Input read from a cache; none where the version leaves it open.
    pub cache_read: Option<Price>,
    /// Input written to a cache; none where the version leaves it open.
    pub cache_write: Option<Price>,
}

impl Rates {
    /// Every rate filled in: an open cache rate is that of `default`, else the input's.
    #[must_use]
    pub fn billed(&self, default: Option<&Self>) -> BilledRates {
        let cache_read = self.cache_read.or(default.and_then(|rates| rates.cache_read));
        let cache_write = self.cache_write.or(default.and_then(|rates| rates.cache_write));
        BilledRates {
            input: self.input,
            output: self.output,
            cache_read: cache_read.unwrap_or(self.input),
            cache_write: cache_write.unwrap_or(self.input),
            cache_write_hour: cache_write.unwrap_or(self.input),
        }
    }
}

/// What requests are billed at, per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BilledRates {
    /// See [`Rates::input`].
    pub input: Price,
    /// See [`Rates::output`].
    pub output: Price,
    /// See [`Rates::cache_read`].
    pub cache_read: Price,
    /// See [`Rates::cache_write`].
    pub cache_write: Price,
    /// The same, of what is kept for an hour: the same rate where nobody says otherwise.
    pub cache_write_hour: Price,
}

impl BilledRates {
    /// What a million tokens cost in the mean of input and output, for comparisons only.
    #[must_use]
    pub fn mean(&self) -> f64 {
        f64::midpoint(self.input.approximate(), self.output.approximate())
    }

    /// What these tokens cost. Each is counted once: [`TokenUsage`] keeps cached ones apart.
    #[must_use]
    pub fn cost(&self, tokens: &TokenUsage) -> Cost {
        let hour = tokens.cache_write_hour.min(tokens.cache_write);
        // Four products of at most 10^18 · 2^64 fit in 128 bits.
        let input = self.input.times(tokens.input)
            + self.cache_read.times(tokens.cache_read)
            + self.cache_write.times(tokens.cache_write - hour)
            + self.cache_write_hour.times(hour);
        Cost {
            input: Money::nearest(input),
            output: Money::nearest(self.output.times(tokens.output)),
        }
    }
}

/// What a request cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Its input, cached and cache-written tokens included.
    pub input: Money,
    /// Its output, reasoning included.
    pub output: Money,
}

impl Cost {
    /// Both parts.
    #[must_use]
    pub const fn total(&self) -> Money {
        self.input.plus(self.output)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn rates(input: &str, output: &str) -> Rates {
        Rates { input: price(input), output: price(output), cache_read: None, cache_write: None }
    }

    #[test]
    fn every_kind_of_token_is_billed_at_its_rate_and_once() {
        // Worked out by hand, dollars per million: 3 in, 15 out, 0.3 read, 3.75 written.
        let rates = Rates {
            cache_read: Some(price("0.3")),
            cache_write: Some(price("3.75")),
            ..rates("3", "15")
        };
        let tokens = TokenUsage {
            input: 1_000,
            output: 200,
            cache_read: 10_000,
            cache_write: 400,
            reasoning: 150,
            ..TokenUsage::default()
        };
        let cost = rates.billed(None).cost(&tokens);
        // 0.003 + 0.003 + 0.0015; reasoning is a part of the output.
        assert_eq!(cost.input, Money(7_500_000));
        assert_eq!(cost.output, Money(3_000_000));
        assert_eq!(serde_json::to_string(&cost.total()).unwrap(), "0.0105");
    }

    #[test]
    fn what_is_kept_for_an_hour_has_a_rate_of_its_own() {
        let own = Rates { cache_write: Some(price("3.75")), ..rates("3", "15") };
        let tokens =
            TokenUsage { cache_write: 300, cache_write_hour: 100, ..TokenUsage::default() };
        assert_eq!(own.billed(None).cost(&tokens).input, Money(1_125_000), "one rate for both");
        let hour = BilledRates { cache_write_hour: price("6"), ..own.billed(None) };
        assert_eq!(hour.cost(&tokens).input, Money(1_350_000), "0.00075 and 0.0006");
    }

    #[test]
    fn an_open_cache_rate_is_the_defaults_or_else_the_inputs() {
        let own = Rates { cache_write: Some(price("9")), ..rates("2", "8") };
        let default = Rates {
            cache_read: Some(price("0.5")),
            cache_write: Some(price("7")),
            ..rates("1", "1")
        };
        let billed = own.billed(Some(&default));
        assert_eq!((billed.cache_read, billed.cache_write), (price("0.5"), price("9")));
        let billed = own.billed(Some(&rates("1", "1")));
        assert_eq!((billed.cache_read, billed.cache_write), (price("2"), price("9")));
        assert_eq!(own.billed(None).cache_read, price("2"));
    }

    #[test]
    fn halves_of_a_nano_dollar_go_to_the_even_one() {
        for (per_million, tokens, nanos) in [
            ("0.0005", 1, 0),
            ("0.0015", 1, 2),
            ("0.0025", 1, 2),
            ("0.00050000001", 1, 1),
            ("0.0375", 1, 38),
            ("0.0365", 1, 36),
            ("1000000", 1_000_000_000_000, 1_000_000_000_000_000_000 * 9 + 223_372_036_854_775_807),
        ] {
            let tokens = TokenUsage { output: tokens, ..TokenUsage::default() };
            assert_eq!(rates("0", per_million).billed(None).cost(&tokens).output, Money(nanos));
        }
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        let refusal = |text: &str| serde_json::from_str::<Price>(text).unwrap_err().to_string();
        assert!(refusal("-1").starts_with("must not be negative"));
        assert!(refusal("0.1234567890123").starts_with("has more than 12 digits after"));
        assert!(refusal("1000000.1").starts_with("must be at most 1000000"));
        assert!(refusal("\"2\"").starts_with("must be a number"));
    }

    proptest! {
        /// Twelve digits after the point, and as many before it as a double has room for.
        #[test]
        fn a_double_that_is_a_price_comes_back_as_the_same_double(
            units in 0..=1_000_000_000_000_000_i64, places in 0_i32..=12,
        ) {
            #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
            let sent = units as f64 / 10_f64.powi(places);
            prop_assume!(sent <= 1_000_000.0);
            let text = serde_json::to_string(&sent).unwrap();
            let price: Price = serde_json::from_str(&text).unwrap();
            let answered: f64 = serde_json::from_str(&serde_json::to_string(&price).unwrap()).unwrap();
            prop_assert_eq!(sent.to_bits(), answered.to_bits());
        }

        #[test]
        fn a_cost_neither_overflows_nor_shrinks_with_more_tokens(
            price in 0..=1_000_000_000_000_000_000_i64,
            tokens in 0..=1_000_000_000_000_u64,
        ) {
            let price = Price::from_units(price);
            let rates = Rates { input: price, output: price, cache_read: None, cache_write: None }.billed(None);
            let usage = |count| TokenUsage {
                input: count, output: count, cache_read: count, cache_write: count, cache_write_hour: count / 2,
                reasoning: 0,
            };
            let (less, more) = (rates.cost(&usage(tokens / 2)), rates.cost(&usage(tokens)));
            prop_assert!(Money(0) <= less.total() && less.total() <= more.total());
        }

        /// Against the definition, in arithmetic wide enough to need no care.
        #[test]
        fn a_cost_is_the_nearest_nano_dollar(price in 0..=1_000_000_000_000_000_i64, tokens in 0..=10_000_000_u64) {
            let price = Price::from_units(price);
            let rates = Rates { input: price, output: price, cache_read: None, cache_write: None };
            let usage = TokenUsage { output: tokens, ..TokenUsage::default() };
            let nanos = i128::from(rates.billed(None).cost(&usage).output.0);
            let exact = i128::from(price.units()) * i128::from(tokens);
            let off = (nanos * 1_000_000_000 - exact).abs();
            prop_assert!(off < 500_000_000 || (off == 500_000_000 && nanos % 2 == 0), "{off}");
        }

        #[test]
        fn money_pays_for_as_many_tokens_as_are_billed_with_it(
            price in 0..=1_000_000_000_000_000_000_i64, money in 0..=i64::MAX / 4,
        ) {
            let price = Price::from_units(price);
            let tokens = price.paid_by(Money(money));
            let rates = Rates { input: price, output: price, cache_read: None, cache_write: None }.billed(None);
            let usage = TokenUsage { output: tokens, ..TokenUsage::default() };
            prop_assert!(rates.cost(&usage).output <= price.at_most(tokens));
            prop_assert!(price.at_most(tokens) <= Money(money) || price.units() == 0);
            prop_assert!(tokens == u64::MAX || price.at_most(tokens + 1) > Money(money));
        }

        #[test]
        fn an_amount_reads_back_as_it_was_written(nanos in 0..=i64::MAX) {
            let text = serde_json::to_string(&Money(nanos)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), Money(nanos));
        }
    }
}
