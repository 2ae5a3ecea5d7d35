//! Reading a usage object as OpenAI writes it: whole numbers, and details one level below.
//!
//! Every answer has one, and a name is compared here only with those of its length. What may stand in others'
//! (`null`, a fraction, a known name twice or any with an escape) is left to serde.

use super::usage::{Count, Details, MOST, OpenAi, OutDetails};

/// What the object says; none where it is written otherwise.
pub(super) fn plain(raw: &[u8]) -> Option<OpenAi> {
    let mut usage = OpenAi::default();
    // Every field, so that none is forgotten here.
    let OpenAi {
        prompt_tokens,
        completion_tokens,
        input_tokens,
        output_tokens,
        total_tokens,
        prompt_tokens_details,
        input_tokens_details,
        completion_tokens_details,
        output_tokens_details,
        prompt_cache_hit_tokens,
        cached_tokens,
        reasoning_tokens,
    } = &mut usage;
    let mut text = Text { rest: raw };
    text.object(|name, text| match name {
        b"prompt_tokens" => text.once(&mut prompt_tokens.0, Text::count),
        b"completion_tokens" => text.once(&mut completion_tokens.0, Text::count),
        b"input_tokens" => text.once(&mut input_tokens.0, Text::count),
        b"output_tokens" => text.once(&mut output_tokens.0, Text::count),
        b"total_tokens" => text.once(&mut total_tokens.0, Text::count),
        b"prompt_tokens_details" => text.once(prompt_tokens_details, Text::details),
        b"input_tokens_details" => text.once(input_tokens_details, Text::details),
        b"completion_tokens_details" => text.once(completion_tokens_details, Text::out_details),
        b"output_tokens_details" => text.once(output_tokens_details, Text::out_details),
        b"prompt_cache_hit_tokens" => text.once(&mut prompt_cache_hit_tokens.0, Text::count),
        b"cached_tokens" => text.once(&mut cached_tokens.0, Text::count),
        b"reasoning_tokens" => text.once(&mut reasoning_tokens.0, Text::count),
        _ => text.count().map(drop),
    })?;
    text.space();
    text.rest.is_empty().then_some(usage)
}

/// What has not been read yet. Every way to read answers none where it goes on otherwise.
struct Text<'a> {
    rest: &'a [u8],
}

impl<'a> Text<'a> {
    /// An object, whose members' values are read by their names.
    fn object(&mut self, mut member: impl FnMut(&'a [u8], &mut Self) -> Option<()>) -> Option<()> {
        self.eat(b'{')?;
        loop {
            let name = self.name()?;
            self.eat(b':')?;
            self.space();
            member(name, self)?;
            if self.eat(b',').is_none() {
                return self.eat(b'}');
            }
        }
    }

    /// A value that was not there before.
    fn once<T>(
        &mut self,
        value: &mut Option<T>,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<()> {
        if value.is_some() {
            return None;
        }
        *value = Some(read(self)?);
        Some(())
    }

    fn details(&mut self) -> Option<Details> {
        let mut details = Details::default();
        let Details { cached_tokens, cache_write_tokens, cache_creation_tokens } = &mut details;
        self.object(|name, text| match name {
            b"cached_tokens" => text.once(&mut cached_tokens.0, Self::count),
            b"cache_write_tokens" => text.once(&mut cache_write_tokens.0, Self::count),
            b"cache_creation_tokens" => text.once(&mut cache_creation_tokens.0, Self::count),
            _ => text.count().map(drop),
        })?;
        Some(details)
    }

    fn out_details(&mut self) -> Option<OutDetails> {
        let mut reasoning_tokens = Count::default();
        self.object(|name, text| match name {
            b"reasoning_tokens" => text.once(&mut reasoning_tokens.0, Self::count),
            _ => text.count().map(drop),
        })?;
        Some(OutDetails { reasoning_tokens })
    }

    /// A name of printable ASCII, without its quotes.
    fn name(&mut self) -> Option<&'a [u8]> {
        self.eat(b'"')?;
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let end = self.rest.iter().position(|byte| !is_plain(byte))?;
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.strip_prefix(b"\"")?;
        Some(name)
    }

    /// A whole number.
    fn count(&mut self) -> Option<u64> {
        let end = self.rest.iter().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.rest.split_at_checked(end)?;
        let is_plain = match digits {
            [_] => true,
            [b'0', ..] | [] => false,
            _ => digits.len() <= MOST_DIGITS,
        };
        // What it goes on with, the object finds odd.
        self.rest = rest;
        is_plain.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.space();
        self.rest = self.rest.strip_prefix(&[byte])?;
        Some(())
    }

    fn space(&mut self) {
        while let [b' ' | b'\n' | b'\t' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }
}

/// Digits of figures that are below [`MOST`] for sure.
const MOST_DIGITS: usize = MOST.ilog10() as usize;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 16] = [
        "prompt_tokens",
        "completion_tokens",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "input_tokens_details",
        "completion_tokens_details",
        "output_tokens_details",
        "prompt_cache_hit_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "cache_write_tokens",
        "cache_creation_tokens",
        "audio_tokens",
        "odd\\u0041\u{e9}\u{7f}",
    ];

    fn name() -> impl Strategy<Value = &'static str> {
        prop::sample::select(NAMES.to_vec())
    }

    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => (0..2 * MOST).prop_map(|count| count.to_string()),
            4 => (0..5000_u64).prop_map(|count| count.to_string()),
            1 => prop::sample::select(vec![
                "0", "00", "01", "-1", "1.5", "1e3", "1e", "null", "true", "\"3\"", "[1]", "",
                "999999999999", "1000000000000", "1000000000001", "99999999999999999999999",
            ]).prop_map(str::to_owned),
        ]
    }

    fn space() -> impl Strategy<Value = &'static str> {
        prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\r\n\t"), 1 => Just("\u{b}")]
    }

    fn object<V: Strategy<Value = String>>(value: V, most: usize) -> impl Strategy<Value = String> {
        let member = (name(), space(), value, space());
        (prop::collection::vec(member, 0..most), space()).prop_map(|(members, space)| {
            let members: Vec<_> = members
                .iter()
                .map(|(name, before, value, behind)| {
                    format!("{space}\"{name}\"{before}:{behind}{value}{space}")
                })
                .collect();
            format!("{{{}}}", members.join(","))
        })
    }

    fn usage() -> impl Strategy<Value = String> {
        object(prop_oneof![3 => number(), 1 => object(number(), 4)], 8)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_read_plainly_is_what_serde_reads(
            text in usage(), cut in any::<prop::sample::Index>(), is_cut in prop::bool::weighted(0.1),
            behind in prop_oneof![8 => Just(""), 1 => Just(" \n"), 1 => Just("x")],
        ) {
            let mut text = (text + behind).into_bytes();
            if is_cut {
                text.truncate(cut.index(text.len()));
            }
            if let Some(usage) = plain(&text) {
                prop_assert_eq!(Some(usage), serde_json::from_slice(&text).ok(), "{:?}", text);
            }
        }
    }

    #[test]
    fn ordinary_usage_is_read_plainly() {
        for raw in [
            r#"{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#,
            "{\n  \"input_tokens\": 36,\n  \"input_tokens_details\": {\n    \"cached_tokens\": 0\n  },\n  \"output_tokens\": 87,\n  \"output_tokens_details\": {\n    \"reasoning_tokens\": 0\n  },\n  \"total_tokens\": 123\n}",
        ] {
            assert!(plain(raw.as_bytes()).is_some(), "{raw}");
        }
    }
}
