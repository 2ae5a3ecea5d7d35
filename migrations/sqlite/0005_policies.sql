-- Rate limits, budgets and model access of an organization. A scope's id and value are null where the
-- policy names none; one policy of a kind has a scope (and target, and lane) for itself.
CREATE TABLE rate_limits (
    id                  BLOB PRIMARY KEY NOT NULL,
    org_id              BLOB NOT NULL REFERENCES orgs (id),
    name                TEXT NOT NULL,
    scope_type          TEXT NOT NULL,
    scope_id            BLOB,
    scope_value         TEXT,
    requests_per_minute INTEGER,
    tokens_per_minute   INTEGER,
    traffic_type        TEXT NOT NULL,
    enabled             BOOLEAN NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
);
CREATE UNIQUE INDEX rate_limits_by_scope ON rate_limits (org_id, scope_type,
    COALESCE(scope_id, x'00000000000000000000000000000000'), COALESCE(scope_value, ''), traffic_type);

-- Money is in units of 10^-9 of the currency.
CREATE TABLE budgets (
    id                    BLOB PRIMARY KEY NOT NULL,
    org_id                BLOB NOT NULL REFERENCES orgs (id),
    name                  TEXT NOT NULL,
    scope_type            TEXT NOT NULL,
    scope_id              BLOB,
    scope_value           TEXT,
    period                TEXT NOT NULL,
    token_limit           INTEGER NOT NULL,
    cost_limit            INTEGER,
    currency              TEXT NOT NULL,
    alert_thresholds      TEXT NOT NULL,
    action_on_exhaust     TEXT NOT NULL,
    traffic_type          TEXT NOT NULL,
    enabled               BOOLEAN NOT NULL,
    strict                BOOLEAN NOT NULL,
    -- The provider may be gone: then nothing is served by it.
    target_provider_id    BLOB,
    target_upstream_model TEXT,
    target_model_alias    TEXT,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
);
CREATE UNIQUE INDEX budgets_by_scope ON budgets (org_id, scope_type,
    COALESCE(scope_id, x'00000000000000000000000000000000'), COALESCE(scope_value, ''), traffic_type, period,
    COALESCE(target_provider_id, x'00000000000000000000000000000000'), COALESCE(target_upstream_model, ''),
    COALESCE(target_model_alias, ''));

CREATE TABLE model_access (
    id           BLOB PRIMARY KEY NOT NULL,
    org_id       BLOB NOT NULL REFERENCES orgs (id),
    name         TEXT NOT NULL,
    scope_type   TEXT NOT NULL,
    scope_id     BLOB,
    scope_value  TEXT,
    policy_type  TEXT NOT NULL,
    -- JSON, in the order in which they were given.
    targets      TEXT NOT NULL,
    traffic_type TEXT NOT NULL,
    enabled      BOOLEAN NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);
CREATE INDEX model_access_by_org ON model_access (org_id, created_at, id);

CREATE TABLE smart_models (
    id                         BLOB PRIMARY KEY NOT NULL,
    org_id                     BLOB NOT NULL REFERENCES orgs (id),
    model_alias                TEXT NOT NULL,
    -- Lower case: two that differ in case alone are one.
    alias_key                  TEXT NOT NULL,
    description                TEXT,
    enabled                    BOOLEAN NOT NULL,
    determiner_model_alias     TEXT NOT NULL,
    slots                      TEXT NOT NULL,
    context_breakpoints        TEXT NOT NULL,
    determiner_input_max_chars INTEGER NOT NULL,
    default_slot_on_failure    INTEGER NOT NULL,
    created_at                 INTEGER NOT NULL,
    updated_at                 INTEGER NOT NULL,
    UNIQUE (org_id, alias_key)
);

-- What the organization says of models, in place of what the program knows. Null: as the program.
CREATE TABLE model_overrides (
    org_id            BLOB NOT NULL REFERENCES orgs (id),
    model_pattern     TEXT NOT NULL,
    model_provider    TEXT,
    capabilities      TEXT,
    reasoning_mode    TEXT,
    context_tokens    INTEGER,
    max_output_tokens INTEGER,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    PRIMARY KEY (org_id, model_pattern)
);

CREATE TABLE alert_webhooks (
    id         BLOB PRIMARY KEY NOT NULL,
    org_id     BLOB NOT NULL REFERENCES orgs (id),
    name       TEXT NOT NULL,
    url        TEXT NOT NULL,
    events     TEXT NOT NULL,
    enabled    BOOLEAN NOT NULL,
    -- The key of its signatures, sealed.
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (org_id, name),
    UNIQUE (org_id, id)
);

-- Messages to webhooks. A row stays after it is done, so that what it tells is not told again.
CREATE TABLE webhook_deliveries (
    id         BLOB PRIMARY KEY NOT NULL,
    org_id     BLOB NOT NULL,
    webhook_id BLOB NOT NULL,
    -- What it tells, once for each webhook.
    alert_key  TEXT NOT NULL,
    body       TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    -- Whoever takes a message to send it moves this ahead: if it never reports back, another
    -- replica takes the message then.
    due_at     INTEGER NOT NULL,
    done_at    INTEGER,
    delivered  BOOLEAN,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (webhook_id, alert_key),
    FOREIGN KEY (org_id, webhook_id) REFERENCES alert_webhooks (org_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE done_at IS NULL;
