//! What a number of paired tasks can tell: the smallest difference they would find, and how many it
//! takes for one. Owns the closed forms of planning; never looks at results.

use statrs::distribution::{ContinuousCDF, Normal};

/// Beyond this many tasks nobody will ask.
const MOST_PAIRS: f64 = 1e7;

/// What a comparison is to be able to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Design {
    /// Two-sided error: how often a difference may be claimed where there is none.
    pub alpha: f64,
    /// How often a difference that is there is to be found.
    pub power: f64,
}

impl Design {
    /// 80 % power at this error.
    pub fn usual(alpha: f64) -> Self {
        Self { alpha, power: 0.8 }
    }

    /// (z(1 - alpha/2) + z(power))².
    fn factor(self) -> f64 {
        let normal = Normal::standard();
        (normal.inverse_cdf(1.0 - self.alpha / 2.0) + normal.inverse_cdf(self.power)).powi(2)
    }
}

/// Pairs after which a difference δ of two pass rates would be found, with the share ψ of tasks that
/// one model alone passes: K (ψ - δ²) / δ². `None` where δ is 0 or larger than ψ, or no one could ask
/// as many.
///
/// Rounded to the nearest whole: 10 points at 20 % discordance take 149 pairs, 5 at 10 % 306, 3 at 8 %
/// 690, 2 at 6 % 1,169, 1 at 3 % 2,347. The mid-p test's own power there, summed over all outcomes, is
/// between 0.78 and 0.81. The variance is the one under the difference sought; what tasks of one family
/// have in common is not in it.
///
/// Source: Miettinen (1968), Connor (1987).
pub fn pairs_needed(difference: f64, discordance: f64, design: Design) -> Option<u64> {
    let is_possible = difference != 0.0 && difference.abs() <= discordance && discordance <= 1.0;
    is_possible.then(|| pairs_to_exclude(difference, difference, discordance, design))?
}

/// Pairs after which a true difference δ, with discordance ψ, would be told from another one that lies
/// `distance` away (a margin, say): K (ψ - δ²) / distance².
pub fn pairs_to_exclude(
    distance: f64,
    difference: f64,
    discordance: f64,
    design: Design,
) -> Option<u64> {
    let variance = discordance - difference.powi(2);
    let n = (design.factor() * variance / distance.powi(2)).round();
    // Fewer discordant tasks than these no test can tell from chance.
    let fewest = (fewest_discordant(design.alpha) / discordance).ceil();
    let n = n.max(fewest);
    (n.is_finite() && n <= MOST_PAIRS && variance >= 0.0).then_some(n as u64)
}

/// The smallest difference of pass rates that `n` pairs would find, if the share ψ of tasks that one
/// model alone passes were `discordance`: √(K ψ / (n + K)). A difference needs at least as much
/// discordance as it is large; where ψ is less than that, it is the smallest with all discordant tasks
/// on one side, K / (n + K). `None` without pairs.
pub fn detectable_difference(n: u64, discordance: f64, design: Design) -> Option<f64> {
    if n == 0 {
        return None;
    }
    let factor = design.factor();
    let room = n as f64 + factor;
    let one_sided = factor / room;
    Some((factor * discordance / room).sqrt().max(one_sided))
}

/// Units that it takes where an estimate from `n` of them has this standard error, for a distance from
/// what is to be excluded; `None` where there is no distance.
pub fn units_needed(n: u64, standard_error: f64, distance: f64, design: Design) -> Option<u64> {
    let needed = n as f64 * design.factor() * (standard_error / distance).powi(2);
    (needed.is_finite() && needed <= MOST_PAIRS).then(|| needed.ceil().max(2.0) as u64)
}

/// Discordant tasks, all on one side, that the mid-p test needs: 2 · ½ᵏ - ½ᵏ ≤ alpha.
fn fewest_discordant(alpha: f64) -> f64 {
    (1.0 / alpha).log2().ceil()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(difference: f64, discordance: f64, n: u64) {
        let design = Design::usual(0.05);
        assert_eq!(pairs_needed(difference, discordance, design), Some(n));
        assert_eq!(pairs_needed(-difference, discordance, design), Some(n));
        let found = detectable_difference(n, discordance, design).unwrap();
        assert!((found / difference - 1.0).abs() < 0.01, "{found}");
    }

    #[test]
    fn published_numbers_of_pairs() {
        check(0.10, 0.20, 149);
        check(0.05, 0.10, 306);
        check(0.03, 0.08, 690);
        check(0.02, 0.06, 1_169);
        check(0.01, 0.03, 2_347);
    }

    #[test]
    fn six_tasks_find_only_what_is_plain_without_them() {
        let found = detectable_difference(6, 0.2, Design::usual(0.05)).unwrap();
        assert!((0.55..0.60).contains(&found), "{found}");
    }

    #[test]
    fn no_difference_and_an_impossible_one_have_no_number() {
        let design = Design::usual(0.05);
        assert_eq!(pairs_needed(0.0, 0.2, design), None);
        assert_eq!(pairs_needed(0.3, 0.2, design), None);
        assert_eq!(pairs_needed(1e-6, 0.2, design), None);
        assert_eq!(detectable_difference(0, 0.2, design), None);
        assert_eq!(units_needed(40, 0.1, 0.0, design), None);
    }

    #[test]
    fn a_test_needs_discordant_tasks_at_all() {
        // All discordant tasks on one side have no variance to speak of.
        assert_eq!(pairs_needed(1.0, 1.0, Design::usual(0.05)), Some(5));
    }

    #[test]
    fn four_times_the_units_halve_the_distance() {
        let design = Design::usual(0.05);
        let far = units_needed(40, 0.1, 0.2, design).unwrap() as f64;
        let near = units_needed(40, 0.1, 0.1, design).unwrap() as f64;
        assert!((near / far - 4.0).abs() < 0.1, "{near} {far}");
    }
}
