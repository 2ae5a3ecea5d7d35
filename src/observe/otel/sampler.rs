//! Which traces are recorded: `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, ShouldSample as _};

use super::{OtelError, Parent};

/// What the specification names, unless said otherwise.
const USUAL: &str = "parentbased_always_on";

/// Reads the sampler; the usual one where none is named.
pub(super) fn read(name: Option<&str>, argument: Option<&str>) -> Result<Sampler, OtelError> {
    let parent_based = |root: Sampler| Sampler::ParentBased(Box::new(root));
    let ratio = || ratio(argument).map(Sampler::TraceIdRatioBased);
    match name.unwrap_or(USUAL) {
        "always_on" => Ok(Sampler::AlwaysOn),
        "always_off" => Ok(Sampler::AlwaysOff),
        "traceidratio" => ratio(),
        "parentbased_always_on" => Ok(parent_based(Sampler::AlwaysOn)),
        "parentbased_always_off" => Ok(parent_based(Sampler::AlwaysOff)),
        "parentbased_traceidratio" => ratio().map(parent_based),
        other => Err(OtelError {
            variable: "OTEL_TRACES_SAMPLER",
            fault: format!(
                "expected always_on, always_off, traceidratio, or one of these after parentbased_, found \
                 {other:?}"
            ),
        }),
    }
}

fn ratio(argument: Option<&str>) -> Result<f64, OtelError> {
    let Some(text) = argument else { return Ok(1.0) };
    let ratio = text.parse::<f64>().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| OtelError {
        variable: "OTEL_TRACES_SAMPLER_ARG",
        fault: format!("expected a share from 0 to 1, found {text:?}"),
    })
}

/// Whether a trace is recorded here.
pub(super) fn records(sampler: &Sampler, trace: u128, parent: Option<Parent>) -> bool {
    let context = parent.map(|parent| Context::new().with_remote_span_context(remote(parent)));
    let (trace, kind) = (TraceId::from(trace), SpanKind::Server);
    let result = sampler.should_sample(context.as_ref(), trace, "", &kind, &[], &[]);
    result.decision == SamplingDecision::RecordAndSample
}

fn remote(parent: Parent) -> SpanContext {
    let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, span) = (TraceId::from(parent.trace), SpanId::from(parent.span));
    SpanContext::new(trace, span, flags, true, TraceState::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(name: Option<&str>, argument: Option<&str>, parent: Option<bool>) -> bool {
        let sampler = read(name, argument).unwrap();
        let parent = parent.map(|sampled| Parent { trace: 1 << 63, span: 1, sampled });
        records(&sampler, 1 << 63, parent)
    }

    #[test]
    fn the_usual_one_follows_the_caller_and_records_what_begins_here() {
        assert!(recorded(None, None, None));
        assert!(recorded(None, None, Some(true)));
        assert!(!recorded(None, None, Some(false)));
    }

    #[test]
    fn each_name_does_what_it_says() {
        assert!(recorded(Some("always_on"), None, Some(false)));
        assert!(!recorded(Some("always_off"), None, Some(true)));
        assert!(!recorded(Some("parentbased_always_off"), None, None));
        assert!(recorded(Some("parentbased_always_off"), None, Some(true)));
        assert!(recorded(Some("traceidratio"), Some("1"), None));
        assert!(!recorded(Some("traceidratio"), Some("0"), Some(true)));
        assert!(recorded(Some("parentbased_traceidratio"), Some("0.0"), Some(true)));
        assert!(!recorded(Some("parentbased_traceidratio"), Some("0.25"), None));
    }

    #[test]
    fn others_are_refused_with_what_may_stand_there() {
        let fault = read(Some("jaeger"), None).unwrap_err().to_string();
        assert!(
            fault.starts_with("OTEL_TRACES_SAMPLER: ") && fault.contains("traceidratio"),
            "{fault}"
        );
        let fault = read(Some("traceidratio"), Some("2")).unwrap_err().to_string();
        assert!(fault.starts_with("OTEL_TRACES_SAMPLER_ARG: "), "{fault}");
    }
}
