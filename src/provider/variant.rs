//! How a vendor is spoken to that has an API of its own, or several: as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::vendor::pairs;
use crate::domain::Endpoint;

/// An API that other dialects are translated into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenAI's chat completions.
    ChatCompletions,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
    /// Google's `generateContent`.
    Gemini,
    /// Bedrock's Converse.
    Converse,
}

/// Where a vendor's models run: the same API has another envelope there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hosting {
    /// At the vendor that made the API.
    #[default]
    Own,
    /// On Amazon Bedrock.
    Bedrock,
    /// On Google Vertex AI.
    Vertex,
}

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An answer in one piece.
    Generate,
    /// An answer as a stream.
    Stream,
    /// The vectors of texts.
    Embed,
    /// How many tokens a request is.
    Count,
}

impl Operation {
    /// How many there are.
    pub const COUNT: usize = 4;
}

/// One way in which a vendor can be spoken to; a provider's setting chooses among several.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The setting that chooses, and the value for this one. The first variant also serves providers
    /// without the setting.
    #[serde(default, deserialize_with = "choice")]
    pub when: Option<(String, String)>,
    /// What other dialects are translated into.
    pub protocol: Option<Protocol>,
    /// In whose envelope.
    #[serde(default)]
    pub hosting: Hosting,
    /// Where an answer is asked for, below the root; `{model}` and `{setting}` are put in.
    pub generate: Option<String>,
    /// Where a stream is.
    pub stream: Option<String>,
    /// Where vectors of texts are; `{method}` is the API's own word for it.
    pub embed: Option<String>,
    /// Where tokens are counted.
    pub count: Option<String>,
    /// Endpoints spoken natively whose path is not the usual one.
    #[serde(default, deserialize_with = "pairs")]
    pub paths: Vec<(Endpoint, String)>,
    /// Endpoints that are there from a version on, by the provider's setting `api_version`: dates, which
    /// may have a word behind them. A provider that names an earlier one does not speak them.
    #[serde(default, deserialize_with = "pairs")]
    pub since: Vec<(Endpoint, String)>,
}

impl Variant {
    /// Whether an endpoint is there in the version that a provider names; none is the row's own.
    #[must_use]
    pub fn has(&self, endpoint: Endpoint, api_version: Option<&str>) -> bool {
        let since = self.since.iter().find(|(own, _)| *own == endpoint);
        since.zip(api_version).is_none_or(|((_, since), version)| version >= since.as_str())
    }

    /// Where an operation is asked for, if that is not the protocol's usual place.
    #[must_use]
    pub fn call(&self, operation: Operation) -> Option<&str> {
        match operation {
            Operation::Generate => self.generate.as_deref(),
            Operation::Stream => self.stream.as_deref(),
            Operation::Embed => self.embed.as_deref(),
            Operation::Count => self.count.as_deref(),
        }
    }
}

/// What `turnpike quickstart` reads of a vendor from the environment, beside its key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Environment {
    /// Variable of the base URL.
    pub base_url: Option<String>,
    /// Variable of the models, with commas between them.
    pub models: Option<String>,
    /// Variables of settings; the first one that is set counts.
    pub settings: BTreeMap<String, Vec<String>>,
    /// Settings where no variable is set.
    pub usual: BTreeMap<String, String>,
    /// Which of the catalogue's models are enabled: those that begin so.
    pub prefix: String,
}

/// A table of one row.
fn choice<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<(String, String)>, D::Error> {
    let mut rows: Vec<(String, String)> = pairs(deserializer)?;
    match (rows.pop(), rows.is_empty()) {
        (row, true) => Ok(row),
        _ => Err(serde::de::Error::custom("`when` names one setting")),
    }
}
