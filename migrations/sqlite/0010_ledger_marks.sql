-- Up to where the records of each ledger (one process's spool) are stored: written in the transaction
-- that stores them, so that counters which begin with the sums know exactly what these hold.
CREATE TABLE ledger_marks (
    ledger   BLOB NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    -- When it was last moved.
    at       INTEGER NOT NULL
) WITHOUT ROWID;
