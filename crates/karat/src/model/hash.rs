//! Content hashes: SHA-256 over all parts of a file, remembered by path, size and time.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};

use crate::digest::hex;
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

/// SHA-256 over the bytes of `paths` in order, lower-case hex. `read` is told of every chunk.
pub fn sha256_of(
    paths: &[PathBuf],
    cache: &dyn HashCache,
    mut read: impl FnMut(u64),
) -> Result<String, HashError> {
    let [path] = paths else { return hash_files(paths, &mut read) };
    let unreadable = |source| HashError::Read { path: path.clone(), source };
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
    let hash = hash_files(paths, &mut read)?;
    cache.keep(&absolute, metadata.len(), mtime_ns, &hash)?;
    Ok(hash)
}

fn hash_files(paths: &[PathBuf], read: &mut dyn FnMut(u64)) -> Result<String, HashError> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    for path in paths {
        let unreadable = |source| HashError::Read { path: path.clone(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        loop {
            match file.read(&mut chunk).map_err(unreadable)? {
                0 => break,
                n => {
                    hash.update(&chunk[..n]);
                    read(n as u64);
                }
            }
        }
    }
    Ok(hex(&hash.finalize()))
}
