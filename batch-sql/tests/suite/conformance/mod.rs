//! The suite that every backend passes.

mod sqlite;

mod postgres {
    use crate::servers::fixture::OnServer;

    batch_core::conformance_tests!(OnServer::<batch_sql::PostgresKind>::fresh());
}

mod mariadb {
    use crate::servers::fixture::OnServer;

    batch_core::conformance_tests!(OnServer::<batch_sql::MySqlKind>::fresh());
}
