//! The frames of AWS event streams, with their check sums, written from the specification:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html>

use bytes::Bytes;
use serde_json::Value;

/// A frame with an event of this type.
pub fn event(kind: &str, payload: &Value) -> Bytes {
    frame(&[(":message-type", "event"), (":event-type", kind)], payload)
}

/// A frame with an exception of this type, such as `internalServerException`.
pub fn exception(kind: &str, payload: &Value) -> Bytes {
    frame(&[(":message-type", "exception"), (":exception-type", kind)], payload)
}

/// Total length, length of the headers, check sum of both; headers; payload; check sum of all.
fn frame(headers: &[(&str, &str)], payload: &Value) -> Bytes {
    let mut lines = Vec::new();
    for (name, value) in headers.iter().chain(&[(":content-type", "application/json")]) {
        lines.push(u8::try_from(name.len()).expect("a short name"));
        lines.extend_from_slice(name.as_bytes());
        // Type 7: a string with the length in two bytes.
        lines.push(7);
        lines.extend_from_slice(&u16::try_from(value.len()).expect("a short value").to_be_bytes());
        lines.extend_from_slice(value.as_bytes());
    }
    let payload = payload.to_string();
    let total = 12 + lines.len() + payload.len() + 4;
    let length = |bytes: usize| u32::try_from(bytes).expect("a short frame").to_be_bytes();
    let mut frame = Vec::with_capacity(total);
    frame.extend_from_slice(&length(total));
    frame.extend_from_slice(&length(lines.len()));
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    frame.extend_from_slice(&lines);
    frame.extend_from_slice(payload.as_bytes());
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    Bytes::from(frame)
}

/// CRC-32 as Ethernet has it, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde_json::json;

    use super::{crc32, event};

    #[test]
    fn a_frame_is_as_aws_writes_it() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let frame = event("messageStart", &json!({"role": "assistant"}));
        let known = "AAAAdgAAAFKW1freDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcADG1lc3NhZ2VTdGFy\
                 dA06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbnsicm9sZSI6ImFzc2lzdGFudCJ9HMa+GA==";
        assert_eq!(STANDARD.encode(frame), known);
    }
}
