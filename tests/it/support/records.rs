//! Reading `/metrics`.

use std::collections::BTreeMap;

/// One scrape in the Prometheus text format.
pub struct Metrics {
    text: String,
    samples: Vec<Sample>,
}

struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: String,
}

impl Metrics {
    pub fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        Self { text: text.to_owned(), samples: lines.map(sample).collect() }
    }

    /// The sum of all samples of `name` that have these labels; counts, not seconds.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> i64 {
        let matching = self.samples.iter().filter(|sample| {
            let has = |(key, value): &(&str, &str)| {
                sample.labels.get(*key).is_some_and(|known| known == value)
            };
            sample.name == name && labels.iter().all(has)
        });
        matching.map(|sample| sample.value.parse::<i64>().expect("a whole number")).sum()
    }

    /// The label names that samples of `name` have.
    pub fn labels_of(&self, name: &str) -> Vec<String> {
        let found = self.samples.iter().find(|sample| sample.name == name);
        found.map(|sample| sample.labels.keys().cloned().collect()).unwrap_or_default()
    }

    pub fn has(&self, name: &str) -> bool {
        self.samples.iter().any(|sample| sample.name == name)
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect("a sample");
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let mut pairs = BTreeMap::new();
    for pair in labels.trim_end_matches('}').split("\",").filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once("=\"").expect("a label");
        pairs.insert(key.to_owned(), value.trim_end_matches('"').to_owned());
    }
    Sample { name: name.to_owned(), labels: pairs, value: value.to_owned() }
}
