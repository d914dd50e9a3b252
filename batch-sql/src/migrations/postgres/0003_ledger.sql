-- What tells this repository from every other; one row, written when it is first asked for.
CREATE TABLE @repository (
    only_one    smallint PRIMARY KEY CHECK (only_one = 1),
    id          text NOT NULL,
    create_time timestamptz NOT NULL
);

-- How far steps are that write their rows here while their repository is elsewhere; `entry` is the last commit, as JSON.
CREATE TABLE @ledger (
    repository   text{exact} NOT NULL,
    instance_id  bigint NOT NULL,
    step_name    text{exact} NOT NULL,
    holder       bigint NOT NULL,
    epoch        bigint NOT NULL,
    commit_no    bigint NOT NULL,
    entry        text,
    create_time  timestamptz NOT NULL,
    last_updated timestamptz NOT NULL,
    PRIMARY KEY (repository, instance_id, step_name)
);
