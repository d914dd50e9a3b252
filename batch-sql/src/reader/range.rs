//! Splits a table by the values of a column.

use super::{
    facts::Facts,
    fault,
    relation::{From, Relation},
    source::Source,
    statement::Statement,
};
use crate::{identifier, sql::Flavor};
use batch_core::Result;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// A part of a table: the rows whose column lies between two integers, both included.
///
/// Serialises, so that a partition keeps its range over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRange {
    /// The column.
    pub column: String,
    /// Its least value.
    pub from: i64,
    /// Its greatest value.
    pub to: i64,
}

/// Splits `table` into at most `parts` ranges of an integer column, equally wide from its least to its greatest value now; none where
/// the table is empty.
///
/// For [`Keyset::range`](crate::Keyset::range). Together the ranges hold every row that is there now, each in one of them. Rows that come
/// later are read where they lie within; those above the greatest value are not. Wide gaps in the column make parts of unequal size.
///
/// # Errors
/// `Configuration`: a name that is none, a column that may be NULL, or is not of integers.
pub async fn ranges<D: Source>(database: &D, table: &str, column: &str, parts: NonZeroU32) -> Result<Vec<KeyRange>> {
    identifier::check_table(table)?;
    identifier::check("column of a range", column)?;
    let relation = Relation::new(database, From::Table(table.to_owned()));
    let mut conn = database.acquire().await.map_err(|e| fault::opening(&relation.name(), e))?;
    Facts::of(database, &mut conn, table).await?.demand_not_null(column)?;
    let flavor = database.flavor();
    let text = if matches!(flavor, Flavor::Sqlite | Flavor::Postgres) { "TEXT" } else { "CHAR" };
    let name = relation.column(flavor, column);
    let mut statement = Statement::new(database);
    statement.push(&format!("SELECT CAST(min({name}) AS {text}), CAST(max({name}) AS {text}) FROM "));
    relation.push_source(&mut statement, flavor);
    let rows = D::texts(&mut conn, statement.once()).await.map_err(|e| fault::opening(&relation.name(), e))?;
    let [Some(from), Some(to)] = rows.first().map(Vec::as_slice).unwrap_or_default() else { return Ok(Vec::new()) };
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) => Ok(split(column, from, to, parts)),
        _ => Err(fault::mistake(format!("column `{column}` of `{table}` goes from {from} to {to}: only integers can be split"))),
    }
}

/// Ranges that follow each other without gaps; the wider ones first.
fn split(column: &str, from: i64, to: i64, parts: NonZeroU32) -> Vec<KeyRange> {
    let values = i128::from(to) - i128::from(from) + 1;
    let parts = i128::from(parts.get()).min(values);
    let bound = |part: i128| i64::try_from(i128::from(from) + values * part / parts - i128::from(part == parts)).unwrap_or(to);
    let range = |part| KeyRange {
        column: column.to_owned(),
        from: bound(part),
        to: if part + 1 == parts { to } else { bound(part + 1) - 1 },
    };
    (0..parts).map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::split;
    use proptest::prelude::*;
    use std::num::NonZeroU32;

    fn check(from: i64, to: i64, parts: u32) {
        let ranges = split("id", from, to, NonZeroU32::new(parts).unwrap());
        let width = |r: &super::KeyRange| i128::from(r.to) - i128::from(r.from) + 1;
        assert_eq!((ranges[0].from, ranges[ranges.len() - 1].to), (from, to));
        assert!(ranges.windows(2).all(|pair| pair[0].to.checked_add(1) == Some(pair[1].from)), "{ranges:?}");
        let widths: Vec<_> = ranges.iter().map(width).collect();
        assert!(widths.iter().all(|w| *w > 0) && widths.iter().max().unwrap() - widths.iter().min().unwrap() <= 1, "{ranges:?}");
        assert_eq!(ranges.len() as i128, i128::from(parts).min(i128::from(to) - i128::from(from) + 1));
    }

    proptest! {
        #[test]
        fn ranges_cover_every_value_once(a in any::<i64>(), b in any::<i64>(), parts in 1..50_u32) {
            check(a.min(b), a.max(b), parts);
        }

        #[test]
        fn small_tables_have_fewer_parts(from in -20..20_i64, width in 0..30_i64, parts in 1..50_u32) {
            check(from, from + width, parts);
        }
    }

    #[test]
    fn the_widest_table_can_be_split() {
        check(i64::MIN, i64::MAX, 7);
    }
}
