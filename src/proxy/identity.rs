//! A request's names: `x-request-id` and `traceparent` (contract 4.9).

use http::{HeaderMap, HeaderValue};

use crate::{
    domain::RequestId,
    observe::otel::Parent,
    wire::headers::{TRACEPARENT, X_REQUEST_ID},
};

/// The client's `x-request-id` if it is 1–128 of `A-Za-z0-9._-`, else a new one.
pub fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
    given.and_then(RequestId::taken).unwrap_or_else(RequestId::random).into()
}

/// The id as a header's value.
pub fn header(id: &str) -> HeaderValue {
    // An id has only letters that a header may have.
    HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// A client's place in its trace (W3C Trace Context, <https://www.w3.org/TR/trace-context/>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// 32 hex digits.
    pub trace_id: String,
    /// The span that called, 16 hex digits; empty in a trace that begins here.
    parent: String,
    flags: String,
}

impl Trace {
    /// Reads `traceparent`; none where it is absent or malformed.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(&TRACEPARENT)?.to_str().ok()?;
        let mut parts = value.split('-');
        let (version, trace, parent, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let well_formed = hex(version, 2)
            && version != "ff"
            && hex(trace, 32)
            && hex(parent, 16)
            && hex(flags, 2)
            && (version != "00" || parts.next().is_none())
            && trace.bytes().any(|byte| byte != b'0')
            && parent.bytes().any(|byte| byte != b'0');
        well_formed.then(|| Self {
            trace_id: trace.to_owned(),
            parent: parent.to_owned(),
            flags: flags.to_owned(),
        })
    }

    /// A trace that is recorded, under this id.
    pub fn recorded(id: u128) -> Self {
        Self { trace_id: format!("{id:032x}"), parent: String::new(), flags: "01".to_owned() }
    }

    /// The span that called.
    pub fn parent(&self) -> Option<Parent> {
        let flags = u8::from_str_radix(&self.flags, 16).ok()?;
        Some(Parent {
            trace: u128::from_str_radix(&self.trace_id, 16).ok()?,
            span: u64::from_str_radix(&self.parent, 16).ok()?,
            sampled: flags & 1 == 1,
        })
    }

    /// The header for a call made on the client's behalf: same trace, and the call's own span as parent.
    pub fn child(&self, span: u64) -> String {
        format!("00-{}-{span:016x}-{}", self.trace_id, self.flags)
    }
}

fn hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        [(http::HeaderName::from_static(name), value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_well_formed_request_id_is_kept_and_any_other_replaced() {
        assert_eq!(request_id(&headers("x-request-id", "a.B_9-")), "a.B_9-");
        let long = "x".repeat(129);
        for bad in ["", "a b", "a/b", long.as_str(), "ä"] {
            assert_ne!(request_id(&headers("x-request-id", bad)), bad);
        }
        assert_eq!(request_id(&HeaderMap::new()).len(), 32);
    }

    #[test]
    fn a_trace_is_continued_with_a_parent_of_our_own() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = Trace::read(&headers("traceparent", parent)).unwrap();
        let child = trace.child(5);
        assert!(
            child.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && child.ends_with("-01"),
            "{child}"
        );
        assert!(Trace::read(&headers("traceparent", &child)).is_some());
        assert_ne!(child, parent);
    }

    #[test]
    fn a_malformed_trace_is_no_trace() {
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_eq!(Trace::read(&headers("traceparent", bad)), None, "{bad}");
        }
    }
}
