-- `@name` stands for a table or index of the repository: the prefix is put before it, and the whole is quoted.
CREATE TABLE @instance (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    job_name    TEXT NOT NULL,
    job_key     TEXT NOT NULL,
    create_time TEXT NOT NULL,
    UNIQUE (job_name, job_key)
) STRICT;
CREATE INDEX @@instance_job ON @instance (job_name, id);

CREATE TABLE @execution (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_id  INTEGER NOT NULL REFERENCES @instance (id),
    status       TEXT NOT NULL,
    exit_code    TEXT NOT NULL,
    exit_message TEXT NOT NULL,
    create_time  TEXT NOT NULL,
    start_time   TEXT,
    end_time     TEXT,
    last_updated TEXT NOT NULL,
    context      TEXT NOT NULL,
    request      TEXT,
    owner        TEXT NOT NULL,
    token        TEXT NOT NULL,
    active_key   INTEGER UNIQUE
) STRICT;
CREATE INDEX @@execution_instance ON @execution (instance_id, id);
CREATE INDEX @@execution_status ON @execution (instance_id, status);

CREATE TABLE @parameter (
    execution_id INTEGER NOT NULL REFERENCES @execution (id),
    name         TEXT NOT NULL,
    type         TEXT NOT NULL,
    value        TEXT NOT NULL,
    identifying  INTEGER NOT NULL,
    PRIMARY KEY (execution_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE @lease (
    execution_id INTEGER PRIMARY KEY REFERENCES @execution (id),
    token        TEXT NOT NULL,
    host         TEXT NOT NULL,
    boot         TEXT NOT NULL,
    until_uptime INTEGER NOT NULL,
    until_time   TEXT NOT NULL
) STRICT;

CREATE TABLE @step (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    execution_id       INTEGER NOT NULL REFERENCES @execution (id),
    instance_id        INTEGER NOT NULL REFERENCES @instance (id),
    step_name          TEXT NOT NULL,
    status             TEXT NOT NULL,
    exit_code          TEXT NOT NULL,
    exit_message       TEXT NOT NULL,
    start_no           INTEGER NOT NULL,
    epoch              INTEGER NOT NULL,
    commit_no          INTEGER NOT NULL,
    read_count         INTEGER NOT NULL DEFAULT 0,
    write_count        INTEGER NOT NULL DEFAULT 0,
    filter_count       INTEGER NOT NULL DEFAULT 0,
    read_skip_count    INTEGER NOT NULL DEFAULT 0,
    process_skip_count INTEGER NOT NULL DEFAULT 0,
    write_skip_count   INTEGER NOT NULL DEFAULT 0,
    commit_count       INTEGER NOT NULL DEFAULT 0,
    rollback_count     INTEGER NOT NULL DEFAULT 0,
    checkpoint         TEXT NOT NULL,
    context            TEXT NOT NULL,
    start_time         TEXT NOT NULL,
    end_time           TEXT,
    last_updated       TEXT NOT NULL
) STRICT;
CREATE INDEX @@step_execution ON @step (execution_id, id);
CREATE INDEX @@step_last ON @step (instance_id, step_name, id);

CREATE TABLE @skip (
    id            INTEGER PRIMARY KEY,
    step_id       INTEGER NOT NULL REFERENCES @step (id),
    phase         TEXT NOT NULL,
    record_number INTEGER NOT NULL,
    line          INTEGER,
    byte          INTEGER,
    column_name   TEXT,
    reason        TEXT NOT NULL,
    item          TEXT
) STRICT;
CREATE INDEX @@skip_step ON @skip (step_id, id);
