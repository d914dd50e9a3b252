//! The products file of `examples/import_products`, without its bad rows.

use crate::{
    generate,
    product::{Row, check},
};
use batch_core::Result;
use std::{collections::HashSet, path::Path};

/// Writes so many generated rows, less about one in two thousand that are bad, to a file in `folder`; returns its path and rows.
pub fn clean(folder: &Path, rows: u64) -> Result<(String, u64)> {
    let all = generate::once(&folder.join("generated.csv").to_string_lossy(), rows)?;
    let path = folder.join("products.csv").to_string_lossy().into_owned();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(all)?;
    let header = reader.headers()?.clone();
    let mut writer = csv::Writer::from_path(&path)?;
    writer.write_record(&header)?;
    let (mut record, mut ids, mut kept) = (csv::StringRecord::new(), HashSet::new(), 0);
    while reader.read_record(&mut record)? {
        if let Ok(row) = record.deserialize::<Row>(Some(&header))
            && ids.insert(row.id)
            && check(row).is_ok()
        {
            writer.write_record(&record)?;
            kept += 1;
        }
    }
    writer.flush()?;
    Ok((path, kept))
}
