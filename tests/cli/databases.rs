//! Databases that are not what they should be.

use crate::program::{Place, Said, path_of, rows};
use std::{fs, process::Command};

#[test]
fn a_url_that_leads_nowhere_is_refused_without_its_password() {
    for (url, code, word) in [
        ("postgres://joe:secret@127.0.0.1:1/db", 7, "db at 127.0.0.1:1"),
        ("mysql://joe:secret@127.0.0.1:1/db", 7, "db at 127.0.0.1:1"),
        ("postgres://joe:secret@127.0.0.1:1", 2, "names no database"),
        ("oracle://joe:secret@host/db", 2, "unknown database \"oracle\""),
        ("products.db", 2, "sqlite://"),
        ("", 2, "sqlite://"),
        ("sqlite://", 2, "names no file"),
        ("sqlite::memory:", 2, "in-memory"),
        ("sqlite://x.db?mode=ro", 2, "read-only"),
    ] {
        let said = Command::new(path_of("import_products")).args(["--input", "x.csv", "--database", url]).output().unwrap();
        let said = Said::from(said);
        said.must(code, &[word]);
        assert!(!said.err.contains("secret") && !said.out.contains("secret"), "{said:?}");
    }
}

#[test]
fn a_path_that_cannot_hold_a_database() {
    let place = Place::with(rows(3));
    fs::create_dir(place.database()).unwrap();
    place.import(&[]).must(2, &["is a folder", "test.db"]);
    fs::remove_dir(place.database()).unwrap();
    fs::write(place.database(), "this is no database at all, but some text that is long enough to be looked at ".repeat(20))
        .unwrap();
    place.import(&[]).must(2, &["not an SQLite database", "test.db", "name another file"]);
    let url = format!("sqlite://{}/none/test.db", place.path().display());
    let mut command = Command::new(path_of("import_products"));
    let said = command.arg("--input").arg(place.input()).args(["--database", &url]).output().unwrap();
    Said::from(said).must(2, &["does not exist", "create it first"]);
}

#[test]
fn tables_of_a_newer_program_are_refused() {
    let place = Place::with(rows(30));
    place.import(&["--limit", "10"]).must(3, &[]);
    place.execute("INSERT INTO batch_schema_version VALUES (99, '2030-01-01')");
    place.import(&[]).must(6, &["version 99", "use the newer program", "test.db"]);
    place.execute("DELETE FROM batch_schema_version WHERE version = 99");
    place.import(&[]).must(0, &["resuming after row 10"]);
}

#[test]
fn a_checkpoint_that_is_damaged_is_refused_and_never_begun_anew() {
    let place = Place::with(rows(30));
    place.import(&["--limit", "10"]).must(3, &[]);
    let good: String = place.rows::<(String,)>("SELECT checkpoint FROM batch_step").remove(0).0;
    let huge = format!("{{\"v\":{}", "9".repeat(1_000_000));
    let damaged = [
        "",
        "null",
        "{",
        "[]",
        "10",
        "\u{1}",
        &good[..good.len() - 2],
        &good.replace("\"v\":1", "\"v\":99"),
        &good.replace("\"v\":1", "\"v\":\"one\""),
        &good.replace("\"v\":1", "\"w\":1"),
        &good.replace("\"read\":10", "\"read\":-1"),
        &good.replace("\"byte\":", "\"byte\":\"x\",\"was\":"),
        &good.replace("\"byte\":", "\"byte\":99999999,\"was\":"),
        &huge,
    ];
    for text in damaged {
        place.execute(&format!("UPDATE batch_step SET checkpoint = '{text}'"));
        let shown: String = text.chars().take(80).collect();
        let said = place.import(&[]);
        assert_eq!(said.code, Some(6), "{shown}: {said:?}");
        assert!(said.err.contains("import-products"), "{shown}: {said:?}");
        assert!(said.err.len() < 5_000, "{shown}: an error of {} bytes", said.err.len());
        assert_eq!(place.number("SELECT count(*) FROM product"), 10, "{shown}");
    }
    place.execute(&format!("UPDATE batch_step SET checkpoint = '{good}'"));
    place.import(&[]).must(0, &["resuming after row 10"]);
    assert_eq!(place.number("SELECT count(*) FROM product"), 30);
}

#[test]
fn a_table_of_the_rows_that_is_gone_fails_the_step_and_is_made_again() {
    let place = Place::with(rows(30));
    place.execute("CREATE TABLE product (id INTEGER PRIMARY KEY)");
    place.import(&[]).must(1, &["job import-products", "step load", "product", "sku"]);
    assert_eq!(place.number("SELECT count(*) FROM batch_skip"), 0, "no row is at fault");
    place.execute("DROP TABLE product");
    place.import(&[]).must(0, &[]);
    assert_eq!(place.number("SELECT count(*) FROM product"), 30);
}
