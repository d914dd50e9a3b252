//! Keys of several columns, in any mixture of directions.

use super::support::{Db, drawn, on_every_server, saved};
use batch_core::Reader;
use batch_sql::{Keyset, asc, desc};
use proptest::prelude::*;
use std::{cmp::Ordering, collections::BTreeSet};

type Row = (i64, i64, i64);

#[derive(Debug, Clone)]
struct Case {
    rows: Vec<Row>,
    descending: [bool; 3],
    page: usize,
    filter: i64,
    restart_at: usize,
}

fn case() -> impl Strategy<Value = Case> {
    let rows = prop::collection::btree_set((-2..2_i64, -2..2_i64, -2..2_i64), 0..30);
    (rows, any::<[bool; 3]>(), 1..8_usize, -2..2_i64, 0..30_usize).prop_map(|(rows, descending, page, filter, restart_at)| Case {
        rows: BTreeSet::into_iter(rows).collect(),
        descending,
        page,
        filter,
        restart_at,
    })
}

impl Case {
    /// What a database is to do, done in memory.
    fn expected(&self) -> Vec<Row> {
        let mut rows: Vec<_> = self.rows.iter().copied().filter(|row| row.1 <= self.filter).collect();
        let one = |a: i64, b: i64, descending: bool| if descending { b.cmp(&a) } else { a.cmp(&b) };
        rows.sort_by(|x, y| {
            let [a, b, c] = self.descending;
            [one(x.0, y.0, a), one(x.1, y.1, b), one(x.2, y.2, c)].into_iter().fold(Ordering::Equal, Ordering::then)
        });
        rows
    }

    fn reader<D: Db>(&self, db: &D) -> Keyset<Row, D> {
        let key = ["a", "b", "c"].into_iter().zip(self.descending);
        let key = key.map(|(name, descending)| if descending { desc(name) } else { asc(name) });
        Keyset::table(db, "sorted").key(key).page_size(self.page).filter("b <= ?").bind(self.filter)
    }

    async fn read<D: Db>(&self, db: &D) -> Vec<Row> {
        db.run("DELETE FROM sorted").await;
        for row in &self.rows {
            db.run(&format!("INSERT INTO sorted VALUES ({}, {}, {})", row.0, row.1, row.2)).await;
        }
        let mut reader = self.reader(db);
        reader.open(None).await.unwrap();
        let mut rows = Vec::new();
        loop {
            if rows.len() == self.restart_at {
                let position = saved(&reader);
                reader = self.reader(db);
                reader.open(Some(position)).await.unwrap();
            }
            match reader.read().await.unwrap() {
                Some(row) => rows.push(row),
                None => return rows,
            }
        }
    }
}

on_every_server!(any_mixture_of_directions_reads_what_a_sort_in_memory_gives);
async fn any_mixture_of_directions_reads_what_a_sort_in_memory_gives(db: &impl Db) {
    db.run("CREATE TABLE sorted (a BIGINT NOT NULL, b BIGINT NOT NULL, c BIGINT NOT NULL, PRIMARY KEY (a, b, c))").await;
    for case in drawn(&case(), 64) {
        assert_eq!(case.read(db).await, case.expected(), "{case:?}");
    }
}
