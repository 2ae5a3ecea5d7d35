-- Groups that an administrator has put in place of those that tokens name; none: there are none.
ALTER TABLE users ADD COLUMN groups_override TEXT;

-- Programs that get tokens with a secret of their own.
CREATE TABLE service_accounts (
    id           BLOB PRIMARY KEY NOT NULL,
    org_id       BLOB NOT NULL REFERENCES orgs (id),
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    -- Keyed hash (HMAC-SHA-256); the secret itself is nowhere.
    secret_hash  BLOB NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    UNIQUE (org_id, name)
);
