//! Speed over servers: every build answers one control prompt, and is compared where the visible tokens
//! are the same.
//!
//! [`ask`] gets one answer, `figures` reads rates and times off it, `likeness` says where two part,
//! `formats` what a server says of its build, `remarks` what a reader has to know, [`summary`] makes
//! rows, claims and findings of what is stored.

pub mod ask;
mod figures;
mod formats;
mod likeness;
mod remarks;
pub mod summary;
