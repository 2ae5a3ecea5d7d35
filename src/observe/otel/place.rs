//! A request's place in its trace.

use uuid::Uuid;

/// The span that called the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its trace.
    pub trace: u128,
    /// Its id.
    pub span: u64,
    /// Whether its trace is recorded.
    pub sampled: bool,
}

/// Where a request that is recorded stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The trace: the caller's, or a new one.
    pub trace: u128,
    /// The request's own span.
    pub span: u64,
    /// The caller's span; none where the trace begins here.
    pub parent: Option<u64>,
}

impl Place {
    /// Below the caller's span, or at the root of a new trace.
    #[must_use]
    pub fn below(parent: Option<Parent>) -> Self {
        let trace = parent.map_or_else(new_trace_id, |parent| parent.trace);
        Self { trace, span: new_span_id(), parent: parent.map(|parent| parent.span) }
    }
}

/// A random id, never 0.
#[must_use]
pub fn new_span_id() -> u64 {
    Uuid::new_v4().as_u64_pair().0.max(1)
}

/// The lower half is what samplers look at: all of it but four bits is random.
fn new_trace_id() -> u128 {
    u128::from(new_span_id()) << 64 | u128::from(new_span_id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_stands_below_its_caller_in_the_same_trace() {
        let parent = Parent { trace: 7, span: 9, sampled: true };
        let place = Place::below(Some(parent));
        assert_eq!((place.trace, place.parent), (7, Some(9)));
        assert_ne!(place.span, 9);
    }

    #[test]
    fn without_a_caller_a_trace_begins() {
        let (one, other) = (Place::below(None), Place::below(None));
        assert_eq!(one.parent, None);
        assert!(one.trace != other.trace && one.trace != 0 && one.span != other.span);
    }
}
