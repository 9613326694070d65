//! Intervals for means, quantiles and differences of values that come in windows.
//! Owns the list of methods; knows nothing of models, and never reads or writes anything.
//!
//! Tokens of one window are correlated, so the window is the unit that is resampled everywhere.

pub mod bca;
pub mod block_mean;
pub mod bootstrap;
pub mod by_family;
pub mod clustered;
pub mod confidence_sequence;
pub mod decide;
pub mod design_effect;
pub mod holm;
pub mod interval;
pub mod log_histogram;
pub mod mcnemar;
pub mod mean;
pub mod paired;
pub mod power;
pub mod quantiles;
pub mod ratio;
pub mod read_back;
mod sequence_bound;
pub mod sequence_order;
mod sequence_wealth;
pub mod share;
pub mod sign_flip;
pub mod stratified;
pub mod student;
pub mod tango;
pub mod trend;
pub mod wilson;

#[cfg(test)]
mod block_tests;
#[cfg(test)]
mod coverage_tests;
#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod paired_coverage_tests;
#[cfg(test)]
mod paired_tests;
#[cfg(test)]
mod sequence_tests;

pub use bca::bca_endpoints;
pub use block_mean::BlockMean;
pub use bootstrap::{Bootstrap, Resampling};
pub use by_family::{FEWEST_FAMILIES, mean_by_family, mean_by_task, unit_method};
pub use clustered::{Clustered, WindowSum, WindowSums};
pub use confidence_sequence::{ConfidenceSequence, SequenceDesign, Side, Standing};
pub use decide::{Answer, DecideError, Decider, Family, Question};
pub use design_effect::design_effect;
pub use holm::{holm, holm_levels};
pub use interval::{Interval, Summary};
pub use log_histogram::{LogHistogram, Spread};
pub use mcnemar::{McNemar, mcnemar};
pub use mean::mean;
pub use paired::PairedCounts;
pub use power::{Design, detectable_difference, pairs_needed, pairs_to_exclude, units_needed};
pub use quantiles::{quantile_of_sorted, quantiles};
pub use ratio::ratio_of_sums;
pub use read_back::{facing_error, p_above, p_from_interval, p_from_t_interval};
pub use sequence_bound::WARM_UP;
pub use sequence_order::shuffled_windows;
pub use share::share;
pub use sign_flip::{SignFlip, sign_flip};
pub use stratified::stratified_mean;
pub use student::{expanded_level, linearised_standard_error, student_interval};
pub use tango::{non_inferiority_p, tango_interval};
pub use trend::{Trend, trend};
pub use wilson::wilson;

/// Fewest windows for which an interval is made by resampling.
///
/// Seven windows or fewer have so few distinct resamples, and so poor a picture of their own spread,
/// that a bootstrap interval is far too short. Means then get Student's t interval, quantiles none.
pub const MIN_BOOTSTRAP_WINDOWS: usize = 8;
