-- Up to where the records of each ledger (one process's spool) are stored: written in the transaction
-- that stores them, so that counters which begin with the sums know exactly what these hold.
CREATE TABLE ledger_marks (
    ledger   UUID NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    -- When it was last moved.
    at       BIGINT NOT NULL
);
