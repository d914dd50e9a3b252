//! A database on a server for one story after another, and what must be true of it.

use super::{
    progress::Progress,
    worker::{Kind, Orders, expected},
};
use crate::process::Ended;
use batch_sql::Database;
use batch_testkit::{MariaDb, Postgres, Server};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A private server of the test process. It is never killed itself, so it need not wait for its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Brand {
    PostgreSql,
    MariaDb,
}

pub(super) const BRANDS: [Brand; 2] = [Brand::PostgreSql, Brand::MariaDb];

impl Brand {
    fn server(self) -> &'static Server {
        match self {
            Self::PostgreSql => Postgres::shared(),
            Self::MariaDb => MariaDb::shared(),
        }
    }
}

/// A database and a folder of one thread.
pub(super) struct Scene {
    runtime: Runtime,
    database: Database,
    place: batch_testkit::Database,
    pub(super) folder: TempDir,
}

const TABLES: [&str; 10] = [
    "batch_ledger",
    "batch_unit",
    "batch_skip",
    "batch_step",
    "batch_parameter",
    "batch_lease",
    "batch_execution",
    "batch_instance",
    "moved",
    "total",
];

impl Scene {
    pub(super) fn new(brand: Brand) -> Self {
        Self::on(brand.server())
    }

    pub(super) fn on(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let place = runtime.block_on(server.database());
        let database = runtime.block_on(Database::open(&place.url())).unwrap();
        let scene = Self { runtime, database, place, folder: tempfile::tempdir().unwrap() };
        scene.execute("CREATE TABLE moved (k BIGINT PRIMARY KEY, v BIGINT NOT NULL)");
        scene.execute("CREATE TABLE total (n BIGINT NOT NULL)");
        scene
    }

    pub(super) fn execute(&self, sql: &str) {
        self.runtime.block_on(self.database.execute(sql)).unwrap();
    }

    /// Empties everything and gives orders for a new story.
    pub(super) fn orders(&mut self, kind: Kind, chunk: usize) -> Orders {
        for table in TABLES {
            self.execute(&format!("DELETE FROM {table}"));
        }
        self.folder = tempfile::tempdir().unwrap();
        let file = self.folder.path().join(Progress::FILE);
        let file = kind.is_elsewhere().then(|| format!("sqlite://{}", file.display()));
        let lease = Duration::from_secs(30);
        let marker = self.folder.path().join("failed");
        Orders { kind, chunk, server: self.place.url(), file, lease, marker, barrier: None, passages: None }
    }

    fn numbers(&self, sql: &'static str) -> Vec<i64> {
        self.runtime.block_on(async {
            match &self.database {
                Database::Postgres(db) => sqlx::query_scalar(sql).fetch_all(db.pool()).await.unwrap(),
                Database::MySql(db) => sqlx::query_scalar(sql).fetch_all(db.pool()).await.unwrap(),
                Database::Sqlite(_) => panic!("not on a server"),
            }
        })
    }

    pub(super) fn number(&self, sql: &'static str) -> i64 {
        self.numbers(sql)[0]
    }

    /// What holds at every moment. Where rows and progress are in one database, each statement sees one state.
    pub(super) fn check(&self, orders: &Orders) {
        if orders.kind.is_elsewhere() {
            let rows = self.number("SELECT count(*) FROM moved");
            return Progress::read(self.folder.path()).check(rows, orders.chunk);
        }
        let differing = self.number(match &self.database {
            Database::Postgres(_) => {
                "SELECT ((SELECT count(*) FROM moved) - (SELECT coalesce(sum(write_count), 0) FROM batch_step
                    WHERE step_name <> 'total'))::bigint"
            }
            _ => {
                "SELECT CAST((SELECT count(*) FROM moved) - (SELECT coalesce(sum(write_count), 0) FROM batch_step
                    WHERE step_name <> 'total') AS SIGNED)"
            }
        });
        assert_eq!(differing, 0, "rows in the table that are in no checkpoint, or the other way round");
        assert!(self.number("SELECT count(*) FROM batch_execution WHERE active_key IS NOT NULL") <= 1);
        let unbalanced = "SELECT count(*) FROM batch_step WHERE read_count <> write_count + filter_count + read_skip_count
            + process_skip_count + write_skip_count";
        assert_eq!(self.number(unbalanced), 0, "counts that do not add up");
    }

    /// What a complete job leaves.
    pub(super) fn check_complete(&self, orders: &Orders) {
        self.check(orders);
        let (kind, keys) = (orders.kind, expected(orders.kind));
        let rows = keys.len() as i64;
        assert_eq!(self.numbers("SELECT k FROM moved ORDER BY k"), keys);
        if kind.has_total() {
            assert_eq!(self.numbers("SELECT n FROM total"), [rows]);
        }
        if kind.is_elsewhere() {
            return assert_eq!(Progress::read(self.folder.path()), Progress::complete(rows));
        }
        assert_eq!(self.number("SELECT count(*) FROM batch_execution WHERE active_key IS NOT NULL"), 0);
        assert_eq!(self.number("SELECT count(*) FROM batch_execution WHERE status = 'COMPLETED'"), 1);
        assert_eq!(self.number("SELECT count(*) FROM batch_lease"), 0);
        if kind.has_total() {
            let differing = "SELECT count(*) FROM (SELECT (SELECT count(*) FROM batch_skip k WHERE k.step_id = s.id) AS kept,
                s.process_skip_count + s.write_skip_count AS counted FROM batch_step s) AS steps WHERE kept <> counted";
            assert_eq!(self.number(differing), 0, "a record for each skip");
        }
    }

    /// Runs to the end, or finds that the killed run had come to it; where a unit fails for the first time, once more.
    pub(super) fn complete(&self, orders: &Orders) {
        let mut ended: Ended = orders.start("").finish();
        if orders.kind == Kind::Units && ended.code() == Some(1) {
            ended = Orders { passages: None, ..orders.clone() }.start("").finish();
        }
        assert!(matches!(ended.code(), Some(0 | 5)), "{ended:?}");
        self.check_complete(orders);
    }
}
