//! Guards of the hot loop that noise cannot move: instructions by callgrind, with limits that fail the run.
//!
//! Once: `cargo install gungraun-runner --version 0.20.0` (and valgrind). Then `cargo bench --bench instructions`.
//!
//! The work is that of `item_overhead`, for 100,000 items at chunk 10, 100 and 1,000. A limit is the count measured when it was set
//! plus 10 % at chunk 1,000 and 30 % below: a change that is worth more instructions raises it here, and says why. Counts depend a little on compiler and C library.

#[path = "shared/overhead.rs"]
mod overhead;

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use tokio::runtime::{Builder, Runtime};

const ITEMS: u64 = 100_000;

fn runtime(chunk: usize) -> (Runtime, usize) {
    (Builder::new_current_thread().enable_all().build().expect("a runtime"), chunk)
}

/// At most `measured` instructions an item, in thousandths, and so many percent more: the smaller the chunk, the more of the count is the
/// runtime's own, which depends on what the machine does besides.
fn limit(measured: u64, percent: u64) -> LibraryBenchmarkConfig {
    let most = measured * ITEMS / 1000 * (100 + percent) / 100;
    LibraryBenchmarkConfig::default().tool(Callgrind::default().hard_limits([(EventKind::Ir, most)])).clone()
}

#[library_benchmark(setup = runtime)]
#[bench::chunk_10(args = (10), config = limit(139_100, 30))]
#[bench::chunk_100(args = (100), config = limit(36_200, 30))]
#[bench::chunk_1000(args = (1000), config = limit(32_100, 10))]
fn by_hand((runtime, chunk): (Runtime, usize)) -> u64 {
    runtime.block_on(overhead::by_hand(ITEMS, chunk)).expect("a sum")
}

#[library_benchmark(setup = runtime)]
#[bench::chunk_10(args = (10), config = limit(767_900, 30))]
#[bench::chunk_100(args = (100), config = limit(112_200, 30))]
#[bench::chunk_1000(args = (1000), config = limit(46_800, 10))]
fn by_framework((runtime, chunk): (Runtime, usize)) -> u64 {
    runtime.block_on(overhead::by_framework(ITEMS, chunk)).expect("a sum")
}

library_benchmark_group!(name = hot_loop, benchmarks = [by_hand, by_framework]);
main!(library_benchmark_groups = hot_loop);
