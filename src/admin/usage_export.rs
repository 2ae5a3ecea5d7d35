//! Every record that matches, as one CSV: read a page at a time and sent as it is read, so that no
//! export is held in memory.

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde_json::value::RawValue;

use super::{error::AdminError, usage_csv};
use crate::{
    domain::OrgId,
    store::{RecordFilter, Store, StoreError, UsagePosition},
};

/// The most records of an export; the description says it too.
const MAX_RECORDS: u32 = 100_000;
/// Records read at a time.
const PAGE: u32 = 1_000;
/// What the file is called.
pub(super) const FILE: &str = "usage.csv";

/// Where an export is.
struct Walk {
    store: Store,
    org: OrgId,
    filter: RecordFilter,
    after: Option<UsagePosition>,
    /// How many records it may still hold; none at its end.
    left: u32,
    page: u32,
}

/// An export stopped in the middle: the client sees its connection end before the body does.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a usage record is unreadable: {0}")]
    Record(#[from] serde_json::Error),
}

/// The CSV of what the filter names, from where `after` says.
pub(super) async fn export(
    store: Store,
    org: OrgId,
    filter: RecordFilter,
    after: Option<UsagePosition>,
) -> Result<Response, AdminError> {
    let mut walk = Walk { store, org, filter, after, left: MAX_RECORDS, page: PAGE };
    // What is wrong from the start is told with a status; later there is none to tell it with.
    let first = usage_csv::record_header() + &walk.next().await.map_err(told)?;
    let rest = stream::try_unfold((Some(first), walk), async |(first, mut walk)| {
        let lines = match first {
            Some(first) => first,
            None if walk.left == 0 => return Ok(None),
            None => walk.next().await.inspect_err(|error| {
                tracing::error!(%error, "an export of usage stopped in the middle");
            })?,
        };
        Ok::<_, Stopped>(Some((Bytes::from(lines), (None, walk))))
    });
    Ok((usage_csv::headers(FILE), Body::from_stream(rest)).into_response())
}

impl Walk {
    /// The lines of the next page.
    async fn next(&mut self) -> Result<String, Stopped> {
        let limit = self.page.min(self.left);
        let page = self.store.usage(self.org, &self.filter, self.after, limit).await?;
        self.after = page.next;
        self.left = if page.next.is_some() { self.left.saturating_sub(limit) } else { 0 };
        Ok(usage_csv::record_lines(&page.records)?)
    }
}

/// The lines of a page.
pub(super) fn lines(records: &[Box<RawValue>]) -> Result<String, AdminError> {
    usage_csv::record_lines(records).map_err(|error| told(error.into()))
}

fn told(error: Stopped) -> AdminError {
    match error {
        Stopped::Store(error) => error.into(),
        Stopped::Record(error) => {
            tracing::error!(%error, "a usage record cannot be written");
            AdminError::internal()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::json;

    use super::*;
    use crate::{
        domain::{RecordId, Timestamp},
        ledger::UsageSink as _,
        store::testing::temp_store,
    };

    async fn with_records(count: i64) -> (tempfile::TempDir, Store, OrgId) {
        let (dir, store) = temp_store().await;
        let org = store.ensure_org("acme").await.unwrap().id;
        let record = |n| {
            let ts = Timestamp(n);
            Bytes::from(
                json!({"id": RecordId::random(), "ts": ts, "org_id": org, "status": 200})
                    .to_string(),
            )
        };
        let batch: Vec<Bytes> = (0..count).map(record).collect();
        store.store_usage(&batch).await.unwrap();
        (dir, store, org)
    }

    #[tokio::test]
    async fn an_export_holds_every_record_once() {
        let (_dir, store, org) = with_records(2_300).await;
        let answer = export(store, org, RecordFilter::default(), None).await.unwrap();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        let ids: std::collections::BTreeSet<&str> =
            text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!((text.lines().count(), ids.len()), (2_301, 2_300));
    }

    #[tokio::test]
    async fn an_export_ends_at_its_maximum() {
        let (_dir, store, org) = with_records(20).await;
        let filter = RecordFilter::default();
        let mut walk = Walk { store, org, filter, after: None, left: 5, page: 2 };
        let mut sizes = Vec::new();
        while walk.left > 0 {
            sizes.push(walk.next().await.unwrap().lines().count());
        }
        assert_eq!(sizes, [2, 2, 1]);
    }
}
