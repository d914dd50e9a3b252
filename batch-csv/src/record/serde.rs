//! A row as others serialise it.

use super::RecordRow;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

impl Serialize for RecordRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.header() {
            Some(header) if header.len() == self.len() => {
                let mut map = serializer.serialize_map(Some(header.len()))?;
                for (name, field) in header.iter().zip(self.iter()) {
                    map.serialize_entry(name, field)?;
                }
                map.end()
            }
            _ => {
                let mut seq = serializer.serialize_seq(Some(self.len()))?;
                for field in self.iter() {
                    seq.serialize_element(field)?;
                }
                seq.end()
            }
        }
    }
}
