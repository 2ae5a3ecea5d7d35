-- People who are signed in to the console. The cookie itself is nowhere: only its keyed hash
-- (HMAC-SHA-256) is here.
CREATE TABLE console_sessions (
    hash       BYTEA PRIMARY KEY NOT NULL,
    org_id     UUID NOT NULL,
    user_id    UUID NOT NULL,
    -- As of the sign-in.
    role       TEXT COLLATE "C" NOT NULL,
    used_at    BIGINT NOT NULL,
    -- Whatever its use.
    ends_at    BIGINT NOT NULL,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX console_sessions_by_end ON console_sessions (ends_at);

-- Links that sign someone in once, by the keyed hash of their token.
CREATE TABLE sign_in_links (
    hash    BYTEA PRIMARY KEY NOT NULL,
    org_id  UUID NOT NULL,
    user_id UUID NOT NULL,
    role    TEXT COLLATE "C" NOT NULL,
    ends_at BIGINT NOT NULL,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
