//! Whether a contestant did what it was to do: told from the data and not from another contestant.

use crate::{
    contestants::copies,
    result::{Measurement, Run, Variant, Who},
};
use batch_core::Result;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, raw_sql};
use std::{collections::HashMap, fs, io, path::Path};

/// How many rows w7 and w8 read at most.
const FEW: u64 = 100_000;
const NUMBERS: u64 = 10_000_000;

pub struct Check {
    conn: PgConnection,
    /// Rows of the file.
    pub rows: u64,
    /// What the table holds after each query of the source.
    tables: HashMap<String, (i64, String)>,
    /// Of the file that w2 writes, with its header and without.
    copies: HashMap<bool, blake3::Hash>,
}

impl Check {
    pub async fn open(url: &str) -> Result<Self> {
        let mut conn =
            PgConnection::connect(url).await.map_err(|e| format!("no database at {url}, see benches/peers/setup.sh: {e}"))?;
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM product_src")
            .fetch_one(&mut conn)
            .await
            .map_err(|e| format!("product_src is not filled, see benches/peers/setup.sh: {e}"))?;
        Ok(Self { conn, rows: u64::try_from(rows)?, tables: HashMap::new(), copies: HashMap::new() })
    }

    /// So that no one pays for what the one before left in memory.
    pub async fn checkpoint(&mut self) -> Result<()> {
        self.conn.execute(raw_sql("CHECKPOINT")).await?;
        Ok(())
    }

    pub async fn version(&mut self) -> Result<String> {
        Ok(sqlx::query_scalar("SELECT version()").fetch_one(&mut self.conn).await?)
    }

    /// The row at which a run fails that is to fail at so many hundredths.
    pub fn fail_at(&self, hundredths: u8) -> u64 {
        self.rows * u64::from(hundredths) / 100 + 1
    }

    /// What is wrong with it, if anything is.
    pub async fn check(&mut self, run: &Run, measured: &Measurement, folder: &Path) -> Result<Option<String>> {
        let rows = self.expected_rows(run);
        if measured.rows != rows {
            return Ok(Some(format!("wrong: {} rows of {rows}", measured.rows)));
        }
        if run.variant == Variant::TenTimes {
            return Ok(None);
        }
        if run.workload.starts_with("w2") {
            return self.check_copy(run, folder);
        }
        let Some(source) = self.source(run) else { return Ok(None) };
        let expected = match self.tables.get(&source) {
            Some(known) => known.clone(),
            None => self.fingerprint(&source).await?,
        };
        let found = self.fingerprint("SELECT id, sku, name, category, price, stock, updated_at FROM product").await?;
        self.tables.insert(source, expected.clone());
        Ok((found != expected).then(|| format!("wrong: the table has {} rows, or others than it should have", found.0)))
    }

    fn expected_rows(&self, run: &Run) -> u64 {
        let few = self.rows.min(FEW);
        match (run.workload, run.variant) {
            ("w4" | "w4step" | "w4m", _) => NUMBERS,
            // The rows of the chunks behind the last committed one.
            (_, Variant::FailedAt(hundredths)) => self.rows - (self.fail_at(hundredths) - 1) / run.chunk * run.chunk,
            (_, Variant::TenTimes) => self.rows * 10,
            ("w6", _) => 0,
            ("w7", _) => few - few / 1000,
            ("w7clean" | "w8" | "w8clean", _) => few,
            _ => self.rows,
        }
    }

    /// What the table should hold, where the workload writes to it.
    fn source(&self, run: &Run) -> Option<String> {
        let name = if run.who == Who::PsqlCopy { "name" } else { "upper(name)" };
        Some(match run.workload {
            "w3" => "SELECT id, sku, name, category, round(price * 1.1, 2), stock, updated_at FROM product_src".to_owned(),
            "w2" | "w4" | "w4step" | "w4m" | "w6" => return None,
            workload => {
                let which = match workload {
                    "w7" => format!("WHERE id <= {FEW} AND id % 1000 <> 0"),
                    "w7clean" | "w8" | "w8clean" => format!("WHERE id <= {FEW}"),
                    _ => String::new(),
                };
                format!("SELECT id, sku, {name}, category, price, stock, updated_at FROM product_src {which}")
            }
        })
    }

    async fn fingerprint(&mut self, rows: &str) -> Result<(i64, String)> {
        let sql = format!("SELECT count(*), coalesce(sum(hashtextextended(r::text, 0)), 0)::text FROM ({rows}) r");
        Ok(sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut self.conn).await?)
    }

    fn check_copy(&mut self, run: &Run, folder: &Path) -> Result<Option<String>> {
        let Some(copy) = copies(run, folder).into_iter().find(|path| path.exists()) else {
            return Ok(Some("wrong: no file".to_owned()));
        };
        let mut found = blake3::Hasher::new();
        io::copy(&mut fs::File::open(copy)?, &mut found)?;
        // Its writer knows no header.
        let with_header = run.who != Who::Oxide;
        let expected = match self.copies.get(&with_header) {
            Some(known) => *known,
            None => copied(&folder.join("data/products.csv"), with_header)?,
        };
        self.copies.insert(with_header, expected);
        Ok((found.finalize() != expected).then(|| "wrong: the file differs from what it should be".to_owned()))
    }
}

/// The hash of the file with names in capitals.
fn copied(path: &Path, with_header: bool) -> Result<blake3::Hash> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut writer = csv::Writer::from_writer(blake3::Hasher::new());
    if with_header {
        writer.write_record(reader.headers()?)?;
    }
    for record in reader.records() {
        let record = record?;
        let name = record[2].to_uppercase();
        writer.write_record(record.iter().enumerate().map(|(column, field)| if column == 2 { &name } else { field }))?;
    }
    Ok(writer.into_inner().map_err(|e| e.to_string())?.finalize())
}
