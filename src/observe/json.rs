//! An event as one line of JSON: `{"ts","level","message","target",…}`, the shape of access lines.

use std::fmt::{self, Debug, Write as _};

use serde::Serialize;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::domain::Timestamp;

/// Formats events.
pub(super) struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let meta = event.metadata();
        let target = fields.target.as_deref().unwrap_or_else(|| meta.target());
        let (message, target) = (json(&fields.message), json(target));
        let (ts, level) = (Timestamp::now(), meta.level());
        write!(line, r#"{{"ts":"{ts}","level":"{level}","message":{message},"target":{target}"#)?;
        writeln!(line, "{}}}", fields.rest)
    }
}

/// An event's fields.
#[derive(Default)]
struct Fields {
    message: String,
    /// The target of a record of the `log` crate, which comes as a field.
    target: Option<String>,
    /// The others, as `,"name":value…`.
    rest: String,
}

impl Fields {
    fn add(&mut self, field: &Field, value: &(impl Serialize + ?Sized)) {
        // Where a record of the `log` crate was made: not of interest, as for events.
        if field.name().starts_with("log.") {
            return;
        }
        let _ = write!(self.rest, ",{}:{}", json(field.name()), json(value));
    }

    fn text(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            "log.target" => self.target = Some(value),
            _ => self.add(field, &value),
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, format!("{value:?}"));
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::Value;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Captured {
        type Writer = Self;
        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn lines_of(events: impl FnOnce()) -> Vec<Value> {
        let out = Captured::default();
        let subscriber =
            tracing_subscriber::fmt().event_format(JsonLine).with_writer(out.clone()).finish();
        tracing::subscriber::with_default(subscriber, events);
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn an_event_is_one_line_of_json_with_its_fields() {
        let lines = lines_of(|| {
            let error = io::Error::other("no \"luck\"\n");
            tracing::warn!(target: "here", %error, records = 3_u64, ok = false, "it\nfailed");
        });
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "it\nfailed");
        assert_eq!(line["target"], "here");
        assert_eq!(line["error"], "no \"luck\"\n");
        assert_eq!(line["records"], 3);
        assert_eq!(line["ok"], false);
        assert!(line["ts"].as_str().unwrap().parse::<Timestamp>().is_ok());
    }

    #[test]
    fn a_record_of_the_log_crate_shows_its_own_target_and_not_its_place() {
        let lines = lines_of(|| {
            let file = "src/x.rs";
            tracing::info!(log.target = "pingora_core", log.file = file, log.line = 7, "up");
        });
        let mut fields: Vec<_> = lines[0].as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["level", "message", "target", "ts"]);
        assert_eq!(lines[0]["target"], "pingora_core");
    }

    #[test]
    fn an_event_without_message_or_fields_is_still_json() {
        let lines = lines_of(|| tracing::info!(""));
        assert_eq!(lines[0]["message"], "");
    }
}
