//! How long to wait before a 429 is tried again on the same route (spec/behaviour 5.4).

use std::time::Duration;

use http::HeaderMap;

/// First wait of the built-in back-off; doubles with every retry.
const BASE: Duration = Duration::from_millis(500);
/// Longest wait of the built-in back-off where the route sets no cap.
const CAP: Duration = Duration::from_secs(4);

/// The wait before retry number `retry` (from 0).
///
/// A vendor's Retry-After counts when the route has a cap for it (`max_wait` above zero); else, and
/// without the header, the built-in back-off: 0.5 s doubling, jittered down to half by `jitter`
/// (0 to 1), capped at `max_wait` or 4 s.
#[must_use]
pub fn wait_before_retry(
    retry: u32,
    asked: Option<Duration>,
    max_wait: Duration,
    jitter: f64,
) -> Duration {
    match asked {
        Some(asked) if !max_wait.is_zero() => asked.min(max_wait),
        _ => {
            let cap = if max_wait.is_zero() { CAP } else { max_wait };
            let full = BASE.saturating_mul(2u32.saturating_pow(retry)).min(cap);
            full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
        }
    }
}

/// What the vendor asks: `retry-after-ms` (OpenAI), or `Retry-After` in seconds or as a date
/// (RFC 9110 10.2.3) relative to `now` (Unix seconds).
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: i64) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    let seconds = at.as_second().saturating_sub(now).max(0);
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn retry_after_counts_up_to_the_routes_cap() {
        assert_eq!(wait_before_retry(0, Some(2 * S), 10 * S, 1.0), 2 * S);
        assert_eq!(wait_before_retry(0, Some(60 * S), 10 * S, 1.0), 10 * S);
    }

    #[test]
    fn without_a_cap_the_header_is_ignored() {
        assert_eq!(wait_before_retry(0, Some(60 * S), Duration::ZERO, 1.0), S / 2);
    }

    #[test]
    fn the_built_in_wait_doubles_and_is_capped() {
        let waits: Vec<_> =
            (0..6).map(|n| wait_before_retry(n, None, Duration::ZERO, 1.0)).collect();
        assert_eq!(waits, [S / 2, S, 2 * S, 4 * S, 4 * S, 4 * S]);
        assert_eq!(wait_before_retry(40, None, S, 1.0), S);
        assert_eq!(wait_before_retry(0, None, Duration::ZERO, 0.0), S / 4);
    }

    #[test]
    fn retry_after_is_read_in_every_spelling() {
        let read = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            retry_after(&headers, 784_111_777)
        };
        assert_eq!(read("retry-after", "7"), Some(7 * S));
        assert_eq!(read("retry-after", "0.5"), Some(S / 2));
        assert_eq!(read("retry-after-ms", "250"), Some(S / 4));
        assert_eq!(read("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"), Some(3 * S));
        assert_eq!(read("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        for nonsense in ["soon", "-1", "NaN", "1e400"] {
            assert_eq!(read("retry-after", nonsense), None, "{nonsense}");
        }
    }
}
