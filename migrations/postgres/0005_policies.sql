-- Rate limits, budgets and model access of an organization. A scope's id and value are null where the
-- policy names none; one policy of a kind has a scope (and target, and lane) for itself.
CREATE TABLE rate_limits (
    id                  UUID PRIMARY KEY NOT NULL,
    org_id              UUID NOT NULL REFERENCES orgs (id),
    name                TEXT COLLATE "C" NOT NULL,
    scope_type          TEXT COLLATE "C" NOT NULL,
    scope_id            UUID,
    scope_value         TEXT COLLATE "C",
    requests_per_minute BIGINT,
    tokens_per_minute   BIGINT,
    traffic_type        TEXT COLLATE "C" NOT NULL,
    enabled             BOOLEAN NOT NULL,
    created_at          BIGINT NOT NULL,
    updated_at          BIGINT NOT NULL
);
CREATE UNIQUE INDEX rate_limits_by_scope ON rate_limits (org_id, scope_type,
    COALESCE(scope_id, '00000000-0000-0000-0000-000000000000'::UUID), COALESCE(scope_value, ''), traffic_type);

-- Money is in units of 10^-9 of the currency.
CREATE TABLE budgets (
    id                    UUID PRIMARY KEY NOT NULL,
    org_id                UUID NOT NULL REFERENCES orgs (id),
    name                  TEXT COLLATE "C" NOT NULL,
    scope_type            TEXT COLLATE "C" NOT NULL,
    scope_id              UUID,
    scope_value           TEXT COLLATE "C",
    period                TEXT COLLATE "C" NOT NULL,
    token_limit           BIGINT NOT NULL,
    cost_limit            BIGINT,
    currency              TEXT COLLATE "C" NOT NULL,
    alert_thresholds      TEXT COLLATE "C" NOT NULL,
    action_on_exhaust     TEXT COLLATE "C" NOT NULL,
    traffic_type          TEXT COLLATE "C" NOT NULL,
    enabled               BOOLEAN NOT NULL,
    strict                BOOLEAN NOT NULL,
    -- The provider may be gone: then nothing is served by it.
    target_provider_id    UUID,
    target_upstream_model TEXT COLLATE "C",
    target_model_alias    TEXT COLLATE "C",
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL
);
CREATE UNIQUE INDEX budgets_by_scope ON budgets (org_id, scope_type,
    COALESCE(scope_id, '00000000-0000-0000-0000-000000000000'::UUID), COALESCE(scope_value, ''), traffic_type, period,
    COALESCE(target_provider_id, '00000000-0000-0000-0000-000000000000'::UUID), COALESCE(target_upstream_model, ''),
    COALESCE(target_model_alias, ''));

CREATE TABLE model_access (
    id           UUID PRIMARY KEY NOT NULL,
    org_id       UUID NOT NULL REFERENCES orgs (id),
    name         TEXT COLLATE "C" NOT NULL,
    scope_type   TEXT COLLATE "C" NOT NULL,
    scope_id     UUID,
    scope_value  TEXT COLLATE "C",
    policy_type  TEXT COLLATE "C" NOT NULL,
    -- JSON, in the order in which they were given.
    targets      TEXT COLLATE "C" NOT NULL,
    traffic_type TEXT COLLATE "C" NOT NULL,
    enabled      BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE INDEX model_access_by_org ON model_access (org_id, created_at, id);

CREATE TABLE smart_models (
    id                         UUID PRIMARY KEY NOT NULL,
    org_id                     UUID NOT NULL REFERENCES orgs (id),
    model_alias                TEXT COLLATE "C" NOT NULL,
    -- Lower case: two that differ in case alone are one.
    alias_key                  TEXT COLLATE "C" NOT NULL,
    description                TEXT COLLATE "C",
    enabled                    BOOLEAN NOT NULL,
    determiner_model_alias     TEXT COLLATE "C" NOT NULL,
    slots                      TEXT COLLATE "C" NOT NULL,
    context_breakpoints        TEXT COLLATE "C" NOT NULL,
    determiner_input_max_chars BIGINT NOT NULL,
    default_slot_on_failure    BIGINT NOT NULL,
    created_at                 BIGINT NOT NULL,
    updated_at                 BIGINT NOT NULL,
    UNIQUE (org_id, alias_key)
);

-- What the organization says of models, in place of what the program knows. Null: as the program.
CREATE TABLE model_overrides (
    org_id            UUID NOT NULL REFERENCES orgs (id),
    model_pattern     TEXT COLLATE "C" NOT NULL,
    model_provider    TEXT COLLATE "C",
    capabilities      TEXT COLLATE "C",
    reasoning_mode    TEXT COLLATE "C",
    context_tokens    BIGINT,
    max_output_tokens BIGINT,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    PRIMARY KEY (org_id, model_pattern)
);

CREATE TABLE alert_webhooks (
    id         UUID PRIMARY KEY NOT NULL,
    org_id     UUID NOT NULL REFERENCES orgs (id),
    name       TEXT COLLATE "C" NOT NULL,
    url        TEXT COLLATE "C" NOT NULL,
    events     TEXT COLLATE "C" NOT NULL,
    enabled    BOOLEAN NOT NULL,
    -- The key of its signatures, sealed.
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (org_id, name),
    UNIQUE (org_id, id)
);

-- Messages to webhooks. A row stays after it is done, so that what it tells is not told again.
CREATE TABLE webhook_deliveries (
    id         UUID PRIMARY KEY NOT NULL,
    org_id     UUID NOT NULL,
    webhook_id UUID NOT NULL,
    -- What it tells, once for each webhook.
    alert_key  TEXT COLLATE "C" NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    attempts   BIGINT NOT NULL,
    -- Whoever takes a message to send it moves this ahead: if it never reports back, another
    -- replica takes the message then.
    due_at     BIGINT NOT NULL,
    done_at    BIGINT,
    delivered  BOOLEAN,
    last_error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    UNIQUE (webhook_id, alert_key),
    FOREIGN KEY (org_id, webhook_id) REFERENCES alert_webhooks (org_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE done_at IS NULL;
