//! Content hashes: SHA-256 of files, remembered by path, size and time.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::digest::{hex, sha256_hex};
use crate::store::{Store, StoreError};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// Why a file could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// It cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The cache failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where known hashes are kept.
pub trait HashCache {
    /// The hash of an unchanged file.
    fn recall(&self, path: &Path, size: u64, mtime_ns: i128) -> Result<Option<String>, StoreError>;
    /// Keeps a hash.
    fn keep(&self, path: &Path, size: u64, mtime_ns: i128, hash: &str) -> Result<(), StoreError>;
}

impl HashCache for Store {
    fn recall(&self, path: &Path, size: u64, mtime_ns: i128) -> Result<Option<String>, StoreError> {
        self.cached_hash(path, size, mtime_ns)
    }

    fn keep(&self, path: &Path, size: u64, mtime_ns: i128, hash: &str) -> Result<(), StoreError> {
        self.remember_hash(path, size, mtime_ns, hash)
    }
}

/// Identity of a file's contents, lower-case hex: SHA-256 of its bytes, or, of a split file, of its
/// parts' hashes in order. `read` is told of every chunk.
pub fn sha256_of(
    paths: &[PathBuf],
    cache: &dyn HashCache,
    mut read: impl FnMut(u64),
) -> Result<String, HashError> {
    let mut parts = Vec::with_capacity(paths.len());
    for path in paths {
        parts.push(sha256_of_part(path, cache, &mut read)?);
    }
    match parts.as_slice() {
        [only] => Ok(only.clone()),
        _ => Ok(sha256_hex(parts.join("\n"))),
    }
}

fn sha256_of_part(
    path: &Path,
    cache: &dyn HashCache,
    read: &mut dyn FnMut(u64),
) -> Result<String, HashError> {
    let unreadable = |source| HashError::Read { path: path.to_path_buf(), source };
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    let modified = metadata.modified().map_err(unreadable)?;
    let mtime_ns = match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    };
    if let Some(known) = cache.recall(&absolute, metadata.len(), mtime_ns)? {
        read(metadata.len());
        return Ok(known);
    }
    let hash = hash_file(path, read)?;
    cache.keep(&absolute, metadata.len(), mtime_ns, &hash)?;
    Ok(hash)
}

fn hash_file(path: &Path, read: &mut dyn FnMut(u64)) -> Result<String, HashError> {
    let unreadable = |source| HashError::Read { path: path.to_path_buf(), source };
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut file = File::open(path).map_err(unreadable)?;
    loop {
        match file.read(&mut chunk).map_err(unreadable)? {
            0 => return Ok(hex(&hash.finalize())),
            n => {
                hash.update(&chunk[..n]);
                read(n as u64);
            }
        }
    }
}
