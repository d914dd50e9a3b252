//! The default input: always the same rows, some of them bad on purpose.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

const SEED: u64 = 20_260_101;
const CATEGORIES: [&str; 6] = ["tools", "garden", "kitchen", "toys", "books", "office"];

/// Writes `rows` rows to `path` unless it is there already; returns the path.
pub fn once(path: &str, rows: u64) -> io::Result<String> {
    if !Path::new(path).exists() {
        eprintln!("generating {path}");
        if let Some(folder) = Path::new(path).parent() {
            fs::create_dir_all(folder)?;
        }
        // Under another name first: a file that is there is whole.
        let part = format!("{path}.part");
        let mut out = BufWriter::new(File::create(&part)?);
        write_rows(&mut out, rows)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(part, path)?;
    }
    Ok(path.to_owned())
}

fn write_rows(out: &mut impl Write, rows: u64) -> io::Result<()> {
    let mut random = fastrand::Rng::with_seed(SEED);
    writeln!(out, "id,sku,name,category,price,stock,updated_at")?;
    for id in 1..=rows {
        let category = if random.u32(..200) == 0 { "discontinued" } else { CATEGORIES[random.usize(..CATEGORIES.len())] };
        let price = format!("{}.{:02}", random.u32(1..500), random.u32(..100));
        let stock = random.u32(..1000);
        let second = random.u32(..86_400);
        let time = format!("2026-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
        let (sku, name) = (format!("SKU-{id:010}"), format!("Product {id}"));
        // About one row in two thousand is bad, each in one of these ways.
        match if random.u32(..2000) == 0 { random.u32(..8) } else { 8 } {
            0 => writeln!(out, "{id},SKU-{id},{name},{category},{price},{stock},{time}")?,
            1 => writeln!(out, "{id},{sku},  ,{category},{price},{stock},{time}")?,
            2 => writeln!(out, "{id},{sku},{name},{category},-{price},{stock},{time}")?,
            3 => writeln!(out, "{id},{sku},{name},{category},{price}9,{stock},{time}")?,
            4 => writeln!(out, "{id},{sku},{name},{category},{price},-{},{time}", stock + 1)?,
            5 => writeln!(out, "{id},{sku},{name},{category},{price},{stock},yesterday")?,
            6 => writeln!(out, "{id},{sku},{name},{category},{price}")?,
            7 => writeln!(out, "{},{sku},{name},{category},{price},{stock},{time}", (id / 2).max(1))?,
            _ => writeln!(out, "{id},{sku},{name},{category},{price},{stock},{time}")?,
        }
    }
    Ok(())
}
