-- What tells this repository from every other; one row, written when it is first asked for.
CREATE TABLE IF NOT EXISTS @repository (
    only_one    SMALLINT PRIMARY KEY CHECK (only_one = 1),
    id          VARCHAR(255) NOT NULL,
    create_time DATETIME(6) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How far steps are that write their rows here while their repository is elsewhere; `entry` is the last commit, as JSON.
CREATE TABLE IF NOT EXISTS @ledger (
    repository   VARCHAR(255){exact} NOT NULL,
    instance_id  BIGINT NOT NULL,
    step_name    VARCHAR(255){exact} NOT NULL,
    holder       BIGINT NOT NULL,
    epoch        BIGINT NOT NULL,
    commit_no    BIGINT NOT NULL,
    entry        LONGTEXT,
    create_time  DATETIME(6) NOT NULL,
    last_updated DATETIME(6) NOT NULL,
    PRIMARY KEY (repository, instance_id, step_name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
