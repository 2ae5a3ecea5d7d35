-- Conventions: ids are UUID; times are BIGINT microseconds since the Unix epoch, UTC; JSON is TEXT;
-- text sorts by its bytes, as in SQLite. Tenant tables carry org_id, and a reference between two of
-- them includes it, so that the database itself refuses a row of one organization that points into
-- another.

CREATE TABLE orgs (
    id         UUID PRIMARY KEY NOT NULL,
    name       TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id           UUID PRIMARY KEY NOT NULL,
    org_id       UUID NOT NULL REFERENCES orgs (id),
    issuer       TEXT COLLATE "C" NOT NULL,
    subject      TEXT COLLATE "C" NOT NULL,
    email        TEXT COLLATE "C",
    roles        TEXT COLLATE "C" NOT NULL,
    groups       TEXT COLLATE "C" NOT NULL,
    last_seen_at BIGINT NOT NULL,
    UNIQUE (org_id, issuer, subject),
    UNIQUE (org_id, id)
);

-- Sealed values of the installation itself: the issuer's signing key, the key-check value.
CREATE TABLE sealed_values (
    name  TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    value BYTEA NOT NULL
);

CREATE TABLE connections (
    id             UUID PRIMARY KEY NOT NULL,
    org_id         UUID NOT NULL REFERENCES orgs (id),
    name           TEXT COLLATE "C" NOT NULL,
    model_provider TEXT COLLATE "C" NOT NULL,
    auth_type      TEXT COLLATE "C" NOT NULL,
    base_url       TEXT COLLATE "C" NOT NULL,
    settings       TEXT COLLATE "C" NOT NULL,
    sealed         BYTEA,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    UNIQUE (org_id, name),
    UNIQUE (org_id, id)
);

CREATE TABLE providers (
    id                       UUID PRIMARY KEY NOT NULL,
    org_id                   UUID NOT NULL REFERENCES orgs (id),
    name                     TEXT COLLATE "C" NOT NULL,
    -- Lower-case name: prefixes of model names match it without regard to case.
    name_key                 TEXT COLLATE "C" NOT NULL,
    model_provider           TEXT COLLATE "C" NOT NULL,
    -- With a connection, each of these three is its own or, where the flag is set, the connection's.
    auth_type                TEXT COLLATE "C" NOT NULL,
    auth_type_inherited      BOOLEAN NOT NULL,
    base_url                 TEXT COLLATE "C" NOT NULL,
    base_url_inherited       BOOLEAN NOT NULL,
    settings                 TEXT COLLATE "C" NOT NULL,
    settings_inherited       BOOLEAN NOT NULL,
    catalog_id               UUID,
    connection_id            UUID,
    sealed                   BYTEA,
    enabled                  BOOLEAN NOT NULL,
    enforce_health_check     BOOLEAN NOT NULL,
    health_status            TEXT COLLATE "C" NOT NULL,
    health_detail            TEXT COLLATE "C",
    health_checked_at        BIGINT,
    request_timeout_secs     BIGINT,
    stream_idle_timeout_secs BIGINT,
    created_at               BIGINT NOT NULL,
    updated_at               BIGINT NOT NULL,
    UNIQUE (org_id, name_key),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id, connection_id) REFERENCES connections (org_id, id)
);
CREATE INDEX providers_by_connection ON providers (org_id, connection_id);

CREATE TABLE routes (
    id                            UUID PRIMARY KEY NOT NULL,
    org_id                        UUID NOT NULL,
    provider_id                   UUID NOT NULL,
    model_alias                   TEXT COLLATE "C" NOT NULL,
    upstream_model                TEXT COLLATE "C" NOT NULL,
    enabled                       BOOLEAN NOT NULL,
    priority                      BIGINT NOT NULL,
    retry_on_429_count            BIGINT NOT NULL,
    retry_on_429_max_wait_secs    BIGINT NOT NULL,
    bare_alias                    BOOLEAN NOT NULL,
    request_timeout_secs          BIGINT,
    request_timeout_inherited     BOOLEAN NOT NULL,
    stream_idle_timeout_secs      BIGINT,
    stream_idle_timeout_inherited BOOLEAN NOT NULL,
    max_concurrent_requests       BIGINT,
    created_at                    BIGINT NOT NULL,
    updated_at                    BIGINT NOT NULL,
    FOREIGN KEY (org_id, provider_id) REFERENCES providers (org_id, id) ON DELETE CASCADE
);
CREATE INDEX routes_by_provider ON routes (org_id, provider_id, upstream_model);
-- A model is enabled on a provider once.
CREATE UNIQUE INDEX routes_enablement ON routes (provider_id, upstream_model)
    WHERE model_alias = upstream_model;

CREATE TABLE api_keys (
    id                 UUID PRIMARY KEY NOT NULL,
    org_id             UUID NOT NULL REFERENCES orgs (id),
    name               TEXT COLLATE "C" NOT NULL,
    key_prefix         TEXT COLLATE "C" NOT NULL,
    -- Keyed hash (HMAC-SHA-256); the key itself is nowhere.
    hash               BYTEA NOT NULL UNIQUE,
    created_by_user_id UUID NOT NULL,
    user_id            UUID,
    group_name         TEXT COLLATE "C",
    scopes             TEXT COLLATE "C" NOT NULL,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT,
    revoked_at         BIGINT,
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
    org_id UUID NOT NULL,
    ts     BIGINT NOT NULL,
    id     UUID NOT NULL,
    record TEXT NOT NULL
);
CREATE UNIQUE INDEX usage_records_by_org ON usage_records (org_id, ts, id);
