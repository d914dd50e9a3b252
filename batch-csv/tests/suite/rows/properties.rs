//! Any file, any options: rows are what structs are, and written as the csv crate writes them.

use crate::support::{Folder, Now, all, now};
use batch_core::Reader;
use batch_csv::{CsvPosition, CsvReader, CsvWriter, Encoding, QuoteStyle, RecordRow, Terminator, Trim};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde::{Serialize, Serializer};
use std::path::Path;

/// Pieces of which most quotes are where they should be.
fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "bc",
        ",",
        ",",
        ";",
        "'",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "\"x\"",
        "\"\"",
        "\"a,b\"",
        "\"a\"\"b\"",
        "\"\n\"",
        "\"\r\nx\"",
        ",\"é\"",
        "\"",
        "#",
        " ",
        "€",
        "=1+",
        "-1",
        "-x",
    ];
    vec(select(pieces.to_vec()), 0..60).prop_map(|pieces| pieces.concat())
}

#[derive(Debug, Clone, Copy)]
struct Options {
    delimiter: u8,
    quote: Option<u8>,
    headers: bool,
    flexible: bool,
    trim: bool,
    comment: bool,
    max: usize,
    encoding: &'static str,
}

fn options() -> impl Strategy<Value = Options> {
    let marks = (select(vec![b',', b';']), select(vec![Some(b'"'), Some(b'\''), None]));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let encodings = vec!["utf-8", "utf-8", "windows-1252", "shift_jis", "utf-16le"];
    (marks, flags, select(vec![4, 30, 1000]), select(encodings)).prop_map(
        |((delimiter, quote), (headers, flexible, trim, comment), max, encoding)| Options {
            delimiter,
            quote,
            headers,
            flexible,
            trim,
            comment,
            max,
            encoding,
        },
    )
}

fn reader<T>(path: &Path, o: Options) -> CsvReader<T> {
    let reader = CsvReader::<T>::open(path).delimiter(o.delimiter).has_headers(o.headers).flexible(o.flexible);
    let reader = reader.comment(o.comment.then_some(b'#')).max_record_bytes(o.max);
    let reader = reader.encoding(Encoding::for_label(o.encoding.as_bytes()).unwrap());
    let reader = reader.trim(if o.trim { Trim::All } else { Trim::None });
    match o.quote {
        Some(quote) => reader.quote(quote),
        None => reader.no_quoting(),
    }
}

/// An item's fields, or why it is bad; and where the reader stands behind it.
type Seen = (Result<Vec<String>, String>, CsvPosition);

fn in_chunks(mut reader: CsvReader<RecordRow>, size: usize) -> (Vec<Result<Vec<String>, String>>, Vec<u64>) {
    let (mut seen, mut lines, mut some) = (Vec::new(), Vec::new(), Vec::new());
    now(Reader::open(&mut reader, None)).unwrap();
    loop {
        let mut rows = Vec::new();
        let read = now(reader.read_chunk(size, &mut rows));
        assert!(rows.iter().map(RecordRow::line).eq({
            reader.take_lines(&mut some);
            some.iter().copied()
        }));
        lines.append(&mut some);
        seen.extend(rows.iter().map(|row| Ok(owned(row))));
        match read {
            Ok(true) => {}
            Ok(false) => return (seen, lines),
            Err(e) => seen.push(Err(e.to_string())),
        }
    }
}

/// The rows that are not bad; none where the header is.
fn good(mut reader: CsvReader<RecordRow>) -> Vec<RecordRow> {
    match now(Reader::open(&mut reader, None)) {
        Ok(()) => all(&mut reader).into_iter().filter_map(|(row, _)| row.ok()).collect(),
        Err(_) => Vec::new(),
    }
}

fn owned(row: &RecordRow) -> Vec<String> {
    row.iter().map(str::to_owned).collect()
}

/// A row by way of serde, which the writer does not know for one.
struct BySerde(RecordRow);

impl Serialize for BySerde {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[derive(Debug, Clone, Copy)]
struct Written {
    delimiter: u8,
    quote: u8,
    style: QuoteStyle,
    terminator: Terminator,
    formulas: bool,
}

fn written() -> impl Strategy<Value = Written> {
    let styles = vec![QuoteStyle::Necessary, QuoteStyle::Necessary, QuoteStyle::Always, QuoteStyle::NonNumeric, QuoteStyle::Never];
    let ends = vec![Terminator::Any(b'\n'), Terminator::CRLF, Terminator::Any(b'a')];
    (select(vec![b',', b';', b'1']), select(vec![b'"', b'\'']), select(styles), select(ends), any::<bool>())
        .prop_map(|(delimiter, quote, style, terminator, formulas)| Written { delimiter, quote, style, terminator, formulas })
}

fn writer<T>(path: &Path, w: Written) -> CsvWriter<T> {
    let writer = CsvWriter::create(path).delimiter(w.delimiter).quote(w.quote).quote_style(w.style).flexible(true);
    writer.terminator(w.terminator).escape_formulas(w.formulas)
}

/// The file that a writer makes of these items, or why it does not.
fn file<T>(items: &[T], w: Written) -> Result<String, String>
where
    T: Serialize + Send + Sync + 'static,
{
    let f = Folder::new();
    let mut writer = writer(&f.path("out.csv"), w);
    writer.start(None).unwrap();
    let done = writer.put(items).and_then(|()| writer.commit()).and_then(|_| writer.publish());
    done.map_err(|e| e.to_string())?;
    Ok(f.text("out.csv"))
}

/// The crate quotes line ends only where records end with one, does not notice what `Never` breaks, takes a number with the delimiter
/// in it for one, and knows nothing of formulas.
fn crate_can(w: Written) -> bool {
    let quotes = match w.style {
        QuoteStyle::Never => false,
        QuoteStyle::NonNumeric => w.delimiter != b'1',
        _ => true,
    };
    quotes && !w.formulas && !matches!(w.terminator, Terminator::Any(b'a'))
}

/// The same by the csv crate.
fn file_of_crate(rows: &[RecordRow], w: Written) -> String {
    let mut builder = csv::WriterBuilder::new();
    builder.delimiter(w.delimiter).quote(w.quote).quote_style(w.style).terminator(w.terminator).flexible(true);
    let mut writer = builder.from_writer(Vec::new());
    let header = rows.first().and_then(|row| row.header().filter(|header| header.len() == row.len()));
    header.into_iter().for_each(|header| writer.write_record(header).unwrap());
    rows.iter().for_each(|row| writer.write_record(row.iter()).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_read_as_structs_are(text in text(), o in options(), size in 1_usize..6) {
        let f = Folder::new();
        let path = f.file(&text);
        let (mut structs, mut rows) = (reader::<Vec<String>>(&path, o), reader::<RecordRow>(&path, o));
        if now(Reader::open(&mut structs, None)).is_ok() {
            now(Reader::open(&mut rows, None)).unwrap();
            let structs: Vec<Seen> = all(&mut structs);
            let rows = all(&mut rows);
            let same: Vec<Seen> = rows.iter().map(|(row, position)| (row.as_ref().map(owned).map_err(Clone::clone), position.clone())).collect();
            prop_assert_eq!(&same, &structs);
            let (chunked, _) = in_chunks(reader(&path, o), size);
            prop_assert_eq!(chunked.len(), structs.len());
            prop_assert!(chunked.iter().zip(&structs).all(|(a, (b, _))| a.as_ref().ok() == b.as_ref().ok()));
        }
    }

    #[test]
    fn rows_lend_what_serde_sees(text in text(), o in options()) {
        let f = Folder::new();
        for row in good(reader(&f.file(&text), o)) {
            prop_assert_eq!(row.deserialize::<Vec<&str>>().unwrap(), row.iter().collect::<Vec<_>>());
            for (index, field) in row.iter().enumerate() {
                prop_assert_eq!(row.get(index), Some(field));
            }
            prop_assert_eq!(row.get(row.len()), None);
            let names = row.header().into_iter().flatten();
            for (index, name) in names.enumerate() {
                let first = row.header().unwrap().iter().position(|other| other == name).unwrap();
                prop_assert_eq!(row.get(name), row.get(first.min(index)));
            }
        }
    }

    #[test]
    fn edits_change_what_they_name_and_nothing_else(
        text in text(),
        edits in vec((0_usize..4, "[a,\"\n;é1]{0,6}"), 0..6),
    ) {
        let f = Folder::new();
        for mut row in good(CsvReader::rows(f.file(&text)).flexible(true)) {
            let mut model = owned(&row);
            for (column, text) in &edits {
                let there = model.get_mut(*column).map(|field| text.clone_into(field)).is_some();
                prop_assert_eq!(row.set(*column, text).is_ok(), there);
                prop_assert_eq!(row.get(*column), model.get(*column).map(String::as_str));
            }
            prop_assert_eq!(owned(&row.detached()), owned(&row));
            prop_assert_eq!(row.deserialize::<Vec<String>>().unwrap(), owned(&row));
            prop_assert_eq!(owned(&row), model);
        }
    }
}

proptest! {
    // Each syncs two files.
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_written_as_by_serde_and_the_csv_crate(
        text in text(),
        o in options(),
        w in written(),
        edits in vec(option::of((0_usize..3, "[a,\"\n;'1=]{0,5}")), 1..5),
    ) {
        let f = Folder::new();
        let mut rows = good(reader(&f.file(&text), o));
        for (row, edit) in rows.iter_mut().zip(edits.iter().cycle()) {
            if let Some((column, text)) = edit && *column < row.len() {
                row.set(*column, text).unwrap();
            }
        }
        let by_serde = file(&rows.iter().cloned().map(BySerde).collect::<Vec<_>>(), w);
        let ours = file(&rows, w);
        prop_assert_eq!(ours.as_ref().ok(), by_serde.as_ref().ok());
        if crate_can(w) {
            prop_assert_eq!(ours.unwrap(), file_of_crate(&rows, w));
        }
    }
}
