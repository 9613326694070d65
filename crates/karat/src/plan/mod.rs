//! Plans: what a run will do, with stable identities, before anything is measured. Pure.

mod behaviour;
mod blocks;
mod control;
mod expect;
mod fidelity;
mod kv_traffic;
mod member;
mod memory;
mod run;
mod speed;
mod speed_test;
mod track;

pub use behaviour::{BehaviourPlan, TurnOf};
pub use blocks::{BlockPlan, Turn};
pub use control::{ControlPlan, ControlPrompt, ControlSample};
pub use expect::{
    Expectation, expect, expect_speed, expected_memory, fitting_members, least_memory,
};
pub use fidelity::{FidelityPlan, MemberBytes, Step, Until, first_half_setting};
pub use kv_traffic::{KvLayers, KvTraffic};
pub use member::{Member, Purpose};
pub use memory::{MemoryCase, MemoryPlan};
pub use run::{FitAsk, RunPlan};
pub use speed::{SpeedAnatomy, SpeedPlan, SpeedRuler};
pub use speed_test::{Conditions, SpeedSample, SpeedTest, TestKind};
pub use track::{Pair, Part, TrackOf};
