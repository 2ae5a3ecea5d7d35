-- Sums of usage, kept by whoever writes records, in the same transaction.

-- Records that were written before there were sums, or by a version that kept none, are summed up
-- later; this says which.
ALTER TABLE usage_records ADD COLUMN rolled_up BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX usage_records_to_roll_up ON usage_records (ts) WHERE rolled_up = FALSE;

-- What records are summed by: one row for each combination that was seen.
CREATE TABLE usage_series (
    org_id         BLOB NOT NULL,
    -- Digest of the columns that follow.
    id             BLOB NOT NULL,
    user_id        BLOB,
    api_key_id     BLOB,
    -- JSON list.
    group_names    TEXT NOT NULL,
    provider_id    BLOB,
    provider_name  TEXT,
    upstream_model TEXT,
    alias          TEXT,
    status         INTEGER NOT NULL,
    -- Newest day that has sums of it.
    last_start     INTEGER NOT NULL,
    PRIMARY KEY (org_id, id)
) WITHOUT ROWID;

-- Sums of a series over an hour or a day (UTC).
CREATE TABLE usage_rollups (
    org_id             BLOB NOT NULL,
    -- Hours: 1 or 24.
    width              INTEGER NOT NULL,
    start              INTEGER NOT NULL,
    series             BLOB NOT NULL,
    requests           INTEGER NOT NULL,
    -- Requests whose cost is known, and their cost in units of 10^-9.
    priced             INTEGER NOT NULL,
    cost               INTEGER NOT NULL,
    input_tokens       INTEGER NOT NULL,
    output_tokens      INTEGER NOT NULL,
    cache_read_tokens  INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens   INTEGER NOT NULL,
    -- Histograms, see src/store/histogram.rs.
    latency            TEXT NOT NULL,
    ttfb               TEXT NOT NULL,
    PRIMARY KEY (org_id, width, start, series)
) WITHOUT ROWID;
