//! Per-token values grouped by window, and the per-window sums that means are made of.
//! Owns the grouping; never resamples.

/// Per-token values, one slice per window; windows may differ in length.
///
/// Windows without tokens are left out: they carry nothing and are no resampling units.
#[derive(Clone, Debug)]
pub struct Clustered<'a> {
    windows: Vec<&'a [f64]>,
}

impl<'a> Clustered<'a> {
    /// Groups values; each item of `windows` holds the tokens of one window.
    pub fn new(windows: impl IntoIterator<Item = &'a [f64]>) -> Self {
        Self { windows: windows.into_iter().filter(|window| !window.is_empty()).collect() }
    }

    /// The windows that have tokens, in the order given.
    pub fn windows(&self) -> &[&'a [f64]] {
        &self.windows
    }

    /// Tokens in all windows.
    pub fn n_tokens(&self) -> usize {
        self.windows.iter().map(|window| window.len()).sum()
    }

    /// Every token's value, window after window.
    pub fn tokens(&self) -> impl Iterator<Item = f64> + '_ {
        self.windows.iter().flat_map(|window| window.iter().copied())
    }

    /// Largest value; `None` without tokens or where one of them is NaN.
    pub fn max(&self) -> Option<f64> {
        self.tokens().try_fold(None, |largest: Option<f64>, value| {
            (!value.is_nan()).then(|| Some(largest.map_or(value, |largest| largest.max(value))))
        })?
    }

    /// Per-window sums.
    pub fn sums(&self) -> WindowSums {
        WindowSums::new(self.windows.iter().map(|window| window.iter().copied()))
    }
}

/// One window's share of a token mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowSum {
    /// Sum of the values of the window's tokens.
    pub sum: f64,
    /// Number of tokens, at least 1; a float because it is only ever summed and divided by.
    pub tokens: f64,
}

/// Per-window sums and counts: all that a token mean and its interval need.
///
/// Made from iterators, so that differences and squares need no copy of the per-token data.
#[derive(Clone, Debug)]
pub struct WindowSums {
    windows: Vec<WindowSum>,
    constant: Option<f64>,
}

impl WindowSums {
    /// Sums each window's values; windows without tokens are left out.
    pub fn new<W: IntoIterator<Item = f64>>(windows: impl IntoIterator<Item = W>) -> Self {
        let mut range: Option<(f64, f64)> = None;
        let mut sums = Vec::new();
        for window in windows {
            let mut total = WindowSum { sum: 0.0, tokens: 0.0 };
            for value in window {
                total.sum += value;
                total.tokens += 1.0;
                let (min, max) = range.unwrap_or((value, value));
                range = Some((min.min(value), max.max(value)));
            }
            if total.tokens > 0.0 {
                sums.push(total);
            }
        }
        let constant = range.filter(|(min, max)| min >= max).map(|(min, _)| min);
        Self { windows: sums, constant }
    }

    /// The windows that have tokens, in the order given.
    pub fn windows(&self) -> &[WindowSum] {
        &self.windows
    }

    /// Sum over all windows.
    pub fn total(&self) -> WindowSum {
        self.windows.iter().fold(WindowSum { sum: 0.0, tokens: 0.0 }, |total, window| WindowSum {
            sum: total.sum + window.sum,
            tokens: total.tokens + window.tokens,
        })
    }

    /// Token mean, Σx / Σn; `None` without tokens or where it is not finite.
    ///
    /// Where every token has the same value, the mean is that value to the bit.
    pub fn mean(&self) -> Option<f64> {
        let total = self.total();
        if !total.sum.is_finite() || total.tokens == 0.0 {
            return None;
        }
        Some(self.constant.unwrap_or(total.sum / total.tokens))
    }

    /// Whether every token of every window has the same value.
    pub fn is_constant(&self) -> bool {
        self.constant.is_some()
    }

    /// Whether every token of every window is exactly 0.
    pub fn is_zero(&self) -> bool {
        self.constant == Some(0.0)
    }

    /// Whether windows differ in their means: without that, resampling them shows nothing.
    pub fn has_spread(&self) -> bool {
        let Some(first) = self.windows.first() else { return false };
        let differs =
            |one: &WindowSum| (one.sum * first.tokens - first.sum * one.tokens).abs() > 0.0;
        !self.is_constant() && self.windows.iter().any(differs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_mean(windows: &[&[f64]], mean: Option<f64>) {
        assert_eq!(Clustered::new(windows.iter().copied()).sums().mean(), mean);
    }

    #[test]
    fn tokens_weigh_the_same_in_long_and_short_windows() {
        check_mean(&[&[1.0, 1.0, 1.0], &[5.0]], Some(2.0));
    }

    #[test]
    fn empty_windows_do_not_count() {
        let clustered = Clustered::new([&[][..], &[1.0][..], &[][..]]);
        assert_eq!(clustered.windows().len(), 1);
        assert_eq!(clustered.sums().windows().len(), 1);
    }

    #[test]
    fn equal_values_have_exactly_that_mean() {
        check_mean(&[&[0.1; 7], &[0.1; 3]], Some(0.1));
    }

    #[test]
    fn no_tokens_have_no_mean() {
        check_mean(&[&[], &[]], None);
    }

    #[test]
    fn infinite_and_undefined_tokens_leave_no_mean() {
        check_mean(&[&[1.0], &[f64::INFINITY]], None);
        check_mean(&[&[1.0], &[f64::NAN]], None);
        check_mean(&[&[f64::NAN]], None);
    }

    #[track_caller]
    fn check_max(windows: &[&[f64]], max: Option<f64>) {
        assert_eq!(Clustered::new(windows.iter().copied()).max(), max);
    }

    #[test]
    fn maximum_is_over_all_windows() {
        check_max(&[&[1.0, -3.0], &[2.0], &[0.0]], Some(2.0));
        check_max(&[&[1.0], &[f64::INFINITY]], Some(f64::INFINITY));
    }

    #[test]
    fn maximum_needs_defined_values() {
        check_max(&[], None);
        check_max(&[&[1.0, f64::NAN], &[2.0]], None);
    }
}
