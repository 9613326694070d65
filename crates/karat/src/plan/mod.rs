//! Plans: what a run will do, with stable identities, before anything is measured. Pure.

mod expect;
mod fidelity;
mod track;

pub use expect::{Expectation, expect};
pub use fidelity::{FidelityPlan, Step};
pub use track::{Pair, TrackOf};
