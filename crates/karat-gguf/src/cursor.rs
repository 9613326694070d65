//! A reader over the bytes of a header that never looks past their end, nor past the length
//! that a header may have. It knows numbers and byte runs, nothing of what they mean.

use std::fmt;

use crate::error::{HeaderError, shown};

/// The most bytes that metadata and tensor table may take. Real headers stay under 32 MiB
/// (a vocabulary of 262,144 tokens with merges, scores and types); a damaged length must not
/// make the reader copy gigabytes of weights.
pub(crate) const HEADER_LIMIT_BYTES: u64 = 256 << 20;

/// What is being read, for the error that may come; made text only then.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Magic,
    Version,
    TensorCount,
    KeyCount,
    Key(u64),
    Value(&'a str),
    TensorName(u64),
    Tensor(&'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Magic => f.write_str("the magic"),
            Self::Version => f.write_str("the version"),
            Self::TensorCount => f.write_str("the table of tensors"),
            Self::KeyCount => f.write_str("the table of keys"),
            Self::Key(index) => write!(f, "key {index}"),
            Self::Value(key) => write!(f, "the value of key `{}`", shown(key)),
            Self::TensorName(index) => write!(f, "the name of tensor {index}"),
            Self::Tensor(name) => write!(f, "the entry of tensor `{}`", shown(name)),
        }
    }
}

/// Position in the bytes of a header.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> u64 {
        self.at as u64
    }

    /// Checks that `count` items of at least `min_bytes` each can still follow.
    pub(crate) fn room(&self, count: u64, min_bytes: u64, place: Place) -> Result<(), HeaderError> {
        // A product beyond 64 bits is beyond every file, too.
        let need = count.saturating_mul(min_bytes);
        let (at, left) = (self.position(), (self.bytes.len() - self.at) as u64);
        if need > left {
            return Err(HeaderError::Truncated { place: place.to_string(), at, need, left });
        }
        if at + need > HEADER_LIMIT_BYTES {
            let limit = HEADER_LIMIT_BYTES;
            return Err(HeaderError::TooLong { place: place.to_string(), at, need, limit });
        }
        Ok(())
    }

    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: u64, place: Place) -> Result<&'a [u8], HeaderError> {
        self.room(len, 1, place)?;
        let start = self.at;
        self.at += len as usize;
        Ok(&self.bytes[start..self.at])
    }

    /// The next `N` bytes, as what the number types read themselves from.
    pub(crate) fn fixed<const N: usize>(&mut self, place: Place) -> Result<[u8; N], HeaderError> {
        let mut number = [0; N];
        number.copy_from_slice(self.take(N as u64, place)?);
        Ok(number)
    }

    /// A little-endian 32-bit number.
    pub(crate) fn u32(&mut self, place: Place) -> Result<u32, HeaderError> {
        Ok(u32::from_le_bytes(self.fixed(place)?))
    }

    /// A little-endian 64-bit number.
    pub(crate) fn u64(&mut self, place: Place) -> Result<u64, HeaderError> {
        Ok(u64::from_le_bytes(self.fixed(place)?))
    }

    /// The bytes of a string: a 64-bit length, then that many bytes.
    pub(crate) fn string(&mut self, place: Place) -> Result<&'a [u8], HeaderError> {
        let len = self.u64(place)?;
        self.take(len, place)
    }

    /// A string that must be UTF-8: a key or a tensor's name.
    pub(crate) fn utf8(&mut self, place: Place) -> Result<&'a str, HeaderError> {
        let bytes = self.string(place)?;
        str::from_utf8(bytes).map_err(|_| HeaderError::NotUtf8 {
            place: place.to_string(),
            got: format!("`{}`", shown(&String::from_utf8_lossy(bytes))),
        })
    }
}
