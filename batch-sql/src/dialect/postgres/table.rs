//! What PostgreSQL's catalog says of a table.

use super::kind::Kind;
use crate::{dialect::target::Target, error::Refused, identifier::quoted};
use batch_core::Result;
use sqlx::{FromRow, PgConnection, postgres::types::Oid};

/// A table's column.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) type_oid: Oid,
    is_enum: bool,
    /// The type of arrays of it; 0 if it has none.
    pub(super) array_oid: Oid,
    /// Its type as SQL writes it.
    pub(super) type_name: String,
    pub(super) array_name: String,
    pub(super) not_null: bool,
    /// No value may be given for it.
    pub(super) generated: bool,
    /// The table takes rows by COPY, as it would by INSERT; and the connection does not stall at the end of one.
    pub(super) takes_copy: bool,
}

impl Column {
    pub(super) fn kind(&self) -> Kind {
        Kind::of(self.type_oid.0, self.is_enum)
    }
}

/// COPY passes over rules, is refused where rows have policies, and stalls over TCP where the connection's packets wait for one
/// another: sqlx 0.9.0 sends its end behind its data in a packet of its own, which costs 40 ms then.
const COLUMNS: &str = "SELECT a.attname::text AS name, t.oid AS type_oid, t.typtype = 'e' AS is_enum, t.typarray AS array_oid,
    format_type(t.oid, -1) AS type_name, format_type(t.typarray, -1) AS array_name, a.attnotnull AS not_null,
    a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
    c.relkind IN ('r', 'p') AND NOT c.relhasrules AND NOT c.relrowsecurity 
        AND (inet_server_addr() IS NULL OR coalesce(current_setting('batch.sends_at_once', true), '') = 'true') AS takes_copy
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.oid = to_regclass($1) ORDER BY a.attnum";

/// The columns of a table or view; none where it is not there.
pub(super) async fn columns(conn: &mut PgConnection, target: &Target) -> Result<Vec<Column>> {
    let table = quoted(&target.table, '"');
    Ok(sqlx::query_as(COLUMNS).bind(table).persistent(false).fetch_all(conn).await.map_err(Refused::from)?)
}
