-- Conventions: ids are BLOB(16); times are INTEGER microseconds since the Unix epoch, UTC; JSON is
-- TEXT. Tenant tables carry org_id, and a reference between two of them includes it, so that the
-- database itself refuses a row of one organization that points into another.

CREATE TABLE orgs (
    id         BLOB PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
);

CREATE TABLE users (
    id           BLOB PRIMARY KEY NOT NULL,
    org_id       BLOB NOT NULL REFERENCES orgs (id),
    issuer       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    email        TEXT,
    roles        TEXT NOT NULL,
    groups       TEXT NOT NULL,
    last_seen_at INTEGER NOT NULL,
    UNIQUE (org_id, issuer, subject),
    UNIQUE (org_id, id)
);

-- Sealed values of the installation itself: the issuer's signing key, the key-check value.
CREATE TABLE sealed_values (
    name  TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
);

CREATE TABLE connections (
    id             BLOB PRIMARY KEY NOT NULL,
    org_id         BLOB NOT NULL REFERENCES orgs (id),
    name           TEXT NOT NULL,
    model_provider TEXT NOT NULL,
    auth_type      TEXT NOT NULL,
    base_url       TEXT NOT NULL,
    settings       TEXT NOT NULL,
    sealed         BLOB,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    UNIQUE (org_id, name),
    UNIQUE (org_id, id)
);

CREATE TABLE providers (
    id                       BLOB PRIMARY KEY NOT NULL,
    org_id                   BLOB NOT NULL REFERENCES orgs (id),
    name                     TEXT NOT NULL,
    -- Lower-case name: prefixes of model names match it without regard to case.
    name_key                 TEXT NOT NULL,
    model_provider           TEXT NOT NULL,
    -- With a connection, each of these three is its own or, where the flag is set, the connection's.
    auth_type                TEXT NOT NULL,
    auth_type_inherited      BOOLEAN NOT NULL,
    base_url                 TEXT NOT NULL,
    base_url_inherited       BOOLEAN NOT NULL,
    settings                 TEXT NOT NULL,
    settings_inherited       BOOLEAN NOT NULL,
    catalog_id               BLOB,
    connection_id            BLOB,
    sealed                   BLOB,
    enabled                  BOOLEAN NOT NULL,
    enforce_health_check     BOOLEAN NOT NULL,
    health_status            TEXT NOT NULL,
    health_detail            TEXT,
    health_checked_at        INTEGER,
    request_timeout_secs     INTEGER,
    stream_idle_timeout_secs INTEGER,
    created_at               INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL,
    UNIQUE (org_id, name_key),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, connection_id) REFERENCES connections (org_id, id)
);
CREATE INDEX providers_by_connection ON providers (org_id, connection_id);

CREATE TABLE routes (
    id                            BLOB PRIMARY KEY NOT NULL,
    org_id                        BLOB NOT NULL,
    provider_id                   BLOB NOT NULL,
    model_alias                   TEXT NOT NULL,
    upstream_model                TEXT NOT NULL,
    enabled                       BOOLEAN NOT NULL,
    priority                      INTEGER NOT NULL,
    retry_on_429_count            INTEGER NOT NULL,
    retry_on_429_max_wait_secs    INTEGER NOT NULL,
    bare_alias                    BOOLEAN NOT NULL,
    request_timeout_secs          INTEGER,
    request_timeout_inherited     BOOLEAN NOT NULL,
    stream_idle_timeout_secs      INTEGER,
    stream_idle_timeout_inherited BOOLEAN NOT NULL,
    max_concurrent_requests       INTEGER,
    created_at                    INTEGER NOT NULL,
    updated_at                    INTEGER NOT NULL,
    FOREIGN KEY (org_id, provider_id) REFERENCES providers (org_id, id) ON DELETE CASCADE
);
CREATE INDEX routes_by_provider ON routes (org_id, provider_id, upstream_model);
-- A model is enabled on a provider once.
CREATE UNIQUE INDEX routes_enablement ON routes (provider_id, upstream_model)
    WHERE model_alias = upstream_model;

CREATE TABLE api_keys (
    id                 BLOB PRIMARY KEY NOT NULL,
    org_id             BLOB NOT NULL REFERENCES orgs (id),
    name               TEXT NOT NULL,
    key_prefix         TEXT NOT NULL,
    -- Keyed hash (HMAC-SHA-256); the key itself is nowhere.
    hash               BLOB NOT NULL UNIQUE,
    created_by_user_id BLOB NOT NULL,
    user_id            BLOB,
    group_name         TEXT,
    scopes             TEXT NOT NULL,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER,
    revoked_at         INTEGER,
    FOREIGN KEY (org_id, created_by_user_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
);
CREATE INDEX api_keys_by_org ON api_keys (org_id, created_at);
CREATE INDEX api_keys_by_user ON api_keys (org_id, user_id);

-- One row per request, written for every one that the gateway serves: so it has the columns by which
-- it is found and paged, and the record's JSON, in which the other filters look. Each further column
-- costs the write path about as much as 150 bytes of record; filters run within one organization
-- and period.
-- org_id is the nil UUID where the key was not known: it takes part in the key, and no organization
-- has that id. A record keeps its ts, so (org_id, ts, id) is as unique as the id alone, and one
-- index, appended to at its end, serves idempotency and paging.
CREATE TABLE usage_records (
    org_id BLOB NOT NULL,
    ts     INTEGER NOT NULL,
    id     BLOB NOT NULL,
    record TEXT NOT NULL
);
CREATE UNIQUE INDEX usage_records_by_org ON usage_records (org_id, ts, id);
