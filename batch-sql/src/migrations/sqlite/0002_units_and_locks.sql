-- The log of units of work, and named locks. A lock's row is its holder's until it is deleted, or its lease is over.
CREATE TABLE @unit (
    id          INTEGER PRIMARY KEY,
    instance_id INTEGER NOT NULL,
    step_name   TEXT NOT NULL,
    unit_key    TEXT NOT NULL,
    status      TEXT NOT NULL,
    attempts    INTEGER NOT NULL,
    error       TEXT,
    step_id     INTEGER NOT NULL,
    start_time  TEXT NOT NULL,
    end_time    TEXT,
    UNIQUE (instance_id, step_name, unit_key)
) STRICT;
CREATE INDEX @@unit_order ON @unit (instance_id, step_name, id);
CREATE INDEX @@unit_status ON @unit (instance_id, step_name, status, id);

CREATE TABLE @lock (
    name         TEXT PRIMARY KEY,
    token        TEXT NOT NULL,
    owner        TEXT NOT NULL,
    boot         TEXT NOT NULL,
    until_uptime INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
