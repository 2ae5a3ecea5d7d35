//! What the environment says about traces
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).
//!
//! Headers, the resource's attributes, timeouts and the path below a common endpoint are read by
//! OpenTelemetry's own libraries; here is what they leave to the program.

use std::time::Duration;

use opentelemetry_sdk::trace::Sampler;

use super::sampler;

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const PROTOCOL: &str = "http/protobuf";
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);

/// A variable that cannot be heeded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {fault}")]
pub struct OtelError {
    /// Its name.
    pub variable: &'static str,
    /// What is wrong, and what may stand there.
    pub fault: String,
}

/// How traces are to be sent.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) sampler: Sampler,
    /// What it calls itself, where that is said by name.
    pub(super) service: Option<String>,
    pub(super) timeout: Duration,
}

impl Settings {
    /// Reads the environment by `get`; none where no endpoint is named, or tracing is switched off.
    ///
    /// # Errors
    /// When a variable cannot be heeded.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, OtelError> {
        let get = |name: &str| get(name).filter(|value| !value.trim().is_empty());
        let first = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| get(name).map(|value| (name, value)))
        };
        let is = |name: &str, what: &str| get(name).is_some_and(|is| is.eq_ignore_ascii_case(what));
        if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
            return Ok(None);
        }
        let Some((variable, endpoint)) = first(ENDPOINTS) else { return Ok(None) };
        endpoint_is_http(variable, &endpoint)?;
        if let Some((variable, other)) = first(PROTOCOLS).filter(|(_, value)| value != PROTOCOL) {
            let fault = format!("only {PROTOCOL} is spoken, not {other:?}");
            return Err(OtelError { variable, fault });
        }
        Ok(Some(Self {
            sampler: sampler::read(
                get("OTEL_TRACES_SAMPLER").as_deref(),
                get("OTEL_TRACES_SAMPLER_ARG").as_deref(),
            )?,
            service: get("OTEL_SERVICE_NAME"),
            timeout: first(TIMEOUTS)
                .map_or(Ok(USUAL_TIMEOUT), |(name, value)| timeout(name, &value))?,
        }))
    }
}

fn endpoint_is_http(variable: &'static str, endpoint: &str) -> Result<(), OtelError> {
    let url = url::Url::parse(endpoint).ok();
    if url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Ok(());
    }
    // It is not repeated: it may hold a password.
    let fault = "expected a URL such as \"http://collector:4318\"".to_owned();
    Err(OtelError { variable, fault })
}

fn timeout(variable: &'static str, value: &str) -> Result<Duration, OtelError> {
    let millis = value.parse().map_err(|_| OtelError {
        variable,
        fault: format!("expected milliseconds, found {value:?}"),
    })?;
    Ok(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Settings>, OtelError> {
        Settings::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

    #[test]
    fn nothing_is_traced_without_an_endpoint_or_when_switched_off() {
        assert!(read(&[]).unwrap().is_none());
        assert!(
            read(&[("OTEL_SERVICE_NAME", "x"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "")])
                .unwrap()
                .is_none()
        );
        assert!(read(&[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")]).unwrap().is_none());
        assert!(read(&[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")]).unwrap().is_none());
    }

    #[test]
    fn an_endpoint_switches_it_on() {
        let settings = read(&[ENDPOINT]).unwrap().unwrap();
        assert_eq!((settings.service, settings.timeout), (None, USUAL_TIMEOUT));
        let own = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example.com/v1/traces"),
            ("OTEL_SERVICE_NAME", "gateway"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
        ];
        let settings = read(&own).unwrap().unwrap();
        assert_eq!(settings.service.as_deref(), Some("gateway"));
        assert_eq!(settings.timeout.as_millis(), 250);
    }

    #[test]
    fn what_cannot_be_heeded_is_named() {
        for (variable, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ] {
            let fault = read(&[(variable, value), ENDPOINT]).unwrap_err();
            assert_eq!(fault.variable, variable);
        }
    }
}
