//! The mean of paired differences of tasks that come in families.
//! Owns what is resampled, families or tasks, and what is done where nothing differs.

use super::MIN_BOOTSTRAP_WINDOWS;
use super::bootstrap::Bootstrap;
use super::clustered::WindowSums;
use super::interval::Summary;
use super::mean::mean;

/// Fewest families whose differences, all on one side, a test by family can tell from chance at 5 %:
/// 2 / 2⁶ = 0.031.
pub const FEWEST_FAMILIES: usize = 6;

/// Mean difference over all tasks, with families as the unit: what another set of such families would
/// give. `families`: the differences of each family's tasks.
///
/// Families are drawn whole. Drawing tasks again within a drawn family would count their spread twice,
/// because a family's mean carries it already. From 8 families on the interval is BCa at the level that
/// so few units need, from 2 to 7 it is Student's t on the linearised standard error: resampling five
/// things knows too little of their spread. One family has no interval, and neither has a sample in
/// which nothing differs: that is no proof of a width of zero.
///
/// Source: Davison & Hinkley (1997), 3.8 on drawing clusters; Miller, arXiv 2411.00640 on evaluations.
pub fn mean_by_family(families: &[Vec<f64>], bootstrap: &Bootstrap) -> Option<Summary> {
    honest(&WindowSums::new(families.iter().map(|family| family.iter().copied())), bootstrap)
}

/// Mean difference with tasks as the unit: what other tasks of the same families would give, roughly,
/// for it lets the number per family vary.
pub fn mean_by_task(differences: &[f64], bootstrap: &Bootstrap) -> Option<Summary> {
    honest(&WindowSums::new(differences.iter().map(|difference| [*difference])), bootstrap)
}

/// How the interval of so many units is made, for readers.
pub fn unit_method(n_units: usize) -> &'static str {
    match n_units {
        0 | 1 => "none",
        n if n < MIN_BOOTSTRAP_WINDOWS => "t",
        _ => "bca",
    }
}

fn honest(sums: &WindowSums, bootstrap: &Bootstrap) -> Option<Summary> {
    mean(sums, bootstrap).map(Summary::with_width)
}

#[cfg(test)]
mod tests {
    use super::super::bootstrap::Resampling;
    use super::*;

    fn seeded() -> Bootstrap {
        Bootstrap::new(Resampling::with_seed(1))
    }

    #[test]
    fn one_family_tells_nothing_of_others() {
        let summary = mean_by_family(&[vec![0.5, 1.0, 0.0]], &seeded()).unwrap();
        assert_eq!(summary, Summary { value: 0.5, interval: None });
    }

    #[test]
    fn equal_answers_have_no_interval_of_no_width() {
        let families = vec![vec![0.0; 20]; 10];
        assert_eq!(mean_by_family(&families, &seeded()).unwrap().interval, None);
        assert_eq!(mean_by_task(&[0.0; 200], &seeded()).unwrap().interval, None);
    }

    #[test]
    fn what_one_family_alone_shows_is_wide_by_family_and_narrow_by_task() {
        let mut families = vec![vec![0.0; 20]; 10];
        families[0] = vec![1.0; 20];
        let width = |summary: Summary| summary.interval.map(|i| i.hi - i.lo).unwrap();
        let by_family = width(mean_by_family(&families, &seeded()).unwrap());
        let by_task = width(mean_by_task(&families.concat(), &seeded()).unwrap());
        assert!(by_family > 3.0 * by_task, "{by_family} {by_task}");
    }
}
