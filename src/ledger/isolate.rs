//! Finding the records that spoil a batch.
//!
//! The sink takes a batch whole or not at all and does not say which record is wrong. A record is at
//! fault if it is no usage record, or if it is refused alone, again, while the sink takes one that it
//! took before; in any other case it is the sink that fails, and every record is kept.

use bytes::Bytes;

use super::{SinkError, UsageSink};
use crate::domain::UsageRecord;

/// What became of a batch.
pub(super) enum Sorted {
    /// All is stored but these, which never will be.
    Rejected(Vec<Bytes>),
    /// The sink takes nothing.
    SinkFails,
}

/// Stores what can be stored of `records`. Gives up on the sink after `patience` records that failed
/// alone with none taken. What was stored may be offered again.
pub(super) async fn sort(sink: &dyn UsageSink, records: &[Bytes], patience: usize) -> Sorted {
    let (readable, mut rejected): (Vec<Bytes>, Vec<Bytes>) =
        records.iter().cloned().partition(|record| is_record(record));
    let Some(halved) = halve(sink, &readable, patience).await else { return Sorted::SinkFails };
    for suspect in halved.refused {
        match alone(sink, &suspect).await {
            Ok(()) => continue,
            Err(SinkError::Away(_)) => return Sorted::SinkFails,
            Err(SinkError::Refused(_)) => {}
        }
        // The sink may just have failed as a whole: a record that it took shows whether it works.
        match &halved.taken {
            Some(control) if alone(sink, control).await.is_ok() => rejected.push(suspect),
            _ => return Sorted::SinkFails,
        }
    }
    Sorted::Rejected(rejected)
}

/// What halving a batch until its parts are taken has shown.
#[derive(Default)]
struct Halved {
    /// One that was taken.
    taken: Option<Bytes>,
    /// Those that failed alone.
    refused: Vec<Bytes>,
}

async fn halve(sink: &dyn UsageSink, records: &[Bytes], patience: usize) -> Option<Halved> {
    let mut halved = Halved::default();
    let mut parts = vec![records];
    while let Some(part) = parts.pop() {
        let stored = if part.is_empty() { Ok(()) } else { sink.store_usage(part).await };
        match (stored, part) {
            (Ok(()), _) => halved.taken = part.first().cloned().or(halved.taken),
            (Err(SinkError::Away(_)), _) => return None,
            (Err(SinkError::Refused(_)), [record]) => halved.refused.push(record.clone()),
            (Err(SinkError::Refused(_)), _) => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first]);
            }
        }
        if halved.taken.is_none() && halved.refused.len() >= patience {
            return None;
        }
    }
    Some(halved)
}

async fn alone(sink: &dyn UsageSink, record: &Bytes) -> Result<(), SinkError> {
    sink.store_usage(std::slice::from_ref(record)).await
}

fn is_record(json: &[u8]) -> bool {
    serde_json::from_slice::<UsageRecord<'_>>(json).is_ok()
}
