//! The worker process: everything that touches the engine runs in a child of the same binary.
//! Owns the messages, the supervisor (parent side) and the channel (child side); knows no metric.
//!
//! One worker does one job and ends. It aborts, is killed or hangs alone: the parent records what
//! happened, with the engine's last log lines, and goes on.

mod channel;
mod cut;
mod protocol;
mod supervisor;

pub use channel::{Channel, ChannelError};
pub use cut::{CutJob, CutWindow};
pub use protocol::{
    BufferReply, DrawJob, DrawReply, FidelityJob, GenerateJob, Job, Load, MemoryJob, MemoryReply,
    Message, PROTOCOL, QuantizeJob, Request, ScoredTrack, SpeedJob, SurveyJob, SurveyReply,
    SurveyedText, SweepJob, TwinJob,
};
pub use supervisor::{Failure, FailureKind, Supervisor, WorkerError};
