//! Decimal numbers as integers: `0.15` with twelve places is 150 000 000 000.
//!
//! Nothing here passes through a floating-point number, so no digit is lost or made up.

use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de, ser};
use serde_json::value::RawValue;

/// Most characters of a formatted number: 19 digits, a point and a leading zero.
const LONGEST: usize = 24;
/// Beyond this an exponent cannot matter: every number with it is nothing or too much.
const FARTHEST: i64 = 1_000_000;

/// Why a text is no number of units. The words follow a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// No JSON number.
    #[error("must be a number such as 2.5")]
    NotANumber,
    /// Below zero.
    #[error("must not be negative")]
    Negative,
    /// Digits beyond the places that are kept.
    #[error("has more than {0} digits after the decimal point; round it to that many")]
    TooFine(u32),
    /// More than is sensible.
    #[error("must be at most {0}")]
    TooLarge(u64),
}

/// Reads a JSON number's text as units of 10^-`places`; at most `most` whole ones.
///
/// # Errors
/// When it is no number, negative, finer than a unit, or more than `most`. Nothing is rounded.
pub fn parse(text: &str, places: u32, most: u64) -> Result<i64, DecimalError> {
    parse_plain(text, places, most).map_or_else(|| parse_any(text, places, most), Ok)
}

/// The usual number, without looking at it digit by digit; none where it is an odd one or none at all.
fn parse_plain(text: &str, places: u32, most: u64) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let units = |digits: &str, places: u32| {
        // Parsing alone would take a sign.
        let is_plain = digits.as_bytes().first()?.is_ascii_digit();
        digits.parse::<i64>().ok().filter(|_| is_plain)?.checked_mul(10_i64.checked_pow(places)?)
    };
    let finer = places.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let sum = units(whole, places)?.checked_add(units(fraction, finer)?)?;
    // At the bound itself, digits behind the point decide.
    (whole.parse::<u64>().ok()? < most).then_some(sum)
}

fn parse_any(text: &str, places: u32, most: u64) -> Result<i64, DecimalError> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err(DecimalError::NotANumber);
    }
    let digits: String = [whole, fraction].concat();
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Ok(0);
    }
    if negative {
        return Err(DecimalError::Negative);
    }
    let dropped = length(&digits) - length(kept);
    // The number is `kept` · 10^-(scale).
    let scale = length(fraction) - dropped - exponent;
    let zeros = i64::from(places) - scale;
    if zeros < 0 {
        return Err(DecimalError::TooFine(places));
    }
    let units = kept.trim_start_matches('0').parse::<i64>().ok();
    let factor = u32::try_from(zeros).ok().and_then(|zeros| 10_i64.checked_pow(zeros));
    let bound = u128::from(most) * 10_u128.pow(places);
    units
        .zip(factor)
        .and_then(|(units, factor)| units.checked_mul(factor))
        .filter(|units| u128::try_from(*units).is_ok_and(|units| units <= bound))
        .ok_or(DecimalError::TooLarge(most))
}

fn read_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::NotANumber);
    }
    let size = digits.parse::<i64>().map_or(FARTHEST, |size| size.min(FARTHEST));
    Ok(if text.starts_with('-') { -size } else { size })
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// A number as text, on the stack.
pub struct Text {
    bytes: [u8; LONGEST],
    start: usize,
}

impl Text {
    /// Its characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let written = self.bytes.get(self.start..).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(place) = self.bytes.get_mut(self.start) {
            *place = byte;
        }
    }
}

/// Writes units of 10^-`places` as a JSON number: without trailing zeros, and without a point where
/// there is nothing behind it. Negative units, of which there are none, are written as 0.
#[must_use]
pub fn format(units: i64, places: u32) -> Text {
    let mut text = Text { bytes: [b'0'; LONGEST], start: LONGEST };
    let mut rest = u64::try_from(units).unwrap_or(0);
    let mut place = 0;
    let mut significant = false;
    while place < places {
        let digit = low_digit(rest);
        rest /= 10;
        place += 1;
        significant |= digit != b'0';
        if significant {
            text.push(digit);
        }
    }
    if significant {
        text.push(b'.');
    }
    loop {
        text.push(low_digit(rest));
        rest /= 10;
        if rest == 0 {
            return text;
        }
    }
}

fn low_digit(number: u64) -> u8 {
    b'0' + u8::try_from(number % 10).unwrap_or(0)
}

/// Serializes units of 10^-`places` as a number. With `serde_json` only.
///
/// # Errors
/// The serializer's own.
pub fn serialize<S: Serializer>(units: i64, places: u32, serializer: S) -> Result<S::Ok, S::Error> {
    let text = format(units, places);
    let raw: &RawValue = serde_json::from_str(text.as_str()).map_err(ser::Error::custom)?;
    raw.serialize(serializer)
}

/// Deserializes a number from its text. With `serde_json` only.
///
/// # Errors
/// As [`parse`].
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
    places: u32,
    most: u64,
) -> Result<i64, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    parse(raw.get(), places, most).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_digit_by_digit() {
        for (text, units) in [
            ("0", 0),
            ("-0.0", 0),
            ("0e99999999999999999999", 0),
            ("2.5", 2_500),
            ("2.500000000", 2_500),
            ("0.001", 1),
            ("1e-3", 1),
            ("0.0012E1", 12),
            ("12e+1", 120_000),
            ("1000", 1_000_000),
            ("1e3", 1_000_000),
        ] {
            assert_eq!(parse(text, 3, 1000), Ok(units), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for (text, error) in [
            ("-1", DecimalError::Negative),
            ("-1e-400", DecimalError::Negative),
            ("0.0001", DecimalError::TooFine(3)),
            ("1e-400", DecimalError::TooFine(3)),
            ("1000.001", DecimalError::TooLarge(1000)),
            ("1e400", DecimalError::TooLarge(1000)),
            ("1e99999999999999999999", DecimalError::TooLarge(1000)),
            ("99999999999999999999999999", DecimalError::TooLarge(1000)),
            ("\"2.5\"", DecimalError::NotANumber),
            ("null", DecimalError::NotANumber),
            ("true", DecimalError::NotANumber),
            ("NaN", DecimalError::NotANumber),
            ("Infinity", DecimalError::NotANumber),
            ("{}", DecimalError::NotANumber),
            ("", DecimalError::NotANumber),
            ("-", DecimalError::NotANumber),
            (".5", DecimalError::NotANumber),
            ("1e", DecimalError::NotANumber),
            ("1e+-2", DecimalError::NotANumber),
        ] {
            assert_eq!(parse(text, 3, 1000), Err(error), "{text}");
        }
    }

    #[test]
    fn numbers_are_written_without_what_says_nothing() {
        for (units, text) in [
            (0, "0"),
            (1, "0.001"),
            (10, "0.01"),
            (2_500, "2.5"),
            (120_000, "120"),
            (i64::MAX, "9223372036854775.807"),
            (-1, "0"),
        ] {
            assert_eq!(format(units, 3).as_str(), text);
        }
        assert_eq!(format(i64::MAX, 18).as_str(), "9.223372036854775807");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(units in 0..=i64::MAX, places in 0_u32..=18) {
            let text = format(units, places);
            prop_assert_eq!(parse(text.as_str(), places, u64::MAX), Ok(units));
        }

        #[test]
        fn any_text_is_read_or_refused_as_digit_by_digit(text in "[-+.eE0-9]{0,40}|[0-9]{0,7}(\\.[0-9]{0,13})?") {
            let most = 1_000_000;
            prop_assert_eq!(parse(&text, 12, most), parse_any(&text, 12, most));
        }
    }
}
