-- Groups that an administrator has put in place of those that tokens name; none: there are none.
ALTER TABLE users ADD COLUMN groups_override TEXT COLLATE "C";

-- Programs that get tokens with a secret of their own.
CREATE TABLE service_accounts (
    id           UUID PRIMARY KEY NOT NULL,
    org_id       UUID NOT NULL REFERENCES orgs (id),
    name         TEXT COLLATE "C" NOT NULL,
    role         TEXT COLLATE "C" NOT NULL,
    -- Keyed hash (HMAC-SHA-256); the secret itself is nowhere.
    secret_hash  BYTEA NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (org_id, name)
);
