-- The log of units of work. Named locks are the server's own.
CREATE TABLE @unit (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance_id bigint NOT NULL,
    step_name   text{exact} NOT NULL,
    unit_key    text{exact} NOT NULL,
    status      text NOT NULL,
    attempts    bigint NOT NULL,
    error       text,
    step_id     bigint NOT NULL,
    start_time  timestamptz NOT NULL,
    end_time    timestamptz,
    UNIQUE (instance_id, step_name, unit_key)
);
CREATE INDEX @@unit_order ON @unit (instance_id, step_name, id);
CREATE INDEX @@unit_status ON @unit (instance_id, step_name, status, id);
