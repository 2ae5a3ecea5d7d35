-- Up to where each ledger's records are here. Written in the transaction that brings them.
CREATE TABLE usage_marks (
    ledger UUID NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL
);
