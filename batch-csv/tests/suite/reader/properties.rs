//! Any bytes, any options: what the csv crate yields, from any position, and never a panic.

use crate::support::{Folder, all, now};
use batch_core::Reader;
use batch_csv::{CsvReader, Encoding, RecordRow};
use csv::StringRecord;
use proptest::{collection::vec, prelude::*, sample::select};
use std::path::Path;

/// Bytes that mean something, much more often than others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => select(vec!["a", "bc", "1", ",", ",", "\"", "\"\"", "\n", "\r\n", "\r", ";", "#", " ", "\0", "é", "€", "😀", "\"x\"", "\"a,\nb\""])
            .prop_map(|s| s.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|b| vec![b]),
    ];
    vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

#[derive(Debug, Clone, Copy)]
struct Options {
    delimiter: u8,
    quoting: bool,
    headers: bool,
    flexible: bool,
    comment: bool,
}

fn options() -> impl Strategy<Value = Options> {
    (select(vec![b',', b';']), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(delimiter, quoting, headers, flexible, comment)| Options { delimiter, quoting, headers, flexible, comment })
}

fn reader(path: &Path, o: Options) -> CsvReader<RecordRow> {
    let reader = CsvReader::rows(path).delimiter(o.delimiter).has_headers(o.headers).flexible(o.flexible);
    let reader = reader.comment(o.comment.then_some(b'#'));
    if o.quoting { reader } else { reader.no_quoting() }
}

/// What the csv crate yields: every record, or `None` for one that it calls bad.
fn crate_says(bytes: &[u8], o: Options) -> Vec<Option<StringRecord>> {
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(o.delimiter).quoting(o.quoting).has_headers(o.headers).flexible(o.flexible);
    builder.comment(o.comment.then_some(b'#'));
    builder.from_reader(bytes).into_records().map(Result::ok).collect()
}

/// Three things differ on purpose: a quote that is never closed is bad here; a comment ends at a lone `\r`, too; and one that ends
/// with the file is no empty record.
fn comparable(bytes: &[u8], o: Options) -> bool {
    let lone_cr = bytes.iter().enumerate().any(|(i, b)| *b == b'\r' && bytes.get(i + 1) != Some(&b'\n'));
    let last_line = bytes.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    !(o.comment && (lone_cr || last_line.contains(&b'#')))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn items_are_those_of_the_csv_crate(bytes in bytes(), o in options()) {
        let f = Folder::new();
        let o = if comparable(&bytes, o) { o } else { Options { comment: false, ..o } };
        let utf16 = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
        let mut reader = reader(&f.file(&bytes), o);
        if !utf16 && now(Reader::open(&mut reader, None)).is_ok() {
            let mut ours: Vec<_> = all(&mut reader).into_iter().map(|(item, _)| item).collect();
            let mut theirs = crate_says(&bytes, o);
            if let Some(Err(bad)) = ours.last() && bad.contains("never closed") {
                ours.pop();
                theirs.pop();
            }
            let ours: Vec<_> = ours.into_iter().map(|item| item.ok().map(|row| row.iter().collect::<StringRecord>())).collect();
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn every_position_yields_exactly_the_rest(bytes in bytes(), o in options(), max in select(vec![3, 20, 1000])) {
        let f = Folder::new();
        let path = f.file(&bytes);
        let mut first = reader(&path, o).max_record_bytes(max);
        if now(Reader::open(&mut first, None)).is_ok() {
            let whole = all(&mut first);
            for (done, (_, position)) in whole.iter().enumerate() {
                let mut again = reader(&path, o).max_record_bytes(max);
                now(Reader::open(&mut again, Some(position.clone()))).unwrap();
                let rest = all(&mut again);
                prop_assert!(rest == whole[done + 1..], "after {}: {:?} and not {:?}", done, rest, &whole[done + 1..]);
                prop_assert!(rest.iter().zip(&whole[done + 1..]).all(|(a, b)| line(&a.0) == line(&b.0)));
            }
        }
    }

    #[test]
    fn any_bytes_in_any_encoding_end(bytes in vec(any::<u8>(), 0..300), o in options(), label in select(vec!["utf-8", "utf-16le", "utf-16be", "shift_jis", "gb18030", "windows-1252"])) {
        let f = Folder::new();
        let path = f.file(&bytes);
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let open = || reader(&path, o).max_record_bytes(40).encoding(encoding);
        let mut first = open();
        if now(Reader::open(&mut first, None)).is_ok() {
            let whole = all(&mut first);
            for (done, (_, position)) in whole.iter().enumerate() {
                let mut again = open();
                now(Reader::open(&mut again, Some(position.clone()))).unwrap();
                prop_assert!(all(&mut again) == whole[done + 1..]);
            }
        }
    }
}

fn line(item: &Result<RecordRow, String>) -> Option<u64> {
    item.as_ref().ok().map(RecordRow::line)
}
