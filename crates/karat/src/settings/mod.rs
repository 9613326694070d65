//! Settings: what the user asked for, checked once. The only place that reads the environment.

mod behaviour;
mod control;
mod environment;
mod fidelity;
mod kv;
mod memory;
mod model_name;
mod ruler;
mod servers;
mod speed;

pub use behaviour::{
    BehaviourSettings, BehaviourSettingsError, QUICK_REPEATS, RERUN_EVERY, SamplingChoice,
    SuiteName, SuiteSpec,
};
pub use control::{ControlSettings, DEFAULT_CONTROL_CTX, DEFAULT_CONTROL_TOKENS};
pub use environment::{Environment, EnvironmentError};
pub use fidelity::{FidelitySettings, SettingsError, is_same_path};
pub use kv::Kv;
pub use memory::{FitSettings, MemorySettings};
pub use model_name::{ModelName, ModelNameError};
pub use ruler::RulerSpec;
pub use servers::{ApiKey, ServerError, Servers};
pub use speed::{DEFAULT_REPS, FEWEST_BLOCKS, SpeedSettings, SpeedSettingsError};
