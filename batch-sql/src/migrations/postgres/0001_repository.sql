-- `@name` stands for a table of the repository: prefix and schema are put before it, and the whole is quoted; `@@name` for an index.
-- Rows that are written in a chunk's transaction refer to no other table: the check would lock rows out of the agreed order.
CREATE TABLE @instance (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_name    text{exact} NOT NULL,
    job_key     text{exact} NOT NULL,
    create_time timestamptz NOT NULL,
    UNIQUE (job_name, job_key)
);
CREATE INDEX @@instance_job ON @instance (job_name, id);

CREATE TABLE @execution (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id  bigint NOT NULL REFERENCES @instance (id),
    status       text NOT NULL,
    exit_code    text NOT NULL,
    exit_message text NOT NULL,
    create_time  timestamptz NOT NULL,
    start_time   timestamptz,
    end_time     timestamptz,
    last_updated timestamptz NOT NULL,
    context      text NOT NULL,
    request      text,
    owner        text NOT NULL,
    token        text NOT NULL,
    active_key   bigint UNIQUE
);
CREATE INDEX @@execution_instance ON @execution (instance_id, id);
CREATE INDEX @@execution_status ON @execution (instance_id, status);

CREATE TABLE @parameter (
    execution_id bigint NOT NULL,
    name         text{exact} NOT NULL,
    type         text NOT NULL,
    value        text NOT NULL,
    identifying  smallint NOT NULL,
    PRIMARY KEY (execution_id, name)
);

CREATE TABLE @lease (
    execution_id bigint PRIMARY KEY,
    token        text NOT NULL,
    host         text NOT NULL,
    boot         text NOT NULL,
    until_time   timestamptz NOT NULL
);

-- One row is updated with every chunk: room for its next versions on the same page spares the indexes.
CREATE TABLE @step (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution_id       bigint NOT NULL REFERENCES @execution (id),
    instance_id        bigint NOT NULL,
    step_name          text{exact} NOT NULL,
    status             text NOT NULL,
    exit_code          text NOT NULL,
    exit_message       text NOT NULL,
    start_no           bigint NOT NULL,
    epoch              bigint NOT NULL,
    commit_no          bigint NOT NULL,
    read_count         bigint NOT NULL DEFAULT 0,
    write_count        bigint NOT NULL DEFAULT 0,
    filter_count       bigint NOT NULL DEFAULT 0,
    read_skip_count    bigint NOT NULL DEFAULT 0,
    process_skip_count bigint NOT NULL DEFAULT 0,
    write_skip_count   bigint NOT NULL DEFAULT 0,
    commit_count       bigint NOT NULL DEFAULT 0,
    rollback_count     bigint NOT NULL DEFAULT 0,
    checkpoint         text NOT NULL,
    context            text NOT NULL,
    start_time         timestamptz NOT NULL,
    end_time           timestamptz,
    last_updated       timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX @@step_execution ON @step (execution_id, id);
CREATE INDEX @@step_last ON @step (instance_id, step_name, id);

CREATE TABLE @skip (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step_id       bigint NOT NULL,
    phase         text NOT NULL,
    record_number bigint NOT NULL,
    line          bigint,
    byte          bigint,
    column_name   text,
    reason        text NOT NULL,
    item          text
);
CREATE INDEX @@skip_step ON @skip (step_id, id);
