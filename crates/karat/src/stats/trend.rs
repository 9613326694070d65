//! Whether values drift from block to block. Owns the straight-line fit; never decides what to do.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A straight line through one value per block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// What the line rises by from the first to the last block.
    pub rise: f64,
    /// Two-sided p value of the t test that the true slope is zero.
    pub p_value: f64,
}

/// Ordinary least squares of `values` on their position; `None` below three values, where one is not
/// finite, or where all lie on the line already without any slope.
///
/// Source: Draper & Smith (1998), chapter 1.
pub fn trend(values: &[f64]) -> Option<Trend> {
    let n = values.len();
    if n < 3 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let count = n as f64;
    let centre = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let (mut positions, mut products) = (0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let position = index as f64 - centre;
        positions += position * position;
        products += position * (value - mean);
    }
    let slope = products / positions;
    let residuals: f64 = (values.iter().enumerate())
        .map(|(index, value)| (value - mean - slope * (index as f64 - centre)).powi(2))
        .sum();
    let error = (residuals / (count - 2.0) / positions).sqrt();
    if slope == 0.0 && error == 0.0 {
        return None;
    }
    let tail = StudentsT::new(0.0, 1.0, count - 2.0).ok()?.sf((slope / error).abs());
    Some(Trend { rise: slope * (count - 1.0), p_value: 2.0 * tail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_with_its_rise() {
        let trend = trend(&[1.0, 1.5, 2.0, 2.5]).unwrap();
        assert!((trend.rise - 1.5).abs() < 1e-12 && trend.p_value < 1e-6, "{trend:?}");
    }

    #[test]
    fn ups_and_downs_are_no_drift() {
        let trend = trend(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 2.0, 1.0]).unwrap();
        assert!(trend.p_value > 0.5, "{trend:?}");
    }

    #[test]
    fn two_values_or_equal_ones_show_no_trend() {
        assert_eq!(trend(&[1.0, 2.0]), None);
        assert_eq!(trend(&[1.0; 5]), None);
        assert_eq!(trend(&[1.0, f64::INFINITY, 2.0]), None);
    }
}
