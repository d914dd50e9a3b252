//! Hostile names reach no statement.

use super::support::{Db, drawn, on_every_server, refusal};
use batch_core::ErrorKind;
use batch_sql::{Keyset, ranges};
use proptest::prelude::*;
use std::num::NonZeroU32;

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z\"'`;\\-\\[\\](){}/*=? \u{0}-\u{1f}ÄßЖ]{0,80}",
        Just("canary\"; DROP TABLE canary; --".to_owned()),
        Just("canary`; DROP TABLE canary; -- ".to_owned()),
        Just("id FROM canary; DELETE FROM canary; --".to_owned()),
        Just("a".repeat(64)),
        Just("1a".to_owned()),
        Just("a..b".to_owned()),
        Just(String::new()),
        ".*",
    ]
}

fn is_plain(name: &str) -> bool {
    let is_name = |part: &str| {
        part.len() <= 63
            && part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    name.split('.').all(is_name)
}

on_every_server!(names_outside_the_allowed_form_are_refused_and_the_canary_lives);
async fn names_outside_the_allowed_form_are_refused_and_the_canary_lives(db: &impl Db) {
    db.run("CREATE TABLE canary (id BIGINT NOT NULL PRIMARY KEY)").await;
    db.run("INSERT INTO canary VALUES (1)").await;
    for name in drawn(&hostile(), 200).into_iter().filter(|name| !is_plain(name)) {
        let canary = || Keyset::<(i64,), _>::table(db, "canary");
        for reader in [
            Keyset::<(i64,), _>::table(db, &name).key(["id"]),
            Keyset::<(i64,), _>::table(db, &name).key(["id"]).key_is_unique(),
            canary().key([name.as_str()]),
            canary().key([name.as_str()]).key_is_unique(),
            canary().key(["id"]).columns([&name]),
            Keyset::<(i64,), _>::query(db, "SELECT id FROM canary").key([name.as_str()]).key_is_unique(),
        ] {
            assert_eq!(refusal(reader).await.kind(), ErrorKind::Configuration, "{name:?}");
        }
        ranges(db, &name, "id", NonZeroU32::MIN).await.unwrap_err();
        ranges(db, "canary", &name, NonZeroU32::MIN).await.unwrap_err();
    }
    assert_eq!(db.numbers("SELECT id FROM canary").await, [1]);
}

on_every_server!(words_of_sql_are_names_like_others);
async fn words_of_sql_are_names_like_others(db: &impl Db) {
    let quote = if super::support::brand(db) == super::support::Brand::MariaDb { "`" } else { "\"" };
    db.run(&"CREATE TABLE ~select~ (~from~ BIGINT NOT NULL PRIMARY KEY, ~where~ BIGINT)".replace('~', quote)).await;
    db.run(&"INSERT INTO ~select~ VALUES (1, 2), (2, 3), (3, 4)".replace('~', quote)).await;
    let reader = Keyset::<(i64,), _>::table(db, "select").columns(["where"]).key(["from"]).page_size(1);
    assert_eq!(super::support::read_all(reader).await, [2, 3, 4].map(|n| Some((n,))));
}

on_every_server!(values_are_bound_whatever_they_say);
async fn values_are_bound_whatever_they_say(db: &impl Db) {
    db.run("CREATE TABLE canary (id BIGINT NOT NULL PRIMARY KEY, v VARCHAR(99) NOT NULL)").await;
    db.run("INSERT INTO canary VALUES (1, 'alive')").await;
    for value in ["' OR 1 = 1 --", "\\' OR 1 = 1 -- ", "\"", "$1", "?"] {
        let reader = Keyset::<(i64,), _>::table(db, "canary").columns(["id"]).filter("v = ?").bind(value).key(["id"]);
        assert!(super::support::read_all(reader).await.is_empty());
    }
    assert_eq!(db.numbers("SELECT id FROM canary").await, [1]);
}
