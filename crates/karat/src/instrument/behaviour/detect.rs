//! What a suite can tell, said before it runs. Pure.

use crate::record::{Finding, Severity};
use crate::stats::{Design, detectable_difference, pairs_needed};
use crate::units::count;

/// The share of tasks that one of two 4-bit builds alone passes, where nothing is known yet: with it, a
/// difference of ten points takes 149 tasks.
pub const ASSUMED_DISCORDANCE: f64 = 0.2;

/// `discordance`: observed in this run, or `None` for the assumed one. `level`: of the intervals.
pub fn suite_can_tell(n_instances: u64, discordance: Option<f64>, level: f64) -> Option<Finding> {
    let design = Design::usual(1.0 - level);
    let share = discordance.unwrap_or(ASSUMED_DISCORDANCE);
    let points = |share: f64| 100.0 * share;
    let smallest = detectable_difference(n_instances, share, design)?;
    let basis = if discordance.is_some() { "as it was here" } else { "assumed" };
    let more = pairs_needed(0.05, share.max(0.05), design)
        .filter(|n| *n > n_instances)
        .map(|n| format!("; 5 points would take {n}"));
    Some(Finding {
        severity: Severity::Note,
        message: format!(
            "what this suite can tell: {} {} a difference of {:.0} points in pass rate 4 times out of 5, \
             if one build alone passes {:.0} % of them ({basis}){}",
            count(n_instances, "task"),
            if n_instances == 1 { "finds" } else { "find" },
            points(smallest),
            points(share),
            more.unwrap_or_default()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(n_instances: u64, discordance: Option<f64>, said: &str) {
        let finding = suite_can_tell(n_instances, discordance, 0.95).unwrap();
        assert!(finding.message.contains(said), "`{said}` is not in: {}", finding.message);
    }

    #[test]
    fn a_small_suite_says_how_little_it_can_tell() {
        check(6, None, "6 tasks find a difference of 57 points");
        check(1, None, "1 task finds a difference");
        check(149, None, "a difference of 10 points");
        check(149, None, "20 % of them (assumed); 5 points would take 620");
        check(306, Some(0.1), "a difference of 5 points");
        check(306, Some(0.1), "10 % of them (as it was here)");
    }

    #[test]
    fn no_tasks_tell_nothing() {
        assert_eq!(suite_can_tell(0, None, 0.95), None);
    }
}
