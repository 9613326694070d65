//! Names and checks of GGUF files in several parts, `NAME-00001-of-00003.gguf`. It never opens
//! a file.

use std::path::{Path, PathBuf};

use crate::error::{GgufError, shown};
use crate::header::Header;
use crate::value::Value;

/// Parts of a split file, as its first part describes them.
pub(crate) struct Split {
    /// Number of parts, at least 2.
    pub(crate) count: u64,
    first: PathBuf,
}

impl Split {
    /// Reads the split keys of the file that was asked for; `None` where it is whole.
    pub(crate) fn of(path: &Path, header: &Header) -> Result<Option<Self>, GgufError> {
        let count = number(path, header, "split.count")?.unwrap_or(1);
        if count <= 1 {
            return Ok(None);
        }
        match number(path, header, "split.no")? {
            None | Some(0) => expect(path, header, "split.no", 0)?,
            Some(index) => {
                // A number beyond 64 bits is as little the first part as any other.
                let number = index.saturating_add(1);
                let (path, first) = (path.to_owned(), sibling(path, index, 0, count));
                return Err(GgufError::NotFirstPart { path, number, count, first });
            }
        }
        let split = Self { count, first: path.to_owned() };
        // Asking for the first part's own name proves that the name follows the pattern.
        split.part(0)?;
        Ok(Some(split))
    }

    /// Path of part `index`, counted from 0.
    pub(crate) fn part(&self, index: u64) -> Result<PathBuf, GgufError> {
        sibling(&self.first, 0, index, self.count).ok_or_else(|| GgufError::PartName {
            path: self.first.clone(),
            count: self.count,
            ending: ending(0, self.count),
        })
    }

    /// Checks that a part is the one its name says.
    pub(crate) fn check_part(
        &self,
        path: &Path,
        header: &Header,
        index: u64,
    ) -> Result<(), GgufError> {
        expect(path, header, "split.no", index)?;
        expect(path, header, "split.count", self.count)
    }

    /// Checks that the parts together hold the tensors that the first part promises, where it
    /// does.
    pub(crate) fn check_total(&self, header: &Header) -> Result<(), GgufError> {
        let key = "split.tensors.count";
        match header.metadata().get(key) {
            Some(_) => expect(&self.first, header, key, header.tensors().len() as u64),
            None => Ok(()),
        }
    }
}

fn ending(index: u64, count: u64) -> String {
    format!("-{:05}-of-{count:05}.gguf", index.saturating_add(1))
}

/// The path of part `wanted`, from that of part `index`; `None` where the name of the latter
/// does not follow the pattern.
fn sibling(path: &Path, index: u64, wanted: u64, count: u64) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(&ending(index, count))?;
    Some(path.with_file_name(format!("{stem}{}", ending(wanted, count))))
}

/// The number under `key`; `None` where the key is missing, an error where it is no number.
fn number(path: &Path, header: &Header, key: &'static str) -> Result<Option<u64>, GgufError> {
    let Some(value) = header.metadata().get(key) else { return Ok(None) };
    value.as_u64().map(Some).ok_or_else(|| GgufError::PartKey {
        path: path.to_owned(),
        key,
        found: described(value),
        want: "a number that is not negative".to_owned(),
    })
}

fn expect(path: &Path, header: &Header, key: &'static str, want: u64) -> Result<(), GgufError> {
    let value = header.metadata().get(key);
    if value.and_then(Value::as_u64) == Some(want) {
        return Ok(());
    }
    let found = value.map_or_else(|| "missing".to_owned(), described);
    Err(GgufError::PartKey { path: path.to_owned(), key, found, want: want.to_string() })
}

/// A value for an error line: a number or a string itself, anything else by its type.
fn described(value: &Value) -> String {
    match (value.as_i64(), value.as_u64(), value.as_str()) {
        (Some(number), ..) => number.to_string(),
        (_, Some(number), _) => number.to_string(),
        (.., Some(text)) => format!("`{}`", shown(text)),
        _ => format!("of type {}", value.value_type().name()),
    }
}
