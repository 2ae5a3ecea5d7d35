-- Counts the organization's changes: whoever knows an older number has something to read.
ALTER TABLE orgs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
-- The organization's revision when the key, or what its user may do, last changed.
ALTER TABLE api_keys ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE INDEX api_keys_by_revision ON api_keys (org_id, revision);

-- Who changed what. Rows are only ever added.
CREATE TABLE audit_log (
    id          BLOB PRIMARY KEY NOT NULL,
    org_id      BLOB NOT NULL REFERENCES orgs (id),
    ts          INTEGER NOT NULL,
    -- None where the gateway itself acted.
    actor_id    BLOB,
    actor_name  TEXT NOT NULL,
    action      TEXT NOT NULL,
    resource    TEXT NOT NULL,
    resource_id BLOB,
    -- JSON of the resource as the API shows it, which never holds secrets.
    before      TEXT,
    after       TEXT,
    request_id  TEXT NOT NULL
);
CREATE INDEX audit_log_by_org ON audit_log (org_id, ts, id);
