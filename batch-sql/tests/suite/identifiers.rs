//! Hostile prefixes of the repository's tables reach no statement; names of writers' tables are tried in `writers`.

use crate::fixture::{Fixture, url};
use batch_sql::SqliteOptions;
use proptest::prelude::*;

const CANARY: &str = "CREATE TABLE canary (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO canary VALUES (1, 'alive')";

fn is_plain(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z\"'`;\\-\\[\\](){}/*=? \u{0}-\u{1f}ÄßЖ]{0,80}",
        Just("canary\"; DROP TABLE canary; --".to_owned()),
        Just("canary (id) SELECT 2; --".to_owned()),
        Just("a".repeat(64)),
        Just("1a".to_owned()),
        Just(String::new()),
        ".*",
    ]
}

async fn attack(f: &Fixture, name: &str) {
    SqliteOptions::new().table_prefix(name).open(&url(&f.dir)).await.unwrap_err();
    assert_eq!(f.text("SELECT group_concat(id || v) FROM canary").await, "1alive");
}

#[test]
fn names_outside_the_allowed_form_are_refused_and_the_canary_lives() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let f = runtime.block_on(async {
        let f = Fixture::new().await;
        f.sql(CANARY).await;
        f
    });
    proptest!(ProptestConfig::with_cases(200), |(name in hostile())| {
        prop_assume!(!is_plain(&name));
        runtime.block_on(attack(&f, &name));
    });
}

#[tokio::test]
async fn a_prefix_that_sqlite_keeps_for_itself_is_refused() {
    let f = Fixture::new().await;
    SqliteOptions::new().table_prefix("sqlite_").open(&url(&f.dir)).await.unwrap_err();
}
