//! Rows in a step.

use crate::support::Folder;
use batch_core::{BatchStatus, Job, JobExplorer, Memory, Page, Parameters, Result, Retry, SkipRecord, Transient};
use batch_csv::{Column, CsvReader, CsvWriter, RecordRow};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

static NAME: Column = Column::new("name");

fn check(mut row: RecordRow) -> Result<RecordRow> {
    let cents: i64 = row.parse("cents")?;
    if cents < 0 {
        return Err(row.bad("cents", "is negative").into());
    }
    row.rewrite(&NAME, |name, new| new.push_uppercase(name))?;
    row.set("cents", cents * 2)?;
    Ok(row)
}

fn run(
    f: &Folder,
    database: &Memory,
    process: impl Fn(RecordRow) -> Result<RecordRow> + Clone + Send + Sync + 'static,
) -> (BatchStatus, Vec<SkipRecord>) {
    let (input, output) = (f.path("in.csv"), f.path("out.csv"));
    let job = Job::new("rows", database).step("copy", move |s| {
        let writer = CsvWriter::create(&output);
        Ok(s.chunk(2, CsvReader::rows(&input))
            .without_transaction()
            .map(process.clone())
            .writer(writer)
            .skip(10)
            .retry(Retry::times(3).constant(Duration::ZERO)))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let execution = job.run(Parameters::new()).await.unwrap();
        let steps = database.steps(execution.id).await.unwrap();
        (execution.status, database.skips(steps[0].id, Page::all()).await.unwrap())
    })
}

fn told(skip: &SkipRecord) -> (Option<u64>, Option<&str>, Option<&str>) {
    (skip.line, skip.column.as_deref(), skip.item.as_deref())
}

#[test]
fn rows_are_processed_skipped_and_written() {
    let f = Folder::new();
    f.file("id,name,cents\n1,bolt,50\n2,\"nut, \"\"small\"\"\",x\n3,cog\n4,pin,-1\n5,\"a,b\",7\n");
    let (status, skips) = run(&f, &Memory::new(), check);
    assert_eq!(status, BatchStatus::Completed);
    let wanted = [
        (Some(3), Some("cents"), Some("2,\"nut, \"\"small\"\"\",x")),
        (Some(4), None, Some("3,cog")),
        (Some(5), Some("cents"), Some("4,pin,-1")),
    ];
    assert_eq!(skips.iter().map(told).collect::<Vec<_>>(), wanted);
    assert_eq!(f.text("out.csv"), "id,name,cents\n1,BOLT,100\n5,\"A,B\",14\n");
}

#[test]
fn a_retried_row_is_as_it_was_read() {
    let f = Folder::new();
    f.file("id,name,cents\n1,bolt,50\n2,nut,60\n");
    let calls = Arc::new(AtomicU32::new(0));
    let process = move |row: RecordRow| {
        let row = check(row)?;
        if calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { Err(Transient("busy".into()).into()) } else { Ok(row) }
    };
    assert_eq!(run(&f, &Memory::new(), process).0, BatchStatus::Completed);
    assert_eq!(f.text("out.csv"), "id,name,cents\n1,BOLT,100\n2,NUT,120\n");
}
