-- `@name` stands for a table of the repository: prefix and schema are put before it, and the whole is quoted; `@@name` for an index.
-- DDL commits by itself, so each statement can be run again. Rows that are written in a chunk's transaction refer to no other table: the
-- check would lock rows out of the agreed order.
CREATE TABLE IF NOT EXISTS @instance (
    id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    job_name    VARCHAR(255){exact} NOT NULL,
    job_key     VARCHAR(255){exact} NOT NULL,
    create_time DATETIME(6) NOT NULL,
    UNIQUE (job_name, job_key),
    INDEX @@instance_job (job_name, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS @execution (
    id           BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    instance_id  BIGINT NOT NULL,
    status       VARCHAR(255) NOT NULL,
    exit_code    VARCHAR(255) NOT NULL,
    exit_message LONGTEXT NOT NULL,
    create_time  DATETIME(6) NOT NULL,
    start_time   DATETIME(6),
    end_time     DATETIME(6),
    last_updated DATETIME(6) NOT NULL,
    context      LONGTEXT NOT NULL,
    request      VARCHAR(255),
    owner        LONGTEXT NOT NULL,
    token        VARCHAR(255) NOT NULL,
    active_key   BIGINT UNIQUE,
    INDEX @@execution_instance (instance_id, id),
    INDEX @@execution_status (instance_id, status),
    FOREIGN KEY (instance_id) REFERENCES @instance (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS @parameter (
    execution_id BIGINT NOT NULL,
    name         VARCHAR(255){exact} NOT NULL,
    type         VARCHAR(255) NOT NULL,
    value        LONGTEXT NOT NULL,
    identifying  SMALLINT NOT NULL,
    PRIMARY KEY (execution_id, name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS @lease (
    execution_id BIGINT PRIMARY KEY,
    token        VARCHAR(255) NOT NULL,
    host         VARCHAR(255) NOT NULL,
    boot         VARCHAR(255) NOT NULL,
    until_time   DATETIME(6) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS @step (
    id                 BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    execution_id       BIGINT NOT NULL,
    instance_id        BIGINT NOT NULL,
    step_name          VARCHAR(255){exact} NOT NULL,
    status             VARCHAR(255) NOT NULL,
    exit_code          VARCHAR(255) NOT NULL,
    exit_message       LONGTEXT NOT NULL,
    start_no           BIGINT NOT NULL,
    epoch              BIGINT NOT NULL,
    commit_no          BIGINT NOT NULL,
    read_count         BIGINT NOT NULL DEFAULT 0,
    write_count        BIGINT NOT NULL DEFAULT 0,
    filter_count       BIGINT NOT NULL DEFAULT 0,
    read_skip_count    BIGINT NOT NULL DEFAULT 0,
    process_skip_count BIGINT NOT NULL DEFAULT 0,
    write_skip_count   BIGINT NOT NULL DEFAULT 0,
    commit_count       BIGINT NOT NULL DEFAULT 0,
    rollback_count     BIGINT NOT NULL DEFAULT 0,
    checkpoint         LONGTEXT NOT NULL,
    context            LONGTEXT NOT NULL,
    start_time         DATETIME(6) NOT NULL,
    end_time           DATETIME(6),
    last_updated       DATETIME(6) NOT NULL,
    INDEX @@step_execution (execution_id, id),
    INDEX @@step_last (instance_id, step_name, id),
    FOREIGN KEY (execution_id) REFERENCES @execution (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS @skip (
    id            BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    step_id       BIGINT NOT NULL,
    phase         VARCHAR(255) NOT NULL,
    record_number BIGINT NOT NULL,
    line          BIGINT,
    byte          BIGINT,
    column_name   LONGTEXT,
    reason        LONGTEXT NOT NULL,
    item          LONGTEXT,
    INDEX @@skip_step (step_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
