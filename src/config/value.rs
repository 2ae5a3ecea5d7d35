//! What was given for a key, and its reading as the type that the key has.
//!
//! A reader returns what was expected, in words that finish the sentence of a [`super::Fault`].

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf};

use super::fault::Place;
use crate::{domain::IpRange, secrets::Secret};

/// A value as it stood in the file or the environment.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// A TOML string.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML array.
    List(Vec<Self>),
    /// A TOML table within an array, or an object within a variable's JSON.
    Table(Vec<Field>),
    /// Any other TOML value: its type's name, with article.
    Other(&'static str),
    /// The text of an environment variable, which becomes what its key wants.
    Variable(String),
}

/// One key of a [`Given::Table`].
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) given: Given,
    pub(super) place: Place,
}

impl Given {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Variable(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::List(_) => "an array",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }

    /// A string. The text itself stays out of the message: it may be a secret.
    pub(super) fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) | Self::Variable(text) => Ok(text),
            other => Err(format!("expected a string, found {}", other.kind())),
        }
    }
}

/// A string that is not empty.
pub(super) fn text(given: &Given) -> Result<String, String> {
    match given.text()? {
        "" => Err("must not be empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// A reader for a key without default: an empty string leaves it unset.
pub(super) fn optional<T>(
    read: impl Fn(&Given) -> Result<T, String>,
) -> impl Fn(&Given) -> Result<Option<T>, String> {
    move |given| match given {
        Given::Text(text) | Given::Variable(text) if text.is_empty() => Ok(None),
        given => read(given).map(Some),
    }
}

/// A path.
pub(super) fn path(given: &Given) -> Result<PathBuf, String> {
    text(given).map(PathBuf::from)
}

/// An integer within the range.
pub(super) fn integer<T>(range: RangeInclusive<T>) -> impl Fn(&Given) -> Result<T, String>
where
    T: Copy + PartialOrd + TryFrom<i64> + std::fmt::Display,
{
    move |given| {
        let expected = || format!("expected an integer from {} to {}", range.start(), range.end());
        let number = match given {
            Given::Integer(number) => *number,
            Given::Variable(text) => match text.trim().parse() {
                Ok(number) => number,
                Err(_) => return Err(format!("{}, found {text:?}", expected())),
            },
            other => return Err(format!("{}, found {}", expected(), other.kind())),
        };
        T::try_from(number)
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| format!("{}, found {number}", expected()))
    }
}

/// One of a few integers.
pub(super) fn one_of(allowed: &'static [u16]) -> impl Fn(&Given) -> Result<u16, String> {
    move |given| {
        let names: Vec<String> = allowed.iter().map(u16::to_string).collect();
        let expected = format!("expected {}", names.join(" or "));
        match integer(0..=u16::MAX)(given) {
            Ok(number) if allowed.contains(&number) => Ok(number),
            Ok(number) => Err(format!("{expected}, found {number}")),
            Err(_) => Err(format!("{expected}, found {}", given.kind())),
        }
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    allowed: &'static [(&'static str, T)],
) -> impl Fn(&Given) -> Result<T, String> {
    move |given| {
        let text = given.text()?;
        if let Some((_, value)) = allowed.iter().find(|(name, _)| *name == text) {
            return Ok(*value);
        }
        let names: Vec<String> = allowed.iter().map(|(name, _)| format!("{name:?}")).collect();
        Err(format!("expected {}, found {text:?}", names.join(" or ")))
    }
}

/// An address and a port, such as `127.0.0.1:8080`.
pub(super) fn address(given: &Given) -> Result<SocketAddr, String> {
    let text = given.text()?;
    text.parse().map_err(|_| {
        let hint = near_address(text)
            .map(|meant| format!("; did you mean {:?}?", meant.to_string()))
            .unwrap_or_default();
        format!(
            "expected an address and a port such as \"127.0.0.1:8080\" or \"[::]:8080\", found {text:?}{hint}"
        )
    })
}

/// What people write for an address: `localhost:8080`, `:8080`, `*:8080`, `8080`.
fn near_address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("localhost", text));
    let host = match host {
        "localhost" => "127.0.0.1",
        "" | "*" => "0.0.0.0",
        _ => return None,
    };
    format!("{host}:{port}").parse().ok()
}

/// An address and a port, or `off`.
pub(super) fn address_or_off(given: &Given) -> Result<Option<SocketAddr>, String> {
    match given.text()? {
        "off" => Ok(None),
        _ => address(given)
            .map(Some)
            .map_err(|message| message.replacen("expected", "expected \"off\" or", 1)),
    }
}

/// Ranges of addresses; from the environment as a JSON array.
pub(super) fn ranges(given: &Given) -> Result<Vec<IpRange>, String> {
    list(given, "expected an array of address ranges such as [\"10.0.0.0/8\"]")?
        .iter()
        .map(|text| text.parse().map_err(|fault| format!("{text:?}: {fault}")))
        .collect::<Result<_, _>>()
}

/// Hosts, each with or without a port; from the environment as a JSON array. Lower case from here on.
pub(super) fn hosts(given: &Given) -> Result<Vec<String>, String> {
    let expected = "expected an array of hosts such as [\"llm.example.com\", \"127.0.0.1:8443\"]";
    let host = |text: &String| match url::Url::parse(&format!("https://{text}")) {
        Ok(url) if url.path() == "/" && url.username().is_empty() && !text.ends_with('/') => {
            Ok(text.to_lowercase())
        }
        _ => Err(format!("{expected}; {text:?} is no host")),
    };
    list(given, expected)?.iter().map(host).collect()
}

/// A TOML array of strings, or a JSON one from the environment.
fn list(given: &Given, expected: &str) -> Result<Vec<String>, String> {
    match given {
        Given::List(items) => items
            .iter()
            .map(|item| item.text().map(str::to_owned))
            .collect::<Result<_, _>>()
            .map_err(|_| expected.to_owned()),
        Given::Variable(json) => serde_json::from_str(json)
            .map_err(|fault| format!("{expected} as JSON, found {json:?} ({fault})")),
        other => Err(format!("{expected}, found {}", other.kind())),
    }
}

/// A part of a URL's path: letters, digits, `.`, `_`, `-` and `/` between them.
pub(super) fn url_path(given: &Given) -> Result<String, String> {
    let text = text(given)?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    let tidy = text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if tidy && text.chars().all(plain) {
        return Ok(text);
    }
    Err(format!("expected a name of letters, digits, '.', '_' and '-', found {text:?}"))
}

/// An AWS principal.
pub(super) fn arn(given: &Given) -> Result<String, String> {
    let text = text(given)?;
    let account = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam" | "sts", "", id, name] if account(id) && !name.is_empty() => Ok(text),
        _ => Err(format!(
            "expected an ARN such as \"arn:aws:iam::123456789012:role/turnpike\", found {text:?}"
        )),
    }
}

/// An array of strings, none of them empty.
pub(super) fn texts(given: &Given, example: &str) -> Result<Vec<String>, String> {
    let expected = || format!("expected an array of strings such as {example}");
    let Given::List(items) = given else {
        return Err(format!("{}, found {}", expected(), given.kind()));
    };
    items.iter().map(text).collect::<Result<_, _>>().map_err(|_| expected())
}

/// An absolute `http` or `https` URL that is taken as it stands, query included.
pub(super) fn fetch_url(given: &Given) -> Result<String, String> {
    let text = given.text()?;
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.fragment().is_none() => {
            Ok(text.to_owned())
        }
        _ => Err(format!("expected a URL such as \"https://id.example.com/keys\", found {text:?}")),
    }
}

/// An absolute `http` or `https` URL; a trailing slash is dropped.
pub(super) fn web_url(given: &Given) -> Result<String, String> {
    let text = given.text()?;
    let expected = "expected a URL such as \"https://llm.example.com\"";
    match url::Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => {
            Err(format!("{expected}, found {text:?}"))
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            Err(format!("{expected}, without query or fragment, found {text:?}"))
        }
        Ok(_) => Ok(text.trim_end_matches('/').to_owned()),
        Err(fault) => Err(format!("{expected}, found {text:?} ({fault})")),
    }
}

/// `sqlite://<path>` or `postgres://…`. A password may stand in it, so the text stays out of the
/// message.
pub(super) fn database_url(given: &Given) -> Result<Secret, String> {
    let text = given.text()?;
    let understood = match text.split_once("://") {
        Some(("sqlite", path)) => !path.is_empty(),
        Some(("postgres" | "postgresql", _)) => {
            url::Url::parse(text).is_ok_and(|url| url.has_host() || url.query().is_some())
        }
        _ => false,
    };
    if understood {
        return Ok(Secret::new(text.to_owned()));
    }
    Err("expected \"sqlite://<path>\" or \"postgres://user:password@host:5432/database\""
        .to_owned())
}

/// `redis://…`, with TLS `rediss://…`, a cluster `redis+cluster://…` or `rediss+cluster://…`. A password
/// may stand in it, so the text stays out of the message.
pub(super) fn redis_url(given: &Given) -> Result<Secret, String> {
    let text = given.text()?;
    let known = ["redis", "rediss", "redis+cluster", "rediss+cluster"];
    let understood = url::Url::parse(text)
        .is_ok_and(|url| known.contains(&url.scheme()) && url.host_str().is_some());
    if understood {
        return Ok(Secret::new(text.to_owned()));
    }
    Err("expected \"redis://user:password@host:6379/0\"; rediss:// for TLS, redis+cluster:// or \
         rediss+cluster:// for a cluster"
        .to_owned())
}

/// What `tracing-subscriber` takes as a filter.
pub(super) fn log_filter(given: &Given) -> Result<String, String> {
    let text = text(given)?;
    match tracing_subscriber::EnvFilter::builder().parse(&text) {
        Ok(_) => Ok(text),
        Err(fault) => Err(format!(
            "expected levels such as \"info\" or \"info,turnpike=debug\", found {text:?} ({fault})"
        )),
    }
}
