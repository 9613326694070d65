//! How far out the next window may lie, judged by the windows read so far.
//! Owns the one assumption that stopping early rests on; never bets and never decides.

/// Windows that are read before anything is assumed about the rest.
///
/// A tenth of the windows that is unlike the rest goes unseen in 20 windows with probability 0.12,
/// in 8 windows with 0.43; and the bets that follow have to win before anything is decided.
pub const WARM_UP: u64 = 20;

/// The farthest window so far, times this, is taken for the end of what is possible.
const MARGIN_FACTOR: f64 = 4.0;

/// Largest deviation over mean deviation from which on a tail counts as heavy. Windows with normal
/// values show 2.5 at 20 windows and 4 at 500, lognormal ones of unit log-deviation 6 to 15.
const HEAVY_RATIO: f64 = 6.0;

/// Running spread of one stream of values.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    n: u64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
    surprise: f64,
}

impl Spread {
    pub(super) fn new() -> Self {
        Self {
            n: 0,
            mean: 0.0,
            squares: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            surprise: 0.0,
        }
    }

    /// Adds the next value.
    pub(super) fn observe(&mut self, value: f64) {
        let deviation = value - self.mean;
        if self.n > 0 {
            self.surprise += deviation.abs();
        }
        self.n += 1;
        self.mean += deviation / self.n as f64;
        self.squares += deviation * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Variance of the values so far, with n - 1; `None` below two values.
    pub(super) fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| (self.squares / (self.n - 1) as f64).max(0.0))
    }

    /// What the next window is assumed not to exceed, as a distance from the mean of all windows
    /// that have not been read; infinite in the warm-up, and while all values are equal.
    pub(super) fn bound(&self) -> f64 {
        if self.n < WARM_UP { f64::INFINITY } else { self.bound_so_far() }
    }

    /// [`Spread::bound`] without the warm-up, for looking ahead.
    ///
    /// Four times the largest deviation from the mean, on whichever side it was. Where that one
    /// deviation already towers over the usual ones, the next record may tower over it, and the
    /// bound grows in proportion.
    pub(super) fn bound_so_far(&self) -> f64 {
        let farthest = (self.max - self.mean).max(self.mean - self.min);
        if self.n < 2 || self.surprise <= 0.0 || farthest <= 0.0 {
            return f64::INFINITY;
        }
        let usual = self.surprise / (self.n - 1) as f64;
        MARGIN_FACTOR * farthest * (farthest / (HEAVY_RATIO * usual)).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: impl IntoIterator<Item = f64>, want: f64) {
        let mut spread = Spread::new();
        for value in values {
            spread.observe(value);
        }
        let got = spread.bound();
        assert!(
            (got - want).abs() <= 1e-12 * want || got.to_bits() == want.to_bits(),
            "got {got}, want {want}"
        );
    }

    /// 1, 3, 1, 3, ...: mean 2, farthest 1.
    fn zigzag(n: u64) -> impl Iterator<Item = f64> {
        (0..n).map(|i| if i % 2 == 0 { 1.0 } else { 3.0 })
    }

    #[test]
    fn nothing_is_assumed_in_the_warm_up() {
        check(zigzag(WARM_UP - 1), f64::INFINITY);
        check(zigzag(WARM_UP), 4.0);
    }

    #[test]
    fn equal_values_say_nothing_about_spread() {
        check([0.3; 50], f64::INFINITY);
    }

    #[test]
    fn either_side_sets_the_bound() {
        // One value 2 below the rest: the mean is 0.1 below the rest.
        let side = |sign: f64| (0..20).map(move |i| if i == 10 { 2.0 * sign } else { 0.0 });
        let usual = (2.0 + (11..20).map(|i| 2.0 / f64::from(i)).sum::<f64>()) / 19.0;
        let want = 4.0 * 1.9 * (1.9 / (6.0 * usual));
        check(side(1.0), want);
        check(side(-1.0), want);
    }

    #[test]
    fn variance_is_that_of_the_values() {
        let mut spread = Spread::new();
        assert_eq!(spread.variance(), None);
        for value in [1.0, 2.0, 6.0] {
            spread.observe(value);
        }
        assert!((spread.variance().unwrap() - 7.0).abs() < 1e-14);
    }
}
