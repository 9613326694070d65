//! A value with its interval.
//! Owns the two types and what can be done to both at once; never computes an interval.

/// A range that covers the true value with probability `level` over repeated sampling of windows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub lo: f64,
    /// Upper end; not below `lo`.
    pub hi: f64,
    /// Confidence level, between 0 and 1.
    pub level: f64,
}

/// What a statistic came out as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// The statistic on the data as they are; always finite.
    pub value: f64,
    /// Its interval; missing where the data support none.
    pub interval: Option<Interval>,
}

impl Summary {
    /// The summary of an increasing function of the statistic, e.g. `exp` for perplexity.
    ///
    /// Endpoints are mapped like the value, which is exact: an increasing function covers its
    /// target exactly when the interval underneath does, and percentile and BCa endpoints commute
    /// with it. `increasing` must not decrease anywhere in the interval.
    #[must_use]
    pub fn map(self, increasing: impl Fn(f64) -> f64) -> Self {
        Self {
            value: increasing(self.value),
            interval: self.interval.map(|interval| Interval {
                lo: increasing(interval.lo),
                hi: increasing(interval.hi),
                level: interval.level,
            }),
        }
    }

    /// Drops an interval without width: windows that are alike leave the spread of others unknown.
    #[must_use]
    pub fn with_width(self) -> Self {
        Self { interval: self.interval.filter(|interval| interval.hi > interval.lo), ..self }
    }

    /// Cuts the interval to the values the statistic can take at all, e.g. 0 to 1 for a share.
    ///
    /// Loses no coverage, because what is cut off cannot be the truth. The value stays inside even
    /// where rounding has put it a hair outside `min..=max`.
    #[must_use]
    pub fn within(self, min: f64, max: f64) -> Self {
        let interval = self.interval.map(|interval| Interval {
            lo: interval.lo.max(min).min(self.value),
            hi: interval.hi.min(max).max(self.value),
            level: interval.level,
        });
        Self { value: self.value, interval }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Summary =
        Summary { value: 0.5, interval: Some(Interval { lo: -1.0, hi: 2.0, level: 0.9 }) };

    #[test]
    fn mapping_moves_value_and_both_ends() {
        let mapped = WIDE.map(|x| 10.0 * x);
        let interval = Some(Interval { lo: -10.0, hi: 20.0, level: 0.9 });
        assert_eq!(mapped, Summary { value: 5.0, interval });
    }

    #[test]
    fn mapping_makes_no_interval_where_there_was_none() {
        let bare = Summary { value: 0.0, interval: None };
        assert_eq!(bare.map(f64::exp), Summary { value: 1.0, interval: None });
    }

    #[test]
    fn interval_is_cut_to_possible_values() {
        let cut = WIDE.within(0.0, 1.0);
        assert_eq!(cut.interval, Some(Interval { lo: 0.0, hi: 1.0, level: 0.9 }));
    }

    #[test]
    fn cutting_never_moves_an_end_past_the_value() {
        let cut = Summary { value: -1e-17, ..WIDE }.within(0.0, 1.0);
        assert_eq!(cut.interval.map(|interval| interval.lo), Some(-1e-17));
    }
}
