//! Servers start, serve, crash, recover, and are never left behind.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use batch_testkit::{MariaDb, Options, Postgres, Server};
use sqlx::{Connection, Executor, MySqlConnection, PgConnection, Row};

/// Set, the test of that name is the process that gets killed.
const VICTIM: &str = "TESTKIT_VICTIM";

#[tokio::test]
async fn postgres_serves_a_database_of_a_tests_own() {
    let [one, other] = [Postgres::shared().database().await, Postgres::shared().database().await];
    assert_ne!(one.name(), other.name());
    for database in [one, other] {
        let mut connection = PgConnection::connect(&database.url()).await.unwrap();
        connection.execute("CREATE TABLE item (id BIGINT PRIMARY KEY)").await.unwrap();
        assert_eq!(connection.execute("INSERT INTO item VALUES (1)").await.unwrap().rows_affected(), 1);
    }
}

#[tokio::test]
async fn mariadb_serves_a_database_of_a_tests_own() {
    let [one, other] = [MariaDb::shared().database().await, MariaDb::shared().database().await];
    assert_ne!(one.name(), other.name());
    for database in [one, other] {
        let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
        connection.execute("CREATE TABLE item (id BIGINT PRIMARY KEY)").await.unwrap();
        assert_eq!(connection.execute("INSERT INTO item VALUES (1)").await.unwrap().rows_affected(), 1);
    }
}

macro_rules! a_crashed_server_has_what_was_committed_and_nothing_else {
    ($name:ident, $conn:ty, $options:expr) => {
        #[tokio::test]
        async fn $name() {
            let server = Server::start($options.with_tcp());
            let database = server.database().await;
            let url = database.tcp_url(server.port().unwrap());
            let mut connection = <$conn>::connect(&url).await.unwrap();
            connection.execute("CREATE TABLE item (id BIGINT PRIMARY KEY); INSERT INTO item VALUES (1)").await.unwrap();
            connection.execute("BEGIN; INSERT INTO item VALUES (2)").await.unwrap();

            let before = server.pid();
            server.stop_immediate();
            connection.execute("COMMIT").await.unwrap_err();
            server.start_again();

            assert_ne!(server.pid(), before);
            let mut connection = <$conn>::connect(&url).await.unwrap();
            let rows = connection.fetch_all("SELECT id FROM item").await.unwrap();
            assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [1]);
        }
    };
}

a_crashed_server_has_what_was_committed_and_nothing_else! {
    a_crashed_postgres_has_what_was_committed_and_nothing_else, PgConnection, Options::postgres()
}
a_crashed_server_has_what_was_committed_and_nothing_else! {
    a_crashed_mariadb_has_what_was_committed_and_nothing_else, MySqlConnection, Options::mariadb()
}

/// MariaDB removes the files of temporary tables when it starts; if it found those of another server, that would lose its tables.
#[tokio::test]
async fn the_start_of_a_server_leaves_others_their_temporary_tables() {
    let database = MariaDb::shared().database().await;
    let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
    connection.execute("CREATE TEMPORARY TABLE item (id BIGINT PRIMARY KEY) ENGINE = Aria").await.unwrap();
    drop(Server::start(Options::mariadb()));
    connection.execute("DROP TEMPORARY TABLE item").await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_starts_again() {
    for options in [Options::postgres(), Options::mariadb()] {
        let server = Server::start(options);
        server.stop();
        assert!(!server.socket().exists());
        server.start_again();
        server.database().await;
    }
}

#[test]
fn a_dropped_server_leaves_nothing() {
    for options in [Options::postgres(), Options::mariadb()] {
        let server = Server::start(options);
        let (pid, folder) = (server.pid(), server.folder().to_path_buf());
        drop(server);
        assert!(!is_alive(pid) && !folder.exists());
    }
}

#[test]
fn a_killed_test_leaves_nothing() {
    if env::var_os(VICTIM).is_some() {
        return wait_to_be_killed();
    }
    let name = "a_killed_test_leaves_nothing";
    let mut child = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let servers: Vec<(u32, PathBuf)> = lines.filter_map(|line| server_in(&line)).take(2).collect();
    assert!(servers.iter().all(|(pid, folder)| is_alive(*pid) && folder.exists()), "{servers:?}");

    child.kill().unwrap();
    child.wait().unwrap();

    for (pid, folder) in servers {
        wait_until(|| !is_alive(pid) && !folder.exists());
    }
}

/// A test that uses both servers and never ends by itself.
fn wait_to_be_killed() {
    for server in [Postgres::shared(), MariaDb::shared()] {
        println!("\nserver {} {}", server.pid(), server.folder().display());
    }
    loop {
        std::thread::park();
    }
}

fn server_in(line: &str) -> Option<(u32, PathBuf)> {
    let (pid, folder) = line.strip_prefix("server ")?.split_once(' ')?;
    Some((pid.parse().ok()?, folder.into()))
}

/// A zombie is dead: who waits for the child of a killed process is not ours to say.
fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

fn wait_until(met: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !met() {
        assert!(Instant::now() < deadline, "not met within 30 s");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
