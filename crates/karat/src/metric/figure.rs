//! One figure of a metric, before it is known whose it is.
//! Owns the type; never computes.

use crate::record::Unit;
use crate::stats::Summary;

/// A named value with its interval and unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Metric name of the row, snake case.
    pub name: &'static str,
    /// Unit of value and interval.
    pub unit: Unit,
    /// Value and interval; missing where the figure is undefined.
    pub summary: Option<Summary>,
}

impl Figure {
    /// A figure; `None` where it is undefined.
    pub fn new(name: &'static str, unit: Unit, summary: Option<Summary>) -> Self {
        Self { name, unit, summary }
    }

    /// A figure that has no interval by its nature.
    pub fn bare(name: &'static str, unit: Unit, value: Option<f64>) -> Self {
        Self::new(name, unit, value.map(|value| Summary { value, interval: None }))
    }
}
