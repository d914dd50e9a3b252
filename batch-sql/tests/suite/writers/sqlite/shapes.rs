//! Tables whose rows can be told apart, or stand in each other's way, in every manner that SQLite knows.

/// A table `t` with the columns `k`, `j`, `a` and `b`.
pub(super) struct Shape {
    pub(super) sql: &'static str,
    /// Where rows are inserted, with four values each.
    pub(super) fill: &'static str,
    /// Whether updates and deletes by the key `k` come in blocks.
    pub(super) blocks: (bool, bool),
    /// The same by `k` and `j` together.
    pub(super) blocks_of_two: (bool, bool),
}

const fn shape(sql: &'static str, blocks: (bool, bool), blocks_of_two: (bool, bool)) -> Shape {
    Shape { sql, fill: "t (k, j, a, b)", blocks, blocks_of_two }
}

const BOTH: (bool, bool) = (true, true);
const UPDATE: (bool, bool) = (true, false);
const DELETE: (bool, bool) = (false, true);
const NONE: (bool, bool) = (false, false);

pub(super) const SHAPES: [Shape; 38] = [
    // What the key is, and how it is compared.
    shape("CREATE TABLE t (k INTEGER PRIMARY KEY, j, a, b)", BOTH, UPDATE),
    shape("CREATE TABLE t (k INTEGER PRIMARY KEY, j TEXT COLLATE NOCASE, a, b)", BOTH, UPDATE),
    shape("CREATE TABLE t (k INTEGER PRIMARY KEY DESC, j, a, b)", BOTH, UPDATE),
    shape("CREATE TABLE t (k BIGINT PRIMARY KEY, j INTEGER, a TEXT, b REAL)", BOTH, UPDATE),
    shape("CREATE TABLE t (k TEXT PRIMARY KEY, j, a INTEGER, b BLOB)", BOTH, UPDATE),
    shape("CREATE TABLE t (k TEXT PRIMARY KEY, j, a, b) WITHOUT ROWID", BOTH, UPDATE),
    shape("CREATE TABLE t (k PRIMARY KEY, j, a, b)", BOTH, UPDATE),
    shape("CREATE TABLE t (k REAL UNIQUE, j, a, b)", BOTH, UPDATE),
    shape("CREATE TABLE t (k NUMERIC UNIQUE, j, a NUMERIC, b TEXT)", BOTH, UPDATE),
    shape("CREATE TABLE t (k ANY PRIMARY KEY, j ANY, a ANY, b ANY) STRICT", BOTH, UPDATE),
    shape("CREATE TABLE t (k TEXT COLLATE NOCASE PRIMARY KEY, j, a, b)", NONE, NONE),
    shape("CREATE TABLE t (k TEXT COLLATE RTRIM UNIQUE, j, a, b)", NONE, NONE),
    shape("CREATE TABLE t (k TEXT, j, a, b); CREATE UNIQUE INDEX u ON t (k COLLATE NOCASE)", NONE, NONE),
    shape("CREATE TABLE t (k TEXT COLLATE NOCASE, j, a, b); CREATE UNIQUE INDEX u ON t (k COLLATE BINARY)", NONE, NONE),
    // Keys that are none, or only for some rows, or only with others.
    shape("CREATE TABLE t (k, j, a, b); CREATE INDEX i ON t (k)", NONE, NONE),
    shape("CREATE TABLE t (k TEXT, j TEXT, a, b, PRIMARY KEY (j, k))", NONE, UPDATE),
    shape("CREATE TABLE t (k TEXT, j INTEGER, a, b, PRIMARY KEY (k, j)) WITHOUT ROWID", NONE, UPDATE),
    shape("CREATE TABLE t (k, j INTEGER PRIMARY KEY, a, b); CREATE INDEX i ON t (k)", NONE, UPDATE),
    shape("CREATE TABLE t (k, j, a, b); CREATE UNIQUE INDEX u ON t (k) WHERE b > 1; CREATE INDEX i ON t (k)", NONE, NONE),
    shape("CREATE TABLE t (k, j, a, b); CREATE UNIQUE INDEX u ON t (abs(k))", NONE, NONE),
    // Columns that are set, in whose values rows can be in each other's way.
    shape("CREATE TABLE t (k INTEGER PRIMARY KEY, j, a UNIQUE, b)", DELETE, NONE),
    shape("CREATE TABLE t (k INTEGER PRIMARY KEY, j, a UNIQUE ON CONFLICT REPLACE, b)", DELETE, NONE),
    shape("CREATE TABLE t (k PRIMARY KEY, j, a, b); CREATE UNIQUE INDEX u ON t (j) WHERE a = 1", DELETE, NONE),
    shape("CREATE TABLE t (k PRIMARY KEY, j, a, b); CREATE UNIQUE INDEX u ON t (lower(a))", DELETE, NONE),
    shape("CREATE TABLE t (k PRIMARY KEY, j, a, b, c AS (a || 'x') UNIQUE)", DELETE, NONE),
    shape("CREATE TABLE t (k INTEGER, j INTEGER PRIMARY KEY, a, b, UNIQUE (k))", BOTH, UPDATE),
    // Values that are refused, left out or replaced.
    shape("CREATE TABLE t (k INTEGER PRIMARY KEY, j, a NOT NULL, b CHECK (b <> 3))", BOTH, UPDATE),
    shape("CREATE TABLE t (k BIGINT PRIMARY KEY, j, a NOT NULL ON CONFLICT IGNORE, b)", BOTH, UPDATE),
    shape("CREATE TABLE t (k BIGINT PRIMARY KEY, j, a NOT NULL ON CONFLICT FAIL, b)", BOTH, UPDATE),
    shape(
        "CREATE TABLE t (k BIGINT PRIMARY KEY, j, a NOT NULL ON CONFLICT REPLACE DEFAULT 7, b, c AS (a || b) STORED)",
        BOTH,
        UPDATE,
    ),
    Shape { fill: "t (a, j, c, b)", ..shape("CREATE TABLE t (k AS (a), j, a, b, c); CREATE UNIQUE INDEX u ON t (k)", NONE, NONE) },
    Shape { fill: "t (k, c, a, b)", ..shape("CREATE TABLE t (k INTEGER PRIMARY KEY, j AS (a), a, b, c)", BOTH, NONE) },
    // What happens to other rows, in which order.
    shape(
        "CREATE TABLE t (k INTEGER PRIMARY KEY, j, a, b);
         CREATE TRIGGER updated AFTER UPDATE ON t BEGIN INSERT INTO log (what) VALUES (new.k || '<' || old.b || '>' || new.b); END;
         CREATE TRIGGER deleted AFTER DELETE ON t BEGIN INSERT INTO log (what) VALUES (old.k); END",
        NONE,
        NONE,
    ),
    shape(
        "CREATE TABLE t (k INTEGER PRIMARY KEY, j, a, b);
         CREATE TEMP TRIGGER updated BEFORE UPDATE ON main.t BEGIN UPDATE t SET k = k + 100 WHERE k = old.k + 1; END;
         CREATE TEMP TRIGGER deleted BEFORE DELETE ON main.t BEGIN DELETE FROM t WHERE k = old.k + 1; END",
        NONE,
        NONE,
    ),
    shape("CREATE TABLE t (k INTEGER PRIMARY KEY, j REFERENCES t ON DELETE CASCADE, a, b)", UPDATE, UPDATE),
    shape("CREATE TABLE t (k INTEGER PRIMARY KEY, j, a REFERENCES t (k), b)", UPDATE, UPDATE),
    shape(
        "CREATE TABLE t (k INTEGER PRIMARY KEY, j, a, b); CREATE TABLE child (t REFERENCES T ON DELETE SET NULL)",
        UPDATE,
        UPDATE,
    ),
    // A view is no table, and counts no rows.
    Shape {
        fill: "base (k, j, a, b)",
        ..shape(
            "CREATE TABLE base (k INTEGER PRIMARY KEY, j, a, b); CREATE VIEW t AS SELECT k, j, a, b FROM base;
             CREATE TRIGGER updated INSTEAD OF UPDATE ON t BEGIN UPDATE base SET a = new.a, b = new.b WHERE k = old.k; END;
             CREATE TRIGGER deleted INSTEAD OF DELETE ON t BEGIN DELETE FROM base WHERE k = old.k; END",
            NONE,
            NONE,
        )
    },
];
