//! Where a provider is asked: paths with everything in them but the model.

use std::fmt::Write as _;

use http::Uri;

use super::ProviderError;

/// The place in a path where the model's name goes.
const MODEL: &str = "{model}";
/// The place where the API's word for what is asked goes.
const METHOD: &str = "{method}";

/// A path in origin form, with its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// The same for every model.
    Fixed(Uri),
    /// With the model's name between the two.
    OfModel(Box<str>, Box<str>),
}

impl Address {
    /// Reads a path such as `/models/{model}:generate?v={version=1}` below `prefix`: names in braces
    /// stand for settings, which `setting` answers, or for the value after `=` where there is none.
    ///
    /// # Errors
    /// When a setting is missing, or what comes out is no request target.
    pub fn new(
        prefix: &str,
        path: &str,
        setting: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ProviderError> {
        let mut whole = prefix.to_owned();
        let mut rest = path;
        while let Some((before, braced)) = rest.split_once('{') {
            let (name, after) = braced.split_once('}').ok_or(ProviderError::BaseUrl)?;
            whole.push_str(before);
            if name == "model" {
                whole.push_str(MODEL);
            } else if name == "method" {
                whole.push_str(METHOD);
            } else {
                let (name, usual) = name.split_once('=').unwrap_or((name, ""));
                let value = setting(name).filter(|value| !value.is_empty());
                let value = value.unwrap_or_else(|| usual.to_owned());
                if value.is_empty() {
                    return Err(ProviderError::Setting);
                }
                encode(&value, &mut whole);
            }
            rest = after;
        }
        whole.push_str(rest);
        let address = match whole.split_once(MODEL) {
            Some((before, after)) => Self::OfModel(before.into(), after.into()),
            None => Self::Fixed(uri(whole)?),
        };
        address.of_method("model", "method")?;
        Ok(address)
    }

    /// The path for a model.
    ///
    /// # Errors
    /// When it is no request target.
    pub fn of(&self, model: &str) -> Result<Uri, ProviderError> {
        match self {
            Self::Fixed(uri) => Ok(uri.clone()),
            Self::OfModel(before, after) => {
                let room = before.len() + after.len() + model.len() + 16;
                let mut whole = String::with_capacity(room);
                whole.push_str(before);
                encode(model, &mut whole);
                whole.push_str(after);
                uri(whole)
            }
        }
    }

    /// The path for a model and the API's word for what is asked.
    ///
    /// # Errors
    /// When it is no request target.
    pub fn of_method(&self, model: &str, method: &str) -> Result<Uri, ProviderError> {
        match self {
            Self::OfModel(before, after) if after.contains(METHOD) => {
                Self::OfModel(before.clone(), after.replace(METHOD, method).into()).of(model)
            }
            _ => self.of(model),
        }
    }

    /// The path for a model, with the client's query; what the address itself says wins.
    ///
    /// # Errors
    /// When the query is none that can be sent.
    pub fn with_query(&self, model: &str, query: &str) -> Result<Uri, ProviderError> {
        let own = self.of(model)?;
        let Some(said) = own.query() else { return uri(format!("{own}?{query}")) };
        let key = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let known: Vec<String> = said.split('&').map(key).collect();
        let mut whole = own.to_string();
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !known.contains(&key(pair)))
        {
            whole.push('&');
            whole.push_str(pair);
        }
        uri(whole)
    }
}

fn uri(text: String) -> Result<Uri, ProviderError> {
    Uri::try_from(text).map_err(|_| ProviderError::BaseUrl)
}

/// Writes one segment of a path: all but letters, digits and `-._~@` percent-encoded, so that an ARN
/// with its `:` and `/` stays one segment, as AWS has it
/// (<https://smithy.io/2.0/spec/http-bindings.html#httplabel-trait>). The `@` of Google's model
/// versions needs no encoding and is written by its own clients as it is.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                out.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _infallible = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(path: &str) -> Result<Address, ProviderError> {
        Address::new("/prefix", path, &|name| (name == "version").then(|| "2024-10-21".to_owned()))
    }

    #[test]
    fn settings_are_put_in_once_and_the_model_each_time() {
        let address = address("/d/{model}/chat?api-version={version}").unwrap();
        assert_eq!(address.of("gpt-4o").unwrap(), "/prefix/d/gpt-4o/chat?api-version=2024-10-21");
        assert_eq!(address.of("o3").unwrap(), "/prefix/d/o3/chat?api-version=2024-10-21");
    }

    #[test]
    fn a_value_of_the_path_stands_in_for_a_setting_that_is_not_there() {
        let with = address("/r?v={other=2025-04-01}").unwrap();
        assert_eq!(with.of("m").unwrap(), "/prefix/r?v=2025-04-01");
        let own = address("/r?v={version=2025-04-01}").unwrap();
        assert_eq!(own.of("m").unwrap(), "/prefix/r?v=2024-10-21");
        assert_eq!(address("/r?v={other}"), Err(ProviderError::Setting));
    }

    #[test]
    fn a_models_name_is_one_segment_whatever_is_in_it() {
        let address = address("/model/{model}/converse").unwrap();
        for (model, segment) in [
            (
                "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                "us.anthropic.claude-haiku-4-5-20251001-v1%3A0",
            ),
            (
                "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab",
                "arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fab",
            ),
            ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5@20250929"),
            ("../../admin?x#y", "..%2F..%2Fadmin%3Fx%23y"),
            ("grüße %41", "gr%C3%BC%C3%9Fe%20%2541"),
        ] {
            let expected = format!("/prefix/model/{segment}/converse");
            assert_eq!(address.of(model).unwrap(), expected.as_str(), "{model}");
        }
    }

    #[test]
    fn a_clients_query_travels_but_for_what_the_address_says_itself() {
        let plain = address("/v1/messages").unwrap();
        assert_eq!(plain.with_query("m", "beta=true").unwrap(), "/prefix/v1/messages?beta=true");
        let versioned = address("/chat?api-version={version}").unwrap();
        let sent = versioned.with_query("m", "api-version=1999-01-01&a=b&").unwrap();
        assert_eq!(sent, "/prefix/chat?api-version=2024-10-21&a=b");
    }
}
