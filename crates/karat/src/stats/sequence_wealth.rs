//! Evidence against "the mean of all windows is m", as the wealth of a gambler who bets on it.
//! Owns the bets; never knows how far out a window may lie.

/// Shares of the largest safe bet that are tried side by side; the wealth is their sum.
///
/// The whole for differences that are plain, a quarter for texts so long that faint ones show.
const FRACTIONS: [f64; 2] = [1.0, 0.25];

/// Wealth of bets in one direction, 1 at the start.
///
/// A gain is how much higher (or lower) a window is than m lets expect, over the bound on that
/// distance. Where m is true and the bound holds, the wealth cannot become negative and is 1 in
/// expectation whenever one looks, so it ever reaches w with probability 1/w at most.
///
/// Source: Ville (1939); Waudby-Smith & Ramdas, arXiv 2010.09686, section 4 and, for sampling
/// without replacement, section 5.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wealth {
    stakes: [f64; FRACTIONS.len()],
}

impl Wealth {
    pub(super) fn new() -> Self {
        Self { stakes: [1.0 / FRACTIONS.len() as f64; FRACTIONS.len()] }
    }

    /// Plays one window. A gain below -1 breaks the bound and costs no more than the stake.
    pub(super) fn play(&mut self, gain: f64) {
        for (stake, fraction) in self.stakes.iter_mut().zip(FRACTIONS) {
            *stake *= (1.0 + fraction * gain).max(0.0);
        }
    }

    /// Plays one window that has not been read, as its typical outcome.
    ///
    /// Expected growth of the logarithm to second order, for gains with that mean and variance.
    pub(super) fn play_typical(&mut self, mean_gain: f64, variance: f64) {
        for (stake, fraction) in self.stakes.iter_mut().zip(FRACTIONS) {
            let factor = (1.0 + fraction * mean_gain).max(0.0);
            let loss = fraction.powi(2) * variance / (2.0 * factor.powi(2));
            *stake *= if factor > 0.0 { factor * (-loss).exp() } else { 0.0 };
        }
    }

    /// The wealth of all bets together.
    pub(super) fn total(&self) -> f64 {
        self.stakes.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(gains: &[f64], want: f64) {
        let mut wealth = Wealth::new();
        for &gain in gains {
            wealth.play(gain);
        }
        assert!((wealth.total() - want).abs() < 1e-12, "got {}, want {want}", wealth.total());
    }

    #[test]
    fn wealth_starts_at_one() {
        check(&[], 1.0);
    }

    #[test]
    fn bets_are_kept_apart_and_summed() {
        check(&[0.8, -0.4], 0.5 * (1.8 * 0.6) + 0.5 * (1.2 * 0.9));
    }

    #[test]
    fn a_broken_bound_costs_the_stake_and_no_more() {
        check(&[-2.0], 0.5 * 0.5);
        check(&[-2.0, 1.0], 0.5 * 0.5 * 1.25);
        check(&[-9.0, 100.0], 0.0);
    }

    #[test]
    fn a_typical_gain_without_spread_is_that_gain() {
        let mut typical = Wealth::new();
        typical.play_typical(0.3, 0.0);
        check(&[0.3], typical.total());
    }

    #[test]
    fn a_typical_window_grows_as_the_average_logarithm_does() {
        let gains = [0.3, -0.1, 0.2, 0.0];
        let mut played = Wealth::new();
        for gain in gains {
            played.play(gain);
        }
        let mut typical = Wealth::new();
        (0..4).for_each(|_| typical.play_typical(0.1, 0.025));
        assert!((typical.total() / played.total() - 1.0).abs() < 0.01);
    }
}
