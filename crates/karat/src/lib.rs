//! karat, the judge: measures builds of one language model and says what the data support.

pub mod metric;
pub mod record;
pub mod report;
pub mod stats;
pub mod store;
