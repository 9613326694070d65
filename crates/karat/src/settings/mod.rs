//! Settings: what the user asked for, checked once. The only place that reads the environment.

mod environment;
mod fidelity;
mod ruler;

pub use environment::{Environment, EnvironmentError};
pub use fidelity::{FidelitySettings, SettingsError};
pub use ruler::RulerSpec;
