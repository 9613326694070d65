//! The binary format of importance matrices before GGUF (`.dat`). Takes bytes, opens nothing.
//!
//! Little-endian: i32 entries; per entry i32 name length, name, i32 calls, i32 values, f32 values;
//! then, where present, i32 chunks, i32 length, dataset name.

use std::collections::BTreeMap;

use super::{Imatrix, c_text};
use crate::error::ImatrixFault;

pub(super) fn parse(bytes: &[u8]) -> Result<Imatrix, ImatrixFault> {
    let mut cursor = Cursor { bytes, at: 0 };
    let n_entries = cursor.count("the number of entries", 1)?;
    let mut entries = BTreeMap::new();
    for index in 1..=n_entries {
        let (name, values) = entry(&mut cursor, index)?;
        entries.insert(name, values);
    }
    let mut imatrix = Imatrix { entries, n_chunks: 0, dataset: None };
    if cursor.left() > 0 {
        imatrix.n_chunks = cursor.i32("the number of chunks")?;
    }
    if cursor.left() > 0 {
        let len = cursor.count("the length of the dataset's name", 0)?;
        let text = cursor.take(len.unsigned_abs().into(), "the dataset's name")?;
        imatrix.dataset = (len > 0).then(|| String::from_utf8_lossy(c_text(text)).into_owned());
    }
    Ok(imatrix)
}

fn entry(cursor: &mut Cursor, index: i32) -> Result<(String, Vec<f32>), ImatrixFault> {
    let len = cursor.count(&format!("the name length of entry {index}"), 0)?;
    let name = cursor.take(len.unsigned_abs().into(), &format!("the name of entry {index}"))?;
    let name = str::from_utf8(c_text(name)).map_err(|_| ImatrixFault::Name { index })?;
    let n_calls = cursor.i32(&format!("the number of calls of entry {index}"))?;
    let n_values = cursor.count(&format!("the number of values of entry {index}"), 1)?;
    let values = cursor.take(u64::from(n_values.unsigned_abs()) * 4, &format!("entry {index}"))?;
    let scale = if n_calls > 0 { n_calls as f32 } else { 1.0 };
    let mean = |&value: &[u8; 4]| f32::from_le_bytes(value) / scale;
    Ok((name.to_owned(), values.as_chunks::<4>().0.iter().map(mean).collect()))
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn take(&mut self, need: u64, place: &str) -> Result<&'a [u8], ImatrixFault> {
        let left = self.left();
        if need > left as u64 {
            return Err(ImatrixFault::Truncated {
                place: place.to_owned(),
                at: self.at,
                need,
                left,
            });
        }
        let taken = &self.bytes[self.at..][..need as usize];
        self.at += taken.len();
        Ok(taken)
    }

    fn i32(&mut self, place: &str) -> Result<i32, ImatrixFault> {
        let mut value = [0; 4];
        value.copy_from_slice(self.take(4, place)?);
        Ok(i32::from_le_bytes(value))
    }

    /// An i32 that is no less than `least`.
    fn count(&mut self, place: &str, least: i32) -> Result<i32, ImatrixFault> {
        let at = self.at;
        let count = self.i32(place)?;
        if count < least {
            return Err(ImatrixFault::Count { place: place.to_owned(), at, found: count.into() });
        }
        Ok(count)
    }
}
