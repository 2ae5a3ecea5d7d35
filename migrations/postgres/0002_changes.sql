-- Counts the organization's changes: whoever knows an older number has something to read.
ALTER TABLE orgs ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
-- The organization's revision when the key, or what its user may do, last changed.
ALTER TABLE api_keys ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
CREATE INDEX api_keys_by_revision ON api_keys (org_id, revision);

-- Who changed what. Rows are only ever added.
CREATE TABLE audit_log (
    id          UUID PRIMARY KEY NOT NULL,
    org_id      UUID NOT NULL REFERENCES orgs (id),
    ts          BIGINT NOT NULL,
    -- None where the gateway itself acted.
    actor_id    UUID,
    actor_name  TEXT COLLATE "C" NOT NULL,
    action      TEXT COLLATE "C" NOT NULL,
    resource    TEXT COLLATE "C" NOT NULL,
    resource_id UUID,
    -- JSON of the resource as the API shows it, which never holds secrets.
    before      TEXT COLLATE "C",
    after       TEXT COLLATE "C",
    request_id  TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_log_by_org ON audit_log (org_id, ts, id);
