//! w2: CSV to CSV, by structs and by rows that lend their fields.

use crate::{Call, INPUT, Measured, fresh, product::Product, timed};
use batch_core::{BoxError, Job, Result};
use batch_csv::{Column, CsvReader, CsvWriter, Fsync, RecordRow};
use std::str::FromStr;

static ID: Column = Column::new("id");
static NAME: Column = Column::new("name");
static PRICE: Column = Column::new("price");
static STOCK: Column = Column::new("stock");
static UPDATED_AT: Column = Column::new("updated_at");

pub async fn run(call: &Call) -> Result<Measured> {
    let chunk = call.chunk;
    timed(call, fresh()?, |database| {
        let job = Job::new("bench-w2", database);
        if call.workload == "w2rec" {
            return job.step("copy", move |s| {
                Ok(s.chunk(chunk, CsvReader::rows(INPUT)).map(change).writer(synced_at_end("out/ours-w2rec.csv")))
            });
        }
        job.step("copy", move |s| {
            Ok(s.chunk(chunk, CsvReader::<Product>::open(INPUT))
                .map(|product| Ok(product.upper()))
                .writer(synced_at_end("out/ours-w2.csv")))
        })
    })
    .await
}

/// No peer waits for the disk before its end either.
fn synced_at_end<T>(path: &str) -> CsvWriter<T> {
    CsvWriter::create(path).fsync(Fsync::AtEnd)
}

/// Checks what the struct's types would check; what is not changed is copied as it is.
fn change(mut row: RecordRow) -> Result<RecordRow> {
    row.parse::<i64>(&ID)?;
    row.parse::<i32>(&STOCK)?;
    row.parse::<Price>(&PRICE)?;
    row.parse::<Moment>(&UPDATED_AT)?;
    row.rewrite(&NAME, |name, new| new.push_uppercase(name))?;
    Ok(row)
}

/// An exact decimal with two digits behind the point, in cents.
struct Price(#[expect(dead_code, reason = "it is only checked")] i64);

impl FromStr for Price {
    type Err = BoxError;

    fn from_str(text: &str) -> Result<Self> {
        let (whole, cents) = text.split_once('.').ok_or("no decimal point")?;
        if cents.len() != 2 || !cents.bytes().all(|b| b.is_ascii_digit()) {
            return Err("not two digits behind the point".into());
        }
        let (whole, cents): (i64, i64) = (whole.parse()?, cents.parse()?);
        Ok(Self(whole * 100 + if text.starts_with('-') { -cents } else { cents }))
    }
}

/// A point in time in the file's form, `2026-01-02T03:04:05Z`.
struct Moment;

impl FromStr for Moment {
    type Err = BoxError;

    fn from_str(text: &str) -> Result<Self> {
        let b = text.as_bytes();
        let is_marked = b.len() == 20
            && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')].iter().all(|(at, c)| b[*at] == *c);
        if !is_marked {
            chrono::DateTime::parse_from_rfc3339(text)?;
            return Ok(Self);
        }
        let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<u32>().ok());
        let date = chrono::NaiveDate::from_ymd_opt(
            part(0, 4).ok_or("no year")? as i32,
            part(5, 7).ok_or("no month")?,
            part(8, 10).ok_or("no day")?,
        );
        let time = chrono::NaiveTime::from_hms_opt(
            part(11, 13).ok_or("no hour")?,
            part(14, 16).ok_or("no minute")?,
            part(17, 19).ok_or("no second")?,
        );
        date.zip(time).map(|_| Self).ok_or_else(|| "no such date or time".into())
    }
}
