-- Up to where each ledger's records are here. Written in the transaction that brings them.
CREATE TABLE usage_marks (
    ledger BLOB NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
