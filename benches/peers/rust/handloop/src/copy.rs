//! w2: CSV to CSV, its place kept in the database.

use crate::{CSV, R, checkpoint, product::process};
use sqlx::PgConnection;
use std::io::{Seek, SeekFrom, Write};

pub async fn run(conn: &mut PgConnection, chunk: usize) -> R<u64> {
    let mut reader = csv::Reader::from_path(CSV)?;
    let headers = reader.headers()?.clone();
    let mut writer = csv::Writer::from_path("out/handloop-w2.csv")?;
    let (mut record, mut rows, mut in_chunk) = (csv::StringRecord::new(), 0, 0);
    while reader.read_record(&mut record)? {
        writer.serialize(process(record.deserialize(Some(&headers))?))?;
        rows += 1;
        in_chunk += 1;
        if in_chunk == chunk {
            writer.flush()?;
            checkpoint(conn, "w2", reader.position().byte() as i64, false).await?;
            in_chunk = 0;
        }
    }
    writer.flush()?;
    let mut file = writer.into_inner().map_err(|e| e.to_string())?;
    file.flush()?;
    file.seek(SeekFrom::End(0))?;
    checkpoint(conn, "w2", 0, true).await?;
    Ok(rows)
}
