//! Whether two models pass equally often on the same tasks: McNemar's test.
//! Owns the two p values; never looks at who both passed.

use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

use super::paired::PairedCounts;

/// Two-sided p values of the hypothesis that a task which one model alone passes is as likely to be the
/// one's as the other's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct McNemar {
    /// Never rejects a true hypothesis more often than it says, whatever the numbers; with few
    /// discordant tasks far less often.
    pub exact: f64,
    /// Counts what was seen half: uses nearly all of the error it is allowed. In the studies that
    /// compared them it kept the nominal level everywhere, which is why claims rest on it.
    pub mid_p: f64,
}

/// McNemar's test, exact and mid-p: given how many tasks are discordant, the first model's among them
/// are binomial with probability 1/2.
///
/// Without discordant tasks, or with as many on each side, both are 1. Five to none give 0.0625 and
/// 0.031, six to none 0.031 and 0.016.
///
/// Source: McNemar (1947); Fagerland, Lydersen & Laake (2013) for mid-p and the comparison.
pub fn mcnemar(counts: &PairedCounts) -> McNemar {
    let (n, fewer) = (counts.discordant(), counts.first_only.min(counts.second_only));
    let fair = Binomial::new(0.5, n).ok().filter(|_| counts.first_only != counts.second_only);
    let Some(fair) = fair else { return McNemar { exact: 1.0, mid_p: 1.0 } };
    let exact = (2.0 * fair.cdf(fewer)).min(1.0);
    McNemar { exact, mid_p: (exact - fair.pmf(fewer)).max(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(first_only: u64, second_only: u64, exact: f64, mid_p: f64) {
        let counts = PairedCounts { first_only, second_only, both: 4, neither: 2 };
        for counts in [counts, counts.swapped()] {
            let got = mcnemar(&counts);
            assert!((got.exact - exact).abs() < 1e-12, "{got:?}");
            assert!((got.mid_p - mid_p).abs() < 1e-12, "{got:?}");
        }
    }

    #[test]
    fn six_tasks_need_all_of_them_to_tell() {
        check(5, 0, 0.0625, 0.031_25);
        check(6, 0, 0.031_25, 0.015_625);
    }

    #[test]
    fn as_many_on_each_side_tell_nothing() {
        check(0, 0, 1.0, 1.0);
        check(7, 7, 1.0, 1.0);
    }
}
