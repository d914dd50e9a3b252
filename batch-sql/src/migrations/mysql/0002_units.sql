-- The log of units of work. Named locks are the server's own. An index holds 3072 bytes: 8 of the instance, 1020 of the step's name, and
-- 2000 of the key.
CREATE TABLE IF NOT EXISTS @unit (
    id          BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    instance_id BIGINT NOT NULL,
    step_name   VARCHAR(255){exact} NOT NULL,
    unit_key    VARCHAR(500){exact} NOT NULL,
    status      VARCHAR(20) NOT NULL,
    attempts    BIGINT NOT NULL,
    error       LONGTEXT,
    step_id     BIGINT NOT NULL,
    start_time  DATETIME(6) NOT NULL,
    end_time    DATETIME(6),
    UNIQUE (instance_id, step_name, unit_key),
    INDEX @@unit_order (instance_id, step_name, id),
    INDEX @@unit_status (instance_id, step_name, status, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
