//! What a database's catalog says of a table.

use super::{
    fault,
    order::{KeyColumn, words},
    source::{Source, Texts},
    statement::Statement,
};
use crate::sql::Flavor;
use batch_core::Result;

/// Columns, whether they may be NULL, and which of them are unique together.
pub(super) struct Facts {
    table: String,
    /// Name, and what keeps it out of a key: `YES` where it may be NULL, or its type.
    columns: Vec<(String, Option<String>)>,
    /// The columns of each primary key and unique index, `None` for an expression; on SQLite with the order of their texts.
    unique: Vec<(String, Vec<Indexed>)>,
}

type Indexed = (Option<String>, Option<String>);

impl Facts {
    /// Asks the catalog.
    pub(super) async fn of<D: Source>(source: &D, conn: &mut D::Conn, table: &str) -> Result<Self> {
        let mut statement = Statement::new(source);
        let (schema, name) = table.split_once('.').map_or((None, table), |(schema, name)| (Some(schema), name));
        match source.flavor() {
            Flavor::Sqlite => push_pragmas(&mut statement, schema, name)?,
            Flavor::Postgres => {
                statement.push(POSTGRES[0]).push_text(&Flavor::Postgres.quoted(table))?;
                statement.push(POSTGRES[1]);
            }
            Flavor::MySql | Flavor::MariaDb => push_information_schema(&mut statement, schema, name)?,
        }
        let rows = D::texts(conn, statement.once()).await.map_err(|e| fault::opening(&format!("table `{table}`"), e))?;
        Ok(Self::read(table, &rows))
    }

    fn read(table: &str, rows: &[Texts]) -> Self {
        let mut facts = Self { table: table.to_owned(), columns: Vec::new(), unique: Vec::new() };
        for row in rows {
            let [Some(what), of, value] = &row[..] else { continue };
            match (what.as_str(), of) {
                ("column", Some(column)) => facts.columns.push((column.clone(), value.clone().filter(|v| v != "NO"))),
                (index, column) => match facts.unique.iter_mut().find(|(name, _)| name == index) {
                    Some((_, columns)) => columns.push((column.clone(), value.clone())),
                    None => facts.unique.push((index.to_owned(), vec![(column.clone(), value.clone())])),
                },
            }
        }
        facts
    }

    /// Refuses a key that is not known to be unique and never NULL.
    pub(super) async fn demand_key<D: Source>(&self, source: &D, conn: &mut D::Conn, key: &[KeyColumn]) -> Result<()> {
        for column in key {
            self.demand_not_null(&column.name)?;
        }
        let orders = if source.flavor() == Flavor::Sqlite { self.orders(source, conn, key).await? } else { Vec::new() };
        let is_in_key = |(name, order): &Indexed| {
            let number = key.iter().position(|column| name.as_ref().is_some_and(|name| column.name.eq_ignore_ascii_case(name)));
            number.is_some_and(|number| {
                order.as_ref().zip(orders.get(number)).is_none_or(|(index, own)| index.eq_ignore_ascii_case(own))
            })
        };
        if self.unique.iter().any(|(_, columns)| columns.iter().all(is_in_key)) {
            return Ok(());
        }
        let message = format!(
            "the key ({}) is not known to be unique in `{}`: no primary key or unique index lies within it; add the columns of one \
             to the key, or say .key_is_unique() where you know that it is",
            words(key),
            self.table
        );
        Err(fault::mistake(message))
    }

    /// SQLite's own orders of texts by which columns are sorted and compared, which no catalog tells: a sample does.
    ///
    /// An index of another order tells apart what is equal in the column's own, and would be left out behind a page.
    async fn orders<D: Source>(&self, source: &D, conn: &mut D::Conn, key: &[KeyColumn]) -> Result<Vec<String>> {
        let listed = |each: &dyn Fn((usize, &KeyColumn)) -> String| key.iter().enumerate().map(each).collect::<Vec<_>>().join(", ");
        let found =
            listed(&|(n, _)| format!("CASE WHEN x.k{n} = 'A' THEN 'NOCASE' WHEN x.k{n} = 'a ' THEN 'RTRIM' ELSE 'BINARY' END"));
        let columns = listed(&|(n, column)| format!("{} AS k{n}", Flavor::Sqlite.quoted(&column.name)));
        let samples = listed(&|_| "'a'".to_owned());
        let mut statement = Statement::new(source);
        statement.push(&format!("SELECT {found} FROM (SELECT {columns} FROM {}", Flavor::Sqlite.quoted(&self.table)));
        statement.push(&format!(" WHERE 0 UNION ALL SELECT {samples} LIMIT -1) x"));
        let rows = D::texts(conn, statement.once()).await.map_err(|e| fault::opening(&format!("table `{}`", self.table), e))?;
        Ok(rows.into_iter().flatten().flatten().collect())
    }

    /// Refuses a column that is missing, or may be NULL.
    pub(super) fn demand_not_null(&self, name: &str) -> Result<()> {
        let table = &self.table;
        let message = match self.columns.iter().find(|(column, _)| column.eq_ignore_ascii_case(name)) {
            Some((_, None)) => return Ok(()),
            Some((_, Some(no))) if no != "YES" => {
                format!("column `{name}` of `{table}` cannot be a key: {no} has no order to go by")
            }
            Some((_, Some(_))) => format!(
                "key column `{name}` of `{table}` may be NULL, and no row comes after NULL: declare it NOT NULL, or say \
                 .key_is_unique() where no row has NULL"
            ),
            None if self.columns.is_empty() => format!("there is no table `{table}`, or it cannot be read"),
            None => format!("table `{table}` has no column `{name}`"),
        };
        Err(fault::mistake(message))
    }
}

/// A primary key of SQLite may be NULL, unless it is the row's number, which then has no index of its own.
fn push_pragmas<D: Source>(statement: &mut Statement<D>, schema: Option<&str>, name: &str) -> Result<()> {
    let schema = schema.unwrap_or("main");
    statement.push("WITH given (t, s) AS (SELECT ").push_text(name)?.push(", ").push_text(schema)?;
    statement.push(
        "), c AS (SELECT c.* FROM given, pragma_table_xinfo(t, s) c), l AS (SELECT l.* FROM given, pragma_index_list(t, s) l)
        SELECT 'column', name, CASE WHEN \"notnull\" OR (pk = 1 AND (SELECT max(pk) FROM c) = 1
            AND NOT EXISTS (SELECT 1 FROM l WHERE origin = 'pk')) THEN 'NO' ELSE 'YES' END FROM c
        UNION ALL SELECT 'unique', name, NULL FROM c WHERE pk > 0 AND NOT EXISTS (SELECT 1 FROM l WHERE origin = 'pk')
        UNION ALL SELECT 'unique ' || l.name, i.name, i.coll FROM given, l, pragma_index_xinfo(l.name, s) i
            WHERE l.\"unique\" AND NOT l.partial AND i.key",
    );
    Ok(())
}

/// An index whose order of texts is not the column's own tells apart what the column's order may not.
const POSTGRES: [&str; 2] = [
    "WITH given (t) AS (SELECT to_regclass(",
    ")), c AS (SELECT a.* FROM given, pg_attribute a WHERE a.attrelid = t AND a.attnum > 0 AND NOT a.attisdropped)
    SELECT 'column', c.attname::text, CASE WHEN c.attnotnull THEN 'NO' ELSE 'YES' END FROM c
    UNION ALL SELECT 'unique ' || i.indexrelid, c.attname::text, NULL FROM given
        JOIN pg_index i ON i.indrelid = t AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
        CROSS JOIN LATERAL unnest((i.indkey::int2[])[0:i.indnkeyatts - 1], (i.indcollation::oid[])[0:i.indnkeyatts - 1]) AS k (n, o)
        LEFT JOIN c ON c.attnum = k.n
            AND (k.o = c.attcollation OR (SELECT collisdeterministic FROM pg_collation WHERE oid = c.attcollation))",
];

fn push_information_schema<D: Source>(statement: &mut Statement<D>, schema: Option<&str>, name: &str) -> Result<()> {
    let push_table = |statement: &mut Statement<D>| -> Result<()> {
        match schema {
            Some(schema) => statement.push(" WHERE table_schema = ").push_text(schema)?,
            None => statement.push(" WHERE table_schema = DATABASE()"),
        };
        statement.push(" AND table_name = ").push_text(name)?;
        Ok(())
    };
    // Sorted by a number, but compared by a text.
    statement.push(
        "SELECT 'column', CAST(column_name AS CHAR), CAST(IF(data_type IN ('enum', 'set', 'bit', 'json'), upper(data_type), is_nullable)
        AS CHAR) FROM information_schema.columns",
    );
    push_table(statement)?;
    statement.push(
        " UNION ALL SELECT CONCAT('unique ', index_name), CAST(column_name AS CHAR), NULL FROM information_schema.statistics",
    );
    push_table(statement)?;
    statement.push(" AND non_unique = 0");
    Ok(())
}
