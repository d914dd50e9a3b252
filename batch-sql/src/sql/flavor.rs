//! What the repository's templates mean in each database.

/// A database's way to write SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB: MySQL's dialect, with a few names of its own.
    MariaDb,
}

const OR_REPLACE_UNIT: &str = " ON CONFLICT (instance_id, step_name, unit_key) DO UPDATE SET status = excluded.status, attempts = excluded.attempts, error = excluded.error, start_time = excluded.start_time, end_time = excluded.end_time, step_id = excluded.step_id";

impl Flavor {
    /// Around names.
    pub(crate) fn quote(self) -> char {
        match self {
            Self::Sqlite | Self::Postgres => '"',
            Self::MySql | Self::MariaDb => '`',
        }
    }

    /// Whether placeholders are numbered, `$1`, or all `?`.
    pub(crate) fn numbers_placeholders(self) -> bool {
        self == Self::Postgres
    }

    /// What `{word}` in a template stands for; `None` for a word that is not known.
    pub(crate) fn word(self, word: &str) -> Option<&'static str> {
        let [sqlite, postgres, mysql] = match word {
            // The number that the database gave to the row inserted; MySQL tells it without being asked.
            "id" => [" RETURNING id", " RETURNING id", ""],
            // Finds the row instead where it exists, and locks it either way.
            "or_find" => [
                "ON CONFLICT (job_name, job_key) DO UPDATE SET job_name = excluded.job_name RETURNING id",
                "ON CONFLICT (job_name, job_key) DO UPDATE SET job_name = excluded.job_name RETURNING id",
                "ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)",
            ],
            // Keeps the row that is there instead; such tables have a `create_time`.
            "or_keep" => {
                [" ON CONFLICT DO NOTHING", " ON CONFLICT DO NOTHING", " ON DUPLICATE KEY UPDATE create_time = create_time"]
            }
            "or_replace_unit" => [
                OR_REPLACE_UNIT,
                OR_REPLACE_UNIT,
                " ON DUPLICATE KEY UPDATE status = VALUES(status), attempts = VALUES(attempts), error = VALUES(error), start_time = VALUES(start_time), end_time = VALUES(end_time), step_id = VALUES(step_id)",
            ],
            // SQLite has one writer at a time, so a row needs no lock.
            "for_update" => ["", " FOR UPDATE", " FOR UPDATE"],
            "for_share" => ["", " FOR SHARE", " LOCK IN SHARE MODE"],
            // Keeps SQLite's planner from another order of the join.
            "join" => ["CROSS JOIN", "JOIN", "JOIN"],
            // The database's clock as it is now, not as it was when the transaction began.
            // Cast, since a new connection's server is quicker to find the operator by exact types.
            "later" => [
                "?",
                "clock_timestamp() + CAST(? AS double precision) * interval '1 microsecond'",
                "SYSDATE(6) + INTERVAL ? MICROSECOND",
            ],
            "left" => [
                "0",
                "CAST(extract(epoch FROM until_time - clock_timestamp()) * 1000000 AS bigint)",
                "TIMESTAMPDIFF(MICROSECOND, SYSDATE(6), until_time)",
            ],
            // Equal only where every byte is: no case folding, no padding with spaces.
            "exact" => ["", " COLLATE \"C\"", self.exact()],
            _ => return None,
        };
        Some(match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
            Self::MySql | Self::MariaDb => mysql,
        })
    }

    fn exact(self) -> &'static str {
        if self == Self::MariaDb {
            " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        } else {
            " CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"
        }
    }
}
