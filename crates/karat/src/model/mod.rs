//! Model files as the user names them: identity, short names, and whether builds belong together.
//! Reads headers and hashes files; never loads weights.

mod file;
mod hash;
mod names;
mod same_model;
mod stamp;

pub use file::{ModelError, ModelFile, check_utf8};
pub use hash::{HashCache, HashError, sha256_of};
pub use names::{served_names, short_names, text_names};
pub use same_model::{Mismatch, check_same_model};
pub use stamp::{Changed, Stamps};
