//! karat, the judge: measures builds of one language model and says what the data support.
//!
//! Data flows one way: settings -> plan -> models -> instruments -> store -> report.

pub mod anatomy;
pub mod backend;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod command;
pub mod digest;
pub mod exit;
pub mod generation;
pub mod instrument;
pub mod machine;
pub mod memory;
pub mod metric;
pub mod model;
pub mod plan;
pub mod record;
pub mod report;
pub mod settings;
pub mod stats;
pub mod store;
pub mod task;
pub mod ui;
pub mod units;
pub mod verdict;
pub mod visible;
pub mod worker;
