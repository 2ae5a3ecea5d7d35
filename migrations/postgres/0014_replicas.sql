-- How many replicas there were when Redis last told: one that starts while Redis is away takes its share of them.
CREATE TABLE replicas (
    id    BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    count BIGINT NOT NULL
);
