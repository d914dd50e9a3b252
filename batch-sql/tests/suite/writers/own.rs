//! The user's own statement.

use super::support::{Db, Item, expected, item, item_table, items, refusal, rows, write};
use batch_sql::{SqlInsert, SqlWriter};

/// The same on a driver whose placeholders are these; the connection tells which database the closure binds for.
macro_rules! own {
    ($brand:ident, $connection:ty, $sql:literal) => {
        #[tokio::test]
        async fn $brand() {
            let mut db = <$connection>::fresh().await;
            item_table(&mut db).await;
            write(&mut db, &mut SqlInsert::into("item"), &items([1, 2, 3])).await.unwrap();
            let mut writer = SqlWriter::new($sql, |q, i: &Item| q.bind(i.price * 10.0).bind(i.id)).one_row();
            write(&mut db, &mut writer, &items([1, 2])).await.unwrap();
            let times_ten = |id| Item { price: item(id).price * 10.0, ..item(id) };
            let after = expected(&[times_ten(1), times_ten(2), item(3)]);
            assert_eq!(rows(&mut db).await, after);
            let error = refusal(&mut db, &mut writer, &[item(3), item(9)]).await;
            assert!(error.contains("changed 0 rows"), "{error}");
            assert_eq!(rows(&mut db).await, after);
        }
    };
}

mod a_statement_of_the_users_own_runs_for_each_item {
    use super::*;

    own!(sqlite, sqlx::SqliteConnection, "UPDATE item SET price = ? WHERE id = ?");
    own!(postgres, sqlx::PgConnection, "UPDATE item SET price = $1 WHERE id = $2");
    own!(mariadb, sqlx::MySqlConnection, "UPDATE item SET price = ? WHERE id = ?");
}
