//! Inputs with rows that are bad in every phase, and what must become of them, reckoned without the engine.

use crate::worker::Kind;
use batch_core::Phase;
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// A row of the input, and of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) cents: i64,
    pub(crate) note: String,
}

/// What must be left when the job is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) read: u64,
    pub(crate) filtered: u64,
    /// Phase, number, line.
    pub(crate) skips: Vec<(Phase, u64, u64)>,
    /// The rows of the table, or one for each record of the output.
    pub(crate) rows: Vec<Row>,
    /// The output file.
    pub(crate) bytes: Vec<u8>,
}

impl Expected {
    pub(crate) fn skipped(&self, phase: Phase) -> u64 {
        self.skips.iter().filter(|s| s.0 == phase).count() as u64
    }
}

enum Fate {
    Good,
    Filtered,
    Bad(Phase),
}

/// Writes `in.csv` with `rows` records into `folder`.
pub(crate) fn write(folder: &Path, kind: Kind, rows: u64) -> Expected {
    let mut bytes = b"id,kind,cents,note\n".to_vec();
    let mut expected = Expected { bytes: bytes.clone(), read: rows, ..Expected::default() };
    let mut line = 2;
    for number in 0..rows {
        let (fate, row, text) = record(kind, number, &expected);
        let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
        bytes.extend(&text);
        match fate {
            Fate::Filtered => expected.filtered += 1,
            Fate::Bad(phase) => expected.skips.push((phase, number, line)),
            Fate::Good => {
                expected.bytes.extend(&text);
                expected.rows.push(row);
            }
        }
        line += lines;
    }
    fs::write(folder.join("in.csv"), bytes).unwrap();
    expected
}

fn record(kind: Kind, number: u64, so_far: &Expected) -> (Fate, Row, Vec<u8>) {
    let mut row = Row { id: number + 1, kind: "tools".into(), cents: (number * 7 % 1000).cast_signed(), note: "plain".into() };
    if number % 23 == 4 {
        row.note = "two\nlines, \"quoted\"".into();
    }
    let loads = kind == Kind::Load;
    let fate = match number {
        n if n % 17 == 3 => {
            row.kind = "gone".into();
            Fate::Filtered
        }
        n if n % 37 == 5 => Fate::Bad(Phase::Read),
        n if n % 41 == 7 => {
            row.cents = -5;
            Fate::Bad(Phase::Process)
        }
        n if n % 29 == 11 || n % 29 == 12 && n % 2 == 0 => {
            if loads {
                // The key of an earlier row that is in the table: now of the same chunk, now of one long committed.
                let back = if n % 3 == 0 { 0 } else { so_far.rows.len() - 1 };
                row.id = so_far.rows[back].id;
            }
            Fate::Bad(Phase::Write)
        }
        _ => Fate::Good,
    };
    let mut text = line(&row);
    match fate {
        Fate::Bad(Phase::Read) if loads => text = format!("{},tools,many,x\n", row.id).into_bytes(),
        Fate::Bad(Phase::Read) => text = [row.id.to_string().as_bytes(), b",tools,1,\xff\xfe\n"].concat(),
        // Wider than the records before it, which only the writer minds.
        Fate::Bad(Phase::Write) if !loads => text = format!("{},tools,1,plain,more\n", row.id).into_bytes(),
        _ => {}
    }
    (fate, row, text)
}

fn line(row: &Row) -> Vec<u8> {
    let note = if row.note.contains('"') { format!("\"{}\"", row.note.replace('"', "\"\"")) } else { row.note.clone() };
    format!("{},{},{},{note}\n", row.id, row.kind, row.cents).into_bytes()
}
