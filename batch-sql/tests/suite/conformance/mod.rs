//! The suite that every backend passes.

mod sqlite;

mod postgres {
    use super::server::OnServer;
    use batch_sql::PostgresKind;

    batch_core::conformance_tests!(OnServer::<PostgresKind>::fresh(batch_testkit::Postgres::shared()));
}

mod mariadb {
    use super::server::OnServer;
    use batch_sql::MySqlKind;

    batch_core::conformance_tests!(OnServer::<MySqlKind>::fresh(batch_testkit::MariaDb::shared()));
}

mod server;
