//! w4, w4m: numbers in memory, x + 1, summed up.

use crate::{R, checkpoint};
use sqlx::PgConnection;
use std::hint::black_box;

const NUMBERS: u64 = 10_000_000;

pub async fn run(conn: &mut PgConnection, chunk: usize, durable: bool) -> R<u64> {
    let (mut sum, mut count) = (0u64, 0);
    let mut numbers = 0..NUMBERS;
    let mut items = Vec::with_capacity(chunk);
    loop {
        items.clear();
        items.extend(numbers.by_ref().take(chunk).map(|x| black_box(x) + 1));
        if items.is_empty() {
            break;
        }
        sum = items.iter().fold(sum, |sum, x| sum.wrapping_add(*x));
        count += items.len() as u64;
        if durable {
            checkpoint(conn, "w4", count as i64, false).await?;
        }
    }
    assert_eq!(sum, NUMBERS * (NUMBERS + 1) / 2);
    Ok(count)
}
