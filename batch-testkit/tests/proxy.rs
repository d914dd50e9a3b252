//! What a proxy loses is lost, what it delays arrives, and the rest passes; on both servers.

#![expect(clippy::unwrap_used, reason = "a test's failure is a panic")]

use std::time::Duration;

use batch_testkit::{Database, MariaDb, Options, Postgres, Proxy, Server};
use sqlx::{AssertSqlSafe, Connection, Error, Executor, MySqlConnection, PgConnection};

/// A connection to either server.
enum Client {
    Postgres(PgConnection),
    MariaDb(MySqlConnection),
}

impl Client {
    async fn connect(url: &str) -> Result<Self, Error> {
        Ok(match url.starts_with("postgres:") {
            true => Self::Postgres(PgConnection::connect(url).await?),
            false => Self::MariaDb(MySqlConnection::connect(url).await?),
        })
    }

    /// One message, whatever the number of statements.
    async fn run(&mut self, sql: &str) -> Result<u64, Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        Ok(match self {
            Self::Postgres(connection) => connection.execute(sql).await?.rows_affected(),
            Self::MariaDb(connection) => connection.execute(sql).await?.rows_affected(),
        })
    }

    /// A prepared statement.
    async fn insert(&mut self, id: i64) -> Result<(), Error> {
        match self {
            Self::Postgres(connection) => sqlx::query("INSERT INTO item VALUES ($1)").bind(id).execute(connection).await.map(drop),
            Self::MariaDb(connection) => sqlx::query("INSERT INTO item VALUES (?)").bind(id).execute(connection).await.map(drop),
        }
    }

    /// Waits until a statement waits for a lock, which no other test here has any do.
    async fn until_one_waits(&mut self) {
        let postgres = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        // The tables of InnoDB's locks don't change while they are read more often than ten times a second.
        let mariadb = "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status \
                       WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'";
        loop {
            let waiting: i64 = match self {
                Self::Postgres(connection) => sqlx::query_scalar(postgres).fetch_one(connection).await.unwrap(),
                Self::MariaDb(connection) => sqlx::query_scalar(mariadb).fetch_one(connection).await.unwrap(),
            };
            if waiting > 0 {
                return;
            }
        }
    }

    async fn items(&mut self) -> Vec<i64> {
        let query = "SELECT id FROM item ORDER BY id";
        match self {
            Self::Postgres(connection) => sqlx::query_scalar(query).fetch_all(connection).await,
            Self::MariaDb(connection) => sqlx::query_scalar(query).fetch_all(connection).await,
        }
        .unwrap()
    }
}

/// A database with an empty table, and a proxy to it.
struct Scene {
    database: Database,
    proxy: Proxy,
}

impl Scene {
    async fn on(server: &Server) -> Self {
        let scene = Self { database: server.database().await, proxy: Proxy::to(server) };
        scene.direct().await.run("CREATE TABLE item (id BIGINT PRIMARY KEY)").await.unwrap();
        scene
    }

    async fn both() -> [Self; 2] {
        [Self::on(Postgres::shared()).await, Self::on(MariaDb::shared()).await]
    }

    /// Around the proxy.
    async fn direct(&self) -> Client {
        Client::connect(&self.database.url()).await.unwrap()
    }

    async fn through(&self) -> Client {
        Client::connect(&self.database.url_through(&self.proxy)).await.unwrap()
    }

    async fn items(&self) -> Vec<i64> {
        self.direct().await.items().await
    }
}

#[tokio::test]
async fn what_no_rule_meets_passes() {
    for scene in Scene::both().await {
        let mut client = scene.through().await;
        for id in 1..=300 {
            client.insert(id).await.unwrap();
        }
        client.insert(1).await.unwrap_err(); // the server's refusal comes back, and the connection goes on
        assert_eq!(client.items().await, (1..=300).collect::<Vec<_>>());
        assert_eq!(scene.proxy.seen("INSERT"), 301);
        assert_eq!(scene.proxy.seen("SELECT id"), 1);
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_the_row_committed() {
    for scene in Scene::both().await {
        let mut client = scene.through().await;
        let lost = scene.proxy.on("COMMIT").cut_answer();
        client.run("BEGIN").await.unwrap();
        client.insert(1).await.unwrap();
        assert!(!lost.has_fired());
        client.run("COMMIT").await.unwrap_err();
        lost.settled().await;
        assert_eq!(scene.items().await, [1]);
    }
}

#[tokio::test]
async fn a_lost_answer_of_several_statements_is_that_of_the_last() {
    for scene in Scene::both().await {
        let mut client = scene.through().await;
        let lost = scene.proxy.on("COMMIT").cut_answer();
        client.run("BEGIN; SELECT id FROM item; INSERT INTO item VALUES (1); SAVEPOINT s").await.unwrap();
        let flush = "RELEASE SAVEPOINT s; SELECT id FROM item; INSERT INTO item VALUES (2); COMMIT; INSERT INTO item VALUES (3)";
        client.run(flush).await.unwrap_err();
        lost.settled().await;
        assert_eq!(scene.items().await, [1, 2, 3]);
    }
}

#[tokio::test]
async fn a_lost_answer_of_a_prepared_statement_is_that_of_its_execution() {
    for scene in Scene::both().await {
        let mut client = scene.through().await;
        let lost = scene.proxy.on("INSERT INTO item").nth(2).cut_answer();
        client.insert(1).await.unwrap();
        client.insert(2).await.unwrap_err();
        lost.settled().await;
        assert_eq!(scene.items().await, [1, 2]);
    }
}

#[tokio::test]
async fn a_lost_answer_may_be_a_refusal() {
    for scene in Scene::both().await {
        scene.direct().await.insert(1).await.unwrap();
        let mut client = scene.through().await;
        let lost = scene.proxy.on("INSERT").cut_answer();
        let error = client.insert(1).await.unwrap_err();
        assert!(error.as_database_error().is_none(), "{error}");
        lost.settled().await;
    }
}

#[tokio::test]
async fn a_lost_answer_of_a_copy_is_that_after_its_data() {
    let scene = Scene::on(Postgres::shared()).await;
    let Client::Postgres(mut client) = scene.through().await else { unreachable!() };
    let lost = scene.proxy.on("COPY item").cut_answer();
    let mut copy = client.copy_in_raw("COPY item FROM STDIN").await.unwrap();
    copy.send("1\n2\n".as_bytes()).await.unwrap();
    copy.finish().await.unwrap_err();
    lost.settled().await;
    assert_eq!(scene.items().await, [1, 2]);
}

#[tokio::test]
async fn a_cut_before_the_statement_leaves_nothing() {
    for scene in Scene::both().await {
        let mut client = scene.through().await;
        let lost = scene.proxy.on("COMMIT").nth(2).cut_before();
        client.run("BEGIN; INSERT INTO item VALUES (1); COMMIT").await.unwrap();
        client.run("BEGIN; INSERT INTO item VALUES (2)").await.unwrap();
        client.run("COMMIT").await.unwrap_err();
        lost.settled().await;
        assert_eq!(scene.items().await, [1]);

        let prepared = scene.proxy.on("INSERT").cut_before();
        scene.through().await.insert(3).await.unwrap_err();
        prepared.settled().await;
        assert_eq!(scene.items().await, [1]);
    }
}

#[tokio::test]
async fn a_held_commit_arrives_after_the_client_came_back() {
    for scene in Scene::both().await {
        let mut client = scene.through().await;
        let late = scene.proxy.on("COMMIT").hold();
        client.run("BEGIN; INSERT INTO item VALUES (1)").await.unwrap();
        client.run("COMMIT").await.unwrap_err();

        assert!(scene.through().await.items().await.is_empty());
        late.release();
        late.settled().await;
        assert_eq!(scene.items().await, [1]);
    }
}

#[tokio::test]
async fn a_delayed_execution_arrives_by_itself() {
    for scene in Scene::both().await {
        let mut client = scene.through().await;
        let late = scene.proxy.on("INSERT").delay(Duration::from_millis(1));
        client.insert(1).await.unwrap_err();
        late.settled().await;
        assert_eq!(scene.items().await, [1]);
    }
}

#[tokio::test]
async fn nothing_is_settled_before_the_server_has_answered() {
    for scene in Scene::both().await {
        for late in [false, true] {
            let mut blocker = scene.direct().await;
            blocker.run("BEGIN; INSERT INTO item VALUES (1)").await.unwrap();
            let mut client = scene.through().await;
            let rule = scene.proxy.on("INSERT");
            let fault = if late { rule.delay(Duration::ZERO) } else { rule.cut_answer() };
            let insert = tokio::spawn(async move { client.insert(1).await });
            let settled = tokio::spawn(async move { fault.settled().await });

            blocker.until_one_waits().await;
            assert!(!settled.is_finished());
            assert!(late || !insert.is_finished());
            blocker.run("ROLLBACK").await.unwrap();
            settled.await.unwrap();
            insert.await.unwrap().unwrap_err();
            assert_eq!(scene.items().await, [1]);
            scene.direct().await.run("DELETE FROM item").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_blackhole_holds_its_connection_alone_until_it_is_released() {
    for scene in Scene::both().await {
        let (mut client, mut other) = (scene.through().await, scene.through().await);
        let hole = scene.proxy.on("VALUES (1)").blackhole();
        let stuck = tokio::spawn(async move { client.run("INSERT INTO item VALUES (1)").await });
        hole.fired().await;
        other.insert(2).await.unwrap();
        assert_eq!(scene.items().await, [2]);
        assert!(!stuck.is_finished());

        hole.release();
        stuck.await.unwrap().unwrap();
        hole.settled().await;
        assert_eq!(scene.items().await, [1, 2]);
    }
}

#[tokio::test]
async fn a_rule_may_mean_one_connection() {
    for scene in Scene::both().await {
        let (mut lease, mut other) = (scene.through().await, scene.through().await);
        lease.run("SELECT 'lease'").await.unwrap();
        let lost = scene.proxy.on("INSERT").after("'lease'").cut_before();
        other.insert(1).await.unwrap();
        lease.insert(2).await.unwrap_err();
        lost.settled().await;
        assert_eq!(scene.items().await, [1]);
    }
}

#[tokio::test]
async fn rules_count_all_connections_together_and_fire_once() {
    for scene in Scene::both().await {
        let lost = scene.proxy.on("INSERT").nth(2).cut_before();
        let (mut one, mut other) = (scene.through().await, scene.through().await);
        one.insert(1).await.unwrap();
        other.insert(2).await.unwrap_err();
        one.insert(3).await.unwrap();
        assert!(lost.has_fired());
        scene.proxy.until_seen("INSERT", 3).await;
        assert_eq!(scene.items().await, [1, 3]);
    }
}

#[tokio::test]
async fn an_outage_cuts_what_is_open_and_refuses_what_is_new() {
    for scene in Scene::both().await {
        let mut client = scene.through().await;
        scene.proxy.refuse_new(true).await;
        client.insert(1).await.unwrap();
        scene.proxy.cut_all();
        client.run("SELECT 1").await.unwrap_err();
        let url = scene.database.url_through(&scene.proxy);
        let error = Client::connect(&url).await.err().unwrap();
        assert!(matches!(&error, Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused), "{error}");

        scene.proxy.refuse_new(false).await;
        assert_eq!(scene.through().await.items().await, [1]);
    }
}

#[tokio::test]
async fn a_proxy_leads_to_a_server_that_was_started_again() {
    for options in [Options::postgres(), Options::mariadb()] {
        let server = Server::start(options.without_fsync());
        let scene = Scene::on(&server).await;
        let mut client = scene.through().await;
        client.insert(1).await.unwrap();
        server.stop_immediate();
        client.insert(2).await.unwrap_err();
        server.start_again();
        assert_eq!(scene.through().await.items().await, [1]);
    }
}
