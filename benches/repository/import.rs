//! CSV to PostgreSQL, by hand and by the framework.

use crate::{
    product::{Product, Row, check},
    products,
    timed::Times,
};
use batch_core::{BatchStatus, Job, Parameters, Result};
use batch_csv::CsvReader;
use batch_sql::{Postgres, SqlInsert};
use batch_testkit::{Options, Server};
use sqlx::{Connection, Executor, PgConnection, raw_sql};

const CHUNK: usize = 1000;
/// Sent to the server at once: larger pieces were slower.
const PIECE: usize = 64 * 1024;
const TABLE: &str =
    "DROP TABLE IF EXISTS product; CREATE TABLE product (id bigint PRIMARY KEY, sku text NOT NULL, name text NOT NULL,
    category text NOT NULL, price_cents bigint NOT NULL, stock bigint NOT NULL, updated_at text NOT NULL)";
const PLACE: &str =
    "CREATE TABLE place (id bigint PRIMARY KEY, byte bigint NOT NULL, line bigint NOT NULL, record bigint NOT NULL);
    INSERT INTO place VALUES (1, 0, 0, 0)";
const SAVE: &str = "UPDATE place SET byte = $1, line = $2, record = $3 WHERE id = 1";
/// Tells whether both wrote the same.
const SUM: &str = "SELECT sum(id * 31 + price_cents * 7 + stock + length(name) + ascii(updated_at))::bigint FROM product";

/// The loop: its connection, and the rows of the chunk encoded so far.
struct Hand {
    conn: PgConnection,
    encoded: Vec<u8>,
    rows: usize,
}

impl Hand {
    async fn import(&mut self, input: &str) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(128 * 1024).from_path(input)?;
        let header = reader.headers()?.clone();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record)? {
            let row: Row = record.deserialize(Some(&header))?;
            if row.category == "discontinued" {
                continue;
            }
            self.encode(&check(row)?);
            if self.rows == CHUNK {
                self.write(reader.position()).await?;
            }
        }
        self.write(reader.position()).await
    }

    fn encode(&mut self, p: &Product) {
        if self.encoded.is_empty() {
            self.encoded.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        }
        self.encoded.extend_from_slice(&7_i16.to_be_bytes());
        for field in [
            &p.id.to_be_bytes()[..],
            p.sku.as_bytes(),
            p.name.as_bytes(),
            p.category.as_bytes(),
            &p.price_cents.to_be_bytes(),
            &p.stock.to_be_bytes(),
            p.updated_at.as_bytes(),
        ] {
            self.encoded.extend_from_slice(&(field.len() as i32).to_be_bytes());
            self.encoded.extend_from_slice(field);
        }
        self.rows += 1;
    }

    async fn write(&mut self, place: &csv::Position) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.encoded.extend_from_slice(&(-1_i16).to_be_bytes());
        self.conn.execute(raw_sql("BEGIN")).await?;
        let mut copy = self.conn.copy_in_raw("COPY product FROM STDIN (FORMAT binary)").await?;
        for piece in self.encoded.chunks(PIECE) {
            copy.send(piece).await?;
        }
        copy.finish().await?;
        let [byte, line, record] = [place.byte(), place.line(), place.record()].map(|n| n as i64);
        sqlx::query(SAVE).bind(byte).bind(line).bind(record).execute(&mut self.conn).await?;
        self.conn.execute(raw_sql("COMMIT")).await?;
        self.encoded.clear();
        self.rows = 0;
        Ok(())
    }
}

async fn by_framework(database: &Postgres, input: &str, round: i64) -> Result<()> {
    let job = Job::new("import", database).step("load", |s| {
        Ok(s.chunk(CHUNK, CsvReader::<Row>::open(s.parameter::<String>("input")?))
            .filter(|row| row.category != "discontinued")
            .map(check)
            .writer(SqlInsert::into("product")))
    });
    let execution = job.run(Parameters::new().set("input", input).set("round", round)).await?;
    assert_eq!(execution.status, BatchStatus::Completed, "{:?}", execution.exit_status);
    Ok(())
}

pub async fn compare(rows: u64, rounds: u64) -> Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (input, rows) = products::clean(folder.path(), rows)?;
    let server = Server::start(Options::postgres().with_tcp());
    println!("\n{rows} rows of CSV to PostgreSQL, chunks of {CHUNK}, medians of {rounds} interleaved rounds");
    println!("{:>12} {:>12} {:>12} {:>7} {:>17}", "", "by hand", "framework", "ratio", "processor ratio");
    let place = server.database().await;
    let tcp = server.port().map(|port| place.tcp_url(port)).ok_or("the server has no port")?;
    for (name, url) in [("Unix socket", place.url()), ("TCP", tcp)] {
        let (hand, ours) = rounds_on(&url, &input, rounds, name).await?;
        let ((hand, hand_used), (ours, ours_used)) = (hand.medians(), ours.medians());
        println!("{name:>12} {hand:>10.2} s {ours:>10.2} s {:>7.2} {:>17.2}", ours / hand, ours_used / hand_used);
    }
    Ok(())
}

async fn rounds_on(url: &str, input: &str, rounds: u64, name: &str) -> Result<(Times, Times)> {
    let database = Postgres::open(url).await?;
    let mut hand = Hand { conn: PgConnection::connect(url).await?, encoded: Vec::new(), rows: 0 };
    hand.conn.execute(raw_sql("DROP TABLE IF EXISTS place")).await?;
    hand.conn.execute(raw_sql(PLACE)).await?;
    let (mut by_hand, mut ours) = (Times::default(), Times::default());
    for round in 0..i64::try_from(rounds)? {
        let mut sums: [i64; 2] = [0; 2];
        // They take turns in going first.
        for turn in [round % 2, (round + 1) % 2] {
            hand.conn.execute(raw_sql(TABLE)).await?;
            hand.conn.execute(raw_sql("CHECKPOINT")).await?;
            if turn == 0 {
                by_hand.note(hand.import(input)).await?;
            } else {
                ours.note(by_framework(&database, input, round + if name == "TCP" { 1_000_000 } else { 0 })).await?;
            }
            sums[turn as usize] = sqlx::query_scalar(SUM).fetch_one(&mut hand.conn).await?;
        }
        assert_eq!(sums[0], sums[1]);
    }
    Ok((by_hand, ours))
}
