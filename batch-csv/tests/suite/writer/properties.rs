//! Any schedule of writes, rollbacks, commits, crashes and restarts gives the file of an undisturbed run.

use crate::support::{Folder, Now};
use batch_csv::{CsvWriter, QuoteStyle};
use proptest::{collection::vec, prelude::*};
use serde::Serialize;
use serde_json::Value;
use std::{fs::OpenOptions, os::unix::fs::FileExt};

#[derive(Debug, Clone, Serialize)]
struct Row {
    n: u32,
    text: String,
}

#[derive(Debug, Clone)]
enum Act {
    /// A chunk in calls of these sizes, cut back to so many items and filled up again, and committed.
    Chunk(Vec<usize>, usize),
    /// As before, but the commit fails: the same writer goes back.
    Lost(Vec<usize>),
    /// The process dies after a flush that no commit names, or before it; garbage may follow.
    Crash(bool, Vec<u8>),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (vec(0_usize..5, 1..4), 0_usize..12).prop_map(|(calls, keep)| Act::Chunk(calls, keep)),
        1 => vec(0_usize..5, 1..4).prop_map(Act::Lost),
        1 => (any::<bool>(), vec(any::<u8>(), 0..20)).prop_map(|(flushed, garbage)| Act::Crash(flushed, garbage)),
    ]
}

struct Run {
    f: Folder,
    w: CsvWriter<Row>,
    saved: Option<Value>,
    texts: Vec<String>,
    committed: u32,
}

impl Run {
    fn new(texts: Vec<String>) -> Self {
        let f = Folder::new();
        let mut w = Self::writer(&f);
        w.start(None).unwrap();
        Self { f, w, saved: None, texts, committed: 0 }
    }

    fn writer(f: &Folder) -> CsvWriter<Row> {
        CsvWriter::create(f.path("out.csv")).quote_style(QuoteStyle::NonNumeric)
    }

    fn rows(&self, from: u32, count: usize) -> Vec<Row> {
        let text = |n: u32| self.texts[n as usize % self.texts.len()].clone();
        (from..).take(count).map(|n| Row { n, text: text(n) }).collect()
    }

    fn put(&mut self, calls: &[usize]) -> u32 {
        let mut next = self.committed;
        for count in calls {
            let rows = self.rows(next, *count);
            self.w.put(&rows).unwrap();
            next += u32::try_from(*count).unwrap();
        }
        next
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Chunk(calls, keep) => {
                let end = self.put(calls);
                self.w.keep(*keep);
                let kept = (self.committed + u32::try_from(*keep).unwrap()).min(end);
                let again = self.rows(kept, (end - kept) as usize);
                self.w.put(&again).unwrap();
                self.saved = Some(self.w.commit().unwrap());
                self.committed = end;
            }
            Act::Lost(calls) => {
                self.put(calls);
                self.w.commit().unwrap();
                self.w.start(self.saved.as_ref()).unwrap();
            }
            Act::Crash(flushed, garbage) => {
                self.put(&[3]);
                if *flushed {
                    self.w.commit().unwrap();
                }
                self.w.end();
                let part = OpenOptions::new().write(true).open(self.f.path("out.csv.part")).unwrap();
                let end = part.metadata().unwrap().len();
                part.write_all_at(garbage, end).unwrap();
                self.w = Self::writer(&self.f);
                self.w.start(self.saved.as_ref()).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_schedule_gives_the_same_file(acts in vec(act(), 1..12), texts in vec("[a-z,\"\n\r=é😀 ]{0,9}", 1..4)) {
        let mut run = Run::new(texts);
        acts.iter().for_each(|act| run.act(act));
        run.w.publish().unwrap();
        run.w.end();

        let mut plain = csv::WriterBuilder::new().quote_style(QuoteStyle::NonNumeric).from_writer(Vec::new());
        for row in run.rows(0, run.committed as usize) {
            plain.serialize(row).unwrap();
        }
        prop_assert_eq!(run.f.text("out.csv"), String::from_utf8(plain.into_inner().unwrap()).unwrap());
    }
}
