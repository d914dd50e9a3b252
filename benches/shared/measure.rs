//! How the benches are called, and what they print.

/// The number at `index` of those on the command line, from 0; cargo adds flags of its own between them.
pub fn argument(index: usize, default: u64) -> u64 {
    std::env::args().skip(1).filter_map(|text| text.parse().ok()).nth(index).unwrap_or(default)
}

pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
