-- People who are signed in to the console. The cookie itself is nowhere: only its keyed hash
-- (HMAC-SHA-256) is here.
CREATE TABLE console_sessions (
    hash       BLOB PRIMARY KEY NOT NULL,
    org_id     BLOB NOT NULL,
    user_id    BLOB NOT NULL,
    -- As of the sign-in.
    role       TEXT NOT NULL,
    used_at    INTEGER NOT NULL,
    -- Whatever its use.
    ends_at    INTEGER NOT NULL,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
CREATE INDEX console_sessions_by_end ON console_sessions (ends_at);

-- Links that sign someone in once, by the keyed hash of their token.
CREATE TABLE sign_in_links (
    hash    BLOB PRIMARY KEY NOT NULL,
    org_id  BLOB NOT NULL,
    user_id BLOB NOT NULL,
    role    TEXT NOT NULL,
    ends_at INTEGER NOT NULL,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);
