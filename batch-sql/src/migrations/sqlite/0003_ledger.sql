-- What tells this repository from every other; one row, written when it is first asked for.
CREATE TABLE @repository (
    only_one    INTEGER PRIMARY KEY CHECK (only_one = 1),
    id          TEXT NOT NULL,
    create_time TEXT NOT NULL
) STRICT;

-- How far steps are that write their rows here while their repository is elsewhere; `entry` is the last commit, as JSON.
CREATE TABLE @ledger (
    repository   TEXT NOT NULL,
    instance_id  INTEGER NOT NULL,
    step_name    TEXT NOT NULL,
    holder       INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    commit_no    INTEGER NOT NULL,
    entry        TEXT,
    create_time  TEXT NOT NULL,
    last_updated TEXT NOT NULL,
    PRIMARY KEY (repository, instance_id, step_name)
) STRICT;
