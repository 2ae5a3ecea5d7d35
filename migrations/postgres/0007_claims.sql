-- What the gateway's own identity at a cloud gives access to: an AWS role with its external id, a Google
-- service account. Each belongs to the one organization that named it first, for as long as one of its
-- connections or providers does.
CREATE TABLE identity_claims (
    -- The connection or provider.
    holder_id UUID PRIMARY KEY NOT NULL,
    org_id    UUID NOT NULL REFERENCES orgs (id),
    claim     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX identity_claims_by_claim ON identity_claims (claim);
