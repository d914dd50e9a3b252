//! Writers in jobs: the engine's savepoints, isolation and checkpoint around them.

use super::support::{Item, items};
use batch_core::{BatchStatus, Job, ListReader, Parameters};
use batch_sql::{MySql, Postgres, SqlDelete, SqlInsert, SqlUpsert, SqlWriter, Sqlite};
use batch_testkit::{MariaDb, Postgres as Server};
use sqlx::{AssertSqlSafe, raw_sql};

/// Three steps on a typed handle; each placeholder of the user's own statement is the database's.
macro_rules! job {
    ($brand:ident, $handle:ty, $url:expr, $own:literal) => {
        #[tokio::test]
        async fn $brand() {
            let (url, _folder) = $url;
            let db = <$handle>::open(&url).await.unwrap();
            let table = "CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(100) UNIQUE, price DOUBLE PRECISION, sold BOOLEAN)";
            raw_sql(table).execute(db.pool()).await.unwrap();
            let mut rows = items((0..1000).filter(|id| id % 3 != 0));
            rows[123].name = Some("n1".to_owned());
            rows[456].name = Some("n1".to_owned());
            let (insert, upsert, update) = (rows.clone(), items([1, 2, 4, 5000]), items([5, 7]));
            let job = Job::new("write", &db)
                .step("insert", move |s| Ok(s.chunk(200, ListReader::new(insert.clone())).writer(SqlInsert::into("item")).skip(2)))
                .step("upsert", move |s| Ok(s.chunk(10, ListReader::new(upsert.clone())).writer(SqlUpsert::into("item").key(["id"]))))
                .step("own", move |s| {
                    let own = SqlWriter::new($own, |query, item: &Item| query.bind(item.price + 1.0).bind(item.id));
                    Ok(s.chunk(10, ListReader::new(update.clone())).writer(own.one_row()))
                })
                .step("delete", move |s| {
                    Ok(s.chunk(300, ListReader::new(rows.clone())).writer(SqlDelete::from("item").key(["id"])).skip(2))
                });
            let execution = job.run(Parameters::new()).await.unwrap();
            assert_eq!(execution.status, BatchStatus::Completed, "{execution:?}");
            let left: Vec<i64> = sqlx::query_scalar("SELECT id FROM item").fetch_all(db.pool()).await.unwrap();
            assert_eq!(left, [5000]);
            for (step, skips) in [("insert", 2), ("delete", 2), ("own", 0)] {
                let sql = format!("SELECT CAST(write_skip_count AS {}) FROM batch_step WHERE step_name = '{step}'", integer($own));
                let counted: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(db.pool()).await.unwrap();
                assert_eq!(counted, skips, "{step}");
            }
        }
    };
}

fn integer(sql: &str) -> &'static str {
    if sql.contains('$') { "BIGINT" } else { "SIGNED" }
}

mod a_job_writes_skips_and_commits {
    use super::*;

    fn file() -> (String, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (format!("sqlite://{}?mode=rwc", folder.path().join("rows.db").display()), folder)
    }

    job!(sqlite, Sqlite, file(), "UPDATE item SET price = ? WHERE id = ?");
    job!(postgres, Postgres, (Server::shared().database().await.url(), ()), "UPDATE item SET price = $1 WHERE id = $2");
    job!(mariadb, MySql, (MariaDb::shared().database().await.url(), ()), "UPDATE item SET price = ? WHERE id = ?");
}
