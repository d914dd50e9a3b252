//! Keys of every type come back from the checkpoint as they were.

use super::support::{Brand, Db, brand, mistake, on_every_server, saved};
use batch_core::Reader;
use batch_sql::{Keyset, asc, desc};

/// Types, and values of them as SQL.
fn types(brand: Brand) -> &'static [(&'static str, &'static [&'static str])] {
    match brand {
        Brand::Sqlite => SQLITE,
        Brand::Postgres => POSTGRES,
        Brand::MariaDb => MARIADB,
    }
}

const SQLITE: &[(&str, &[&str])] = &[
    (
        "INTEGER",
        &["-9223372036854775808", "9223372036854775807", "9007199254740993", "9007199254740992", "0", "-1", "'text'", "1.5"],
    ),
    (
        "REAL",
        &["-9e999", "9e999", "0.1", "0.30000000000000004", "0.3", "4.9e-324", "1.7976931348623157e308", "9007199254740992", "-0.1"],
    ),
    ("NUMERIC", &["9007199254740993", "0.1", "'x'", "'1e3'", "x'31'"]),
    ("TEXT", &["''", "' '", "'a'", "'A'", "'a '", "'ä'", "'10'", "'9'", "'''\"'", "char(0)", "x'00'", "'🦀'"]),
    ("TEXT COLLATE NOCASE", &["'a'", "'B'", "'c'", "'D'", "''"]),
    ("BLOB", &["x''", "x'00'", "x'ff00'", "x'7f'", "x'61'", "'a'", "1", "1.5"]),
    ("DATETIME", &["'2026-01-31 00:00:00'", "'2026-01-31T00:00:00.000001'", "1700000000", "1.5"]),
];

const POSTGRES: &[(&str, &[&str])] = &[
    ("smallint", &["-32768", "32767", "0"]),
    ("integer", &["-2147483648", "2147483647", "0"]),
    ("bigint", &["-9223372036854775808", "9223372036854775807", "9007199254740993", "9007199254740992"]),
    ("numeric", &["1e-20", "12345678901234567890123456789.123", "12345678901234567890123456789.1231", "'NaN'", "'Infinity'", "-1"]),
    ("numeric(10, 2)", &["1.10", "1.1 + 0.01", "-99999999.99"]),
    ("real", &["0.1", "'NaN'", "'-Infinity'", "1e-45", "16777216", "3.4028235e38"]),
    ("double precision", &["0.1", "0.30000000000000004", "0.3", "'NaN'", "'Infinity'", "5e-324", "1.7976931348623157e308"]),
    ("boolean", &["true", "false"]),
    ("text", &["''", "' '", "'a'", "'A'", "'a '", "'ä'", "'10'", "'9'", "'''\"'", "E'\\\\n\\n'", "'🦀'"]),
    ("text COLLATE \"C\"", &["'a'", "'B'", "'ä'", "'z'", "''"]),
    ("varchar(8)", &["'a'", "'b '", "''", "'12345678'"]),
    ("char(5)", &["'a'", "'b'", "'abcde'", "'a b'"]),
    ("\"char\"", &["'a'", "'B'", "'~'"]),
    ("name", &["'a'", "'B'"]),
    ("bytea", &["'\\x'", "'\\x00'", "'\\xff00'", "'\\x7f'", "'\\x5c'"]),
    (
        "uuid",
        &[
            "'00000000-0000-0000-0000-000000000000'",
            "'ffffffff-ffff-4fff-8fff-ffffffffffff'",
            "'7f000000-0000-4000-8000-000000000001'",
        ],
    ),
    ("date", &["'0044-03-15 BC'", "'2026-01-31'", "'infinity'", "'5874897-12-31'"]),
    ("time", &["'00:00'", "'23:59:59.999999'", "'24:00'"]),
    ("timestamp", &["'2026-01-31 12:00:00.000001'", "'2026-01-31 12:00'", "'-infinity'", "'0044-03-15 01:02:03 BC'"]),
    ("timestamptz", &["'2026-01-31 12:00:00.000001+05:45'", "'2026-01-31 12:00+05:45'", "'infinity'", "'1900-01-01 00:00+01'"]),
    ("interval", &["'1 month'", "'29 days'", "'-1 day'", "'00:00:00.000001'"]),
    ("inet", &["'10.0.0.1'", "'10.0.0.0/8'", "'::1'"]),
    ("integer[]", &["'{}'", "'{1,2}'", "'{1}'", "'{2}'"]),
    ("bit varying(5)", &["'101'", "'1'", "''"]),
    ("\"mood of\"", &["'ok'", "'happy'", "'sad'"]),
    ("positive", &["3", "20", "100"]),
];

const MARIADB: &[(&str, &[&str])] = &[
    ("TINYINT", &["-128", "127", "0"]),
    ("BOOLEAN", &["true", "false"]),
    ("INT", &["-2147483648", "2147483647", "0"]),
    ("BIGINT", &["-9223372036854775808", "9223372036854775807", "9007199254740993", "9007199254740992"]),
    ("BIGINT UNSIGNED", &["0", "18446744073709551615", "18446744073709551614", "9223372036854775808"]),
    (
        "DECIMAL(65, 30)",
        &["0.000000000000000000000000000001", "12345678901234567890123456789.1", "12345678901234567890123456789.2", "-1"],
    ),
    ("DECIMAL(20, 0)", &["12345678901234567890", "12345678901234567891", "-5"]),
    ("FLOAT", &["0.1", "16777216", "1.17549e-38", "-3.4e38", "0.2"]),
    ("DOUBLE", &["0.1", "0.30000000000000004", "0.3", "4.9e-324", "1.7976931348623157e308", "-0.5"]),
    ("VARCHAR(20) CHARACTER SET utf8mb4", &["''", "'a'", "'B'", "'ä1'", "'10'", "'9'", "'''\"'", "'🦀'", "'\\\\n'"]),
    ("VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", &["''", "'a'", "'A'", "'ä'", "'🦀'", "'B'"]),
    ("VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german2_ci", &["'a'", "'B'", "'ä'", "'z'"]),
    ("CHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", &["'a'", "'b'", "'abcde'", "'a b'"]),
    ("BINARY(3)", &["x'000000'", "x'ff0000'", "x'7f0000'", "x'616263'"]),
    ("VARBINARY(20)", &["x''", "x'00'", "x'ff00'", "x'7f'", "x'61'"]),
    ("DATE", &["'1000-01-01'", "'2026-01-31'", "'9999-12-31'"]),
    ("TIME(6)", &["'-838:59:59'", "'00:00:00.000001'", "'23:59:59'", "'838:59:59'", "'-00:00:00.5'"]),
    ("DATETIME", &["'1000-01-01'", "'2026-01-31 12:00:00'", "'9999-12-31 23:59:59'"]),
    ("DATETIME(6)", &["'2026-01-31 12:00:00.000001'", "'2026-01-31 12:00:00'", "'2026-01-31 12:00:00.1'"]),
    ("TIMESTAMP(6)", &["'1971-01-01 00:00:00.000001'", "'2026-01-31 12:00:00'", "'2038-01-19 03:14:07.999999'"]),
    ("YEAR", &["1901", "2155", "2026"]),
    (
        "UUID",
        &[
            "'00000000-0000-1000-8000-000000000000'",
            "'ffffffff-ffff-4fff-8fff-ffffffffffff'",
            "'7f000000-0000-4000-8000-000000000001'",
        ],
    ),
    ("INET6", &["'::1'", "'2001:db8::ff'", "'::ffff:10.0.0.1'"]),
];

on_every_server!(a_key_of_any_type_is_exact);
async fn a_key_of_any_type_is_exact(db: &impl Db) {
    if brand(db) == Brand::Postgres {
        db.run("CREATE TYPE \"mood of\" AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN positive AS numeric CHECK (VALUE > 0)").await;
    }
    for (number, (name, values)) in types(brand(db)).iter().enumerate() {
        let table = format!("keyed_{number}");
        db.run(&format!("CREATE TABLE {table} (k {name} NOT NULL UNIQUE, id BIGINT NOT NULL)")).await;
        let rows: Vec<_> = values.iter().enumerate().map(|(id, value)| format!("({value}, {id})")).collect();
        db.run(&format!("INSERT INTO {table} VALUES {}", rows.join(", "))).await;
        for (column, direction) in [(asc("k"), ""), (desc("k"), " DESC")] {
            let expected = db.numbers(&format!("SELECT id FROM {table} ORDER BY k{direction}")).await;
            assert_eq!(expected.len(), values.len(), "{name}");
            let by_table = Keyset::<(i64,), _>::table(db, &table).columns(["id"]).key([column.clone()]);
            assert_eq!(restarting(by_table).await, expected, "{name}{direction}");
            let by_query =
                Keyset::<(i64,), _>::query(db, &format!("SELECT id, k FROM {table}")).columns(["id"]).key([column.clone()]);
            assert_eq!(restarting(by_query.key_is_unique()).await, expected, "{name}{direction} in a query");
            let mixed = Keyset::<(i64,), _>::table(db, &table).columns(["id"]).key([column, desc("id")]);
            assert_eq!(restarting(mixed).await, expected, "{name}{direction}, id desc");
        }
    }
}

/// Reads a page of one row at a time, and opens the reader at its position as the checkpoint has it before each.
async fn restarting<D: Db>(reader: Keyset<(i64,), D>) -> Vec<i64> {
    let mut reader = reader.page_size(1);
    reader.open(None).await.unwrap();
    let mut rows = Vec::new();
    while let Some((id,)) = reader.read().await.unwrap() {
        rows.push(id);
        assert!(rows.len() < 100, "it goes round and round: {rows:?}");
        let position = saved(&reader);
        reader.open(Some(position)).await.unwrap();
    }
    rows
}

on_every_server!(what_is_sorted_in_another_way_than_compared_is_no_key);
async fn what_is_sorted_in_another_way_than_compared_is_no_key(db: &impl Db) {
    if brand(db) != Brand::MariaDb {
        return;
    }
    for (number, name) in ["ENUM('b', 'a')", "SET('b', 'a')", "BIT(3)"].into_iter().enumerate() {
        db.run(&format!("CREATE TABLE odd_{number} (k {name} NOT NULL UNIQUE, id BIGINT)")).await;
        db.run(&format!("INSERT INTO odd_{number} VALUES (1, 1), (2, 2)")).await;
        let said = mistake(Keyset::<(i64,), _>::table(db, &format!("odd_{number}")).columns(["id"]).key(["k"])).await;
        assert!(said.contains("cannot be a key"), "{said}");
    }
}
