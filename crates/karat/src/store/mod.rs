//! What a run leaves behind: content hashes, per-window results, runs and their steps.
//! The only place that knows SQL; never measures, summarises or formats anything.
//!
//! One SQLite file, `karat.db`, in karat's home folder. Results are kept per *track* (one model, or
//! one pair of models, on one text with one ruler), apart from the runs that asked for them, so that
//! a second run finds what a first one measured. Estimates are not stored: they are recomputed
//! from the windows.
//!
//! # What survives
//! The database runs in WAL mode with `synchronous = NORMAL`. A commit is in the operating system's
//! hands when the call returns, so whatever was committed survives `kill -9` and any crash of karat
//! itself. A power cut can take the newest commits with it, but always a tail of them, never the
//! middle: a run is not found "done" without its windows, and what went missing is measured again.
//! `synchronous = FULL` would close that gap at one disk flush per commit, which a window that takes
//! seconds to recompute does not justify.

mod content_hash;
mod error;
mod migration;
mod open;
mod run;
mod sample;
mod track;
mod window;

pub use error::StoreError;
pub use open::{DATABASE_FILE, Store, StoreOptions};
pub use run::{Run, RunSummary};
pub use track::{TrackId, TrackKey, TrackKind};
pub use window::WindowBlob;
