-- Records in partitions by month, which the gateway makes ahead and drops when their time is over;
-- and sums of usage, kept by whoever writes records, in the same transaction.

DROP INDEX usage_records_by_org;
ALTER TABLE usage_records RENAME TO usage_records_unpartitioned;

CREATE TABLE usage_records (
    org_id         UUID NOT NULL,
    ts             BIGINT NOT NULL,
    id             UUID NOT NULL,
    record         TEXT COLLATE "C" NOT NULL,
    -- Records that were written before there were sums, or by a version that kept none, are summed
    -- up later, and get the columns below then; this says which.
    rolled_up      BOOLEAN NOT NULL DEFAULT FALSE,
    -- What lists are narrowed by, out of the record.
    user_id        UUID,
    api_key_id     UUID,
    provider_id    UUID,
    provider_name  TEXT COLLATE "C",
    upstream_model TEXT COLLATE "C",
    alias          TEXT COLLATE "C",
    status         BIGINT,
    group_names    JSONB
) PARTITION BY RANGE (ts);

CREATE UNIQUE INDEX usage_records_by_org ON usage_records (org_id, ts, id);
CREATE INDEX usage_records_to_roll_up ON usage_records (ts) WHERE rolled_up = FALSE;
CREATE INDEX usage_records_by_user ON usage_records (org_id, user_id, ts) WHERE user_id IS NOT NULL;
CREATE INDEX usage_records_by_key ON usage_records (org_id, api_key_id, ts) WHERE api_key_id IS NOT NULL;
CREATE INDEX usage_records_by_provider ON usage_records (org_id, provider_id, ts) WHERE provider_id IS NOT NULL;
CREATE INDEX usage_records_by_provider_name ON usage_records (org_id, provider_name, ts) WHERE provider_name IS NOT NULL;
CREATE INDEX usage_records_by_model ON usage_records (org_id, upstream_model, ts) WHERE upstream_model IS NOT NULL;
CREATE INDEX usage_records_by_alias ON usage_records (org_id, alias, ts) WHERE alias IS NOT NULL;
CREATE INDEX usage_records_by_status ON usage_records (org_id, status, ts) WHERE status <> 200;
CREATE INDEX usage_records_by_group ON usage_records USING GIN (group_names);

-- Records of times that no month was made for.
CREATE TABLE usage_records_default PARTITION OF usage_records DEFAULT;

INSERT INTO usage_records (org_id, ts, id, record)
    SELECT org_id, ts, id, record FROM usage_records_unpartitioned;
DROP TABLE usage_records_unpartitioned;

-- What records are summed by: one row for each combination that was seen.
CREATE TABLE usage_series (
    org_id         UUID NOT NULL,
    -- Digest of the columns that follow.
    id             UUID NOT NULL,
    user_id        UUID,
    api_key_id     UUID,
    -- JSON list.
    group_names    TEXT COLLATE "C" NOT NULL,
    provider_id    UUID,
    provider_name  TEXT COLLATE "C",
    upstream_model TEXT COLLATE "C",
    alias          TEXT COLLATE "C",
    status         BIGINT NOT NULL,
    -- Newest day that has sums of it.
    last_start     BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);

-- Sums of a series over an hour or a day (UTC). Rows of the current hour and day are written again
-- and again: room on their page spares the index.
CREATE TABLE usage_rollups (
    org_id             UUID NOT NULL,
    -- Hours: 1 or 24.
    width              BIGINT NOT NULL,
    start              BIGINT NOT NULL,
    series             UUID NOT NULL,
    requests           BIGINT NOT NULL,
    -- Requests whose cost is known, and their cost in units of 10^-9.
    priced             BIGINT NOT NULL,
    cost               BIGINT NOT NULL,
    input_tokens       BIGINT NOT NULL,
    output_tokens      BIGINT NOT NULL,
    cache_read_tokens  BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    reasoning_tokens   BIGINT NOT NULL,
    -- Histograms, see src/store/histogram.rs.
    latency            TEXT COLLATE "C" NOT NULL,
    ttfb               TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, width, start, series)
) WITH (fillfactor = 70);
