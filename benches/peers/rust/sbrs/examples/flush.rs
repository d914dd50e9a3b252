//! Fact check: errors of ItemWriter::flush are only logged. Output is /dev/full.
use spring_batch_rs::core::{
    item::{ItemReader, ItemReaderResult, PassThroughProcessor},
    job::{Job, JobBuilder},
    step::StepBuilder,
};
use spring_batch_rs::item::csv::csv_writer::CsvItemWriterBuilder;
struct N(std::cell::Cell<u32>);
impl ItemReader<(u32, u32)> for N {
    fn read(&self) -> ItemReaderResult<(u32, u32)> {
        let x = self.0.get();
        if x == 50 {
            return Ok(None);
        }
        self.0.set(x + 1);
        Ok(Some((x, x)))
    }
}
fn main() {
    let r = N(Default::default());
    let p = PassThroughProcessor::<(u32, u32)>::new();
    let w = CsvItemWriterBuilder::<(u32, u32)>::new().from_path("/dev/full");
    let step = StepBuilder::new("s").chunk::<(u32, u32), (u32, u32)>(10).reader(&r).processor(&p).writer(&w).build();
    let job = JobBuilder::new().start(&step).build();
    println!("job ok: {:?}, written: {:?}", job.run().is_ok(), job.get_step_execution("s").map(|e| (e.status, e.write_count)));
}
