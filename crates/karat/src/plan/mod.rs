//! Plans: what a run will do, with stable identities, before anything is measured. Pure.

mod expect;
mod fidelity;
mod member;
mod memory;
mod run;
mod track;

pub use expect::{Expectation, expect, expected_memory};
pub use fidelity::{FidelityPlan, Step, Until, first_half_setting};
pub use member::{Member, Purpose};
pub use memory::{MemoryCase, MemoryPlan};
pub use run::RunPlan;
pub use track::{Pair, Part, TrackOf};
