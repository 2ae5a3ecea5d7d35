-- Versions of prices. Rows are only added; those that have not taken effect may change or go.
-- A rule is all rows of one (org_id, model_pattern, model_provider, provider_id). Its key has no
-- nulls, so that the database can keep it unique: an empty model_provider means any, the nil UUID as
-- provider_id every provider. A provider's rules outlive it, because usage records name them.
-- Prices are in units of 10^-12 US dollars per million tokens.
CREATE TABLE pricing_versions (
    id                 BLOB PRIMARY KEY NOT NULL,
    org_id             BLOB NOT NULL REFERENCES orgs (id),
    model_pattern      TEXT NOT NULL,
    model_provider     TEXT NOT NULL,
    provider_id        BLOB NOT NULL,
    effective_from     INTEGER NOT NULL,
    catalog_slug       TEXT,
    input_price        INTEGER NOT NULL,
    output_price       INTEGER NOT NULL,
    cache_read_price   INTEGER,
    cache_write_price  INTEGER,
    sync_mode          TEXT NOT NULL,
    change_source      TEXT NOT NULL,
    change_reason      TEXT,
    is_archived        BOOLEAN NOT NULL,
    -- None where the gateway itself wrote it.
    created_by_user_id BLOB,
    created_at         INTEGER NOT NULL,
    UNIQUE (org_id, model_pattern, model_provider, provider_id, effective_from)
);

-- The organization's switches; one that has no row has the defaults.
CREATE TABLE governance_config (
    org_id                       BLOB PRIMARY KEY NOT NULL REFERENCES orgs (id),
    require_pricing_for_mappings BOOLEAN NOT NULL DEFAULT FALSE
);
