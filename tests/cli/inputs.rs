//! Inputs that are not what they should be.

use crate::program::{HEADER, Place, row, rows};
use std::fs;

const WHERE: [&str; 3] = ["job import-products", "step load", "in.csv"];

fn words<'a>(more: &[&'a str]) -> Vec<&'a str> {
    WHERE.iter().chain(more).copied().collect()
}

#[test]
fn a_missing_file() {
    Place::new().import(&[]).must(2, &words(&["does not exist", "check its path"]));
}

#[test]
fn a_folder() {
    let place = Place::new();
    fs::create_dir(place.input()).unwrap();
    place.import(&[]).must(2, &words(&["is a folder", "name a file in it"]));
}

#[test]
fn a_pipe_or_device() {
    let place = Place::new();
    std::os::unix::fs::symlink("/dev/zero", place.input()).unwrap();
    place.import(&[]).must(2, &words(&["not a regular file", "copy it to a file first"]));
}

#[test]
fn once_the_input_is_mended_the_same_command_goes_on() {
    let place = Place::new();
    place.import(&[]).must(2, &[]);
    fs::write(place.input(), rows(10)).unwrap();
    place.import(&[]).must(0, &[]);
    assert_eq!(place.number("SELECT count(*) FROM product"), 10);
}

#[test]
fn an_empty_file_and_one_with_only_a_header_complete_with_nothing() {
    for text in ["", HEADER, HEADER.trim_end(), "\u{feff}id,sku,name,category,price,stock,updated_at\r\n"] {
        let place = Place::with(text);
        let said = place.import(&[]);
        said.must(0, &[]);
        assert!(said.out.contains("COMPLETED"), "{said:?}");
        assert_eq!(place.number("SELECT count(*) FROM product"), 0);
    }
}

#[test]
fn a_header_without_a_column_or_with_one_twice() {
    let lacking = HEADER.replace(",price", "") + "1,SKU-0000000001,One,tools,1,2026-01-02T03:04:05Z\n";
    Place::with(lacking).import(&[]).must(2, &words(&["price"]));
    let twice = HEADER.replace("name,", "price,") + &row(1);
    Place::with(twice).import(&[]).must(2, &words(&["price"]));
}

#[test]
fn a_nul_is_data() {
    let place = Place::with(rows(3).replace("Product 2", "Pro\0duct 2"));
    place.import(&["--skip-limit", "0"]).must(0, &[]);
    let named: Vec<(Vec<u8>,)> = place.rows("SELECT CAST(name AS BLOB) FROM product WHERE id = 2");
    assert_eq!(named, [(b"Pro\0duct 2".to_vec(),)]);
}

/// An input whose third line is bad: what a limit of no skips says, and that with one it is left out and nothing else.
fn third_line_is_bad(input: &[u8], said: &[&str], left: i64) {
    Place::with(input).import(&["--skip-limit", "0"]).must(1, &[said, &["job import-products", "step load", "line 3"]].concat());
    third_line_is_left_out(input, left);
}

fn third_line_is_left_out(input: &[u8], left: i64) {
    let place = Place::with(input);
    place.import(&["--skip-limit", "5"]).must(0, &[]);
    assert_eq!(place.number("SELECT count(*) FROM product"), left);
    assert_eq!(place.rows::<(i64,)>("SELECT line FROM batch_skip"), [(3,)]);
}

#[test]
fn invalid_utf8() {
    let text = rows(4).into_bytes();
    let bad = text.windows(9).position(|w| w == b"Product 2").unwrap();
    let mut bytes = text.clone();
    bytes[bad] = 0xff;
    third_line_is_bad(&bytes, &["UTF-8", "name"], 3);
}

#[test]
fn a_quote_that_is_never_closed_takes_the_rest() {
    third_line_is_bad(rows(4).replace("Product 2", "\"Product 2").as_bytes(), &["never closed"], 1);
}

#[test]
fn a_row_that_is_too_wide_too_narrow_or_not_a_number() {
    third_line_is_bad(rows(4).replace("Product 2,", "Product 2,more,").as_bytes(), &["8 fields"], 3);
    third_line_is_bad(rows(4).replace("Product 2,", "").as_bytes(), &["6 fields"], 3);
    third_line_is_bad(rows(4).replace("\n2,", "\ntwo,").as_bytes(), &["id", "two"], 3);
    third_line_is_bad(rows(4).replace("SKU-0000000002", "SKU-2").as_bytes(), &["sku"], 3);
}

/// Without skips nothing is written twice to find the row that the database refuses, so the error names the column and no line.
#[test]
fn a_row_that_the_database_refuses() {
    let text = rows(4).replace("\n2,", "\n1,");
    Place::with(&text).import(&["--skip-limit", "0"]).must(1, &["job import-products", "step load", "UNIQUE", "product.id"]);
    third_line_is_left_out(text.as_bytes(), 3);
}

#[test]
fn mixed_line_ends() {
    let text = HEADER.replace('\n', "\r\n") + &row(1) + &row(2).replace('\n', "\r") + "\r\n\n" + &row(3) + row(4).trim_end();
    let place = Place::with(text);
    place.import(&["--skip-limit", "0"]).must(0, &[]);
    assert_eq!(place.number("SELECT count(*) FROM product"), 4);
}

#[test]
fn one_bad_row_more_than_the_limit_fails_and_a_higher_limit_goes_on() {
    let text = rows(100).replace(",tools,1", ",tools,-1");
    let bad = text.matches(",tools,-1").count() as i64;
    let place = Place::with(text);
    let limit = (bad - 1).to_string();
    place.import(&["--skip-limit", &limit, "--chunk", "5"]).must(1, &["skip limit", &limit, "line ", "item ", "negative"]);
    place.import(&["--skip-limit", "100"]).must(0, &["resuming after row"]);
    assert_eq!(place.number("SELECT count(*) FROM product"), 100 - bad);
    assert_eq!(place.number("SELECT count(*) FROM batch_skip"), bad);
}

#[test]
fn arguments_that_make_no_sense() {
    let place = Place::with(rows(3));
    place.import(&["--chunk", "many"]).must(2, &["--chunk", "many"]);
    place.import(&["--chunk=-1"]).must(2, &["--chunk"]);
    place.import(&["--no-such-flag"]).must(2, &["--no-such-flag"]);
    place.import(&["--limit", "x"]).must(2, &["--limit"]);
}
