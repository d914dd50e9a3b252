//! What of a record is at fault, and what of its header.

use super::de::What;
use crate::problem::Quoted;
use csv::StringRecord;

/// Why no record under this header can be an item, if that is so.
pub(crate) fn header_fault(header: Option<&StringRecord>, what: &What) -> Option<String> {
    let header = header?;
    match what {
        What::Missing(name) if !header.iter().any(|column| column == *name) => {
            Some(format!("{}, which items need; it has {}", no_column(name), names(header)))
        }
        What::Duplicate(name) => Some(format!("the header has the column `{name}` more than once; it has {}", names(header))),
        What::Unknown(name) => Some(format!("the header has the column {}, which items refuse", Quoted(name))),
        What::Missing(_) | What::Value(_) => None,
    }
}

/// What is said where a column is not there.
pub(crate) fn no_column(name: &str) -> String {
    format!("the header has no column `{name}`")
}

pub(crate) fn names(header: &StringRecord) -> String {
    const SHOWN: usize = 30;
    let mut names: Vec<String> = header.iter().take(SHOWN).map(|name| Quoted(name).to_string()).collect();
    if header.len() > SHOWN {
        names.push(format!("{} more", header.len() - SHOWN));
    }
    names.join(", ")
}

/// What a message calls the column of that number from 0.
pub(crate) fn column_name(header: Option<&StringRecord>, index: usize) -> String {
    match header.and_then(|header| header.get(index)) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => (index + 1).to_string(),
    }
}
