//! Two models on the same tasks, counted: both pass, one of them, neither.
//! Owns the four counts; never tests anything.

/// How often which of two models passed. Only the tasks that one of them alone passed say which is
/// better; the others say how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairedCounts {
    /// Tasks that both pass.
    pub both: u64,
    /// Tasks that the first alone passes.
    pub first_only: u64,
    /// Tasks that the second alone passes.
    pub second_only: u64,
    /// Tasks that neither passes.
    pub neither: u64,
}

impl PairedCounts {
    /// Counts pairs of (first passed, second passed).
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for pair in pairs {
            *match pair {
                (true, true) => &mut counts.both,
                (true, false) => &mut counts.first_only,
                (false, true) => &mut counts.second_only,
                (false, false) => &mut counts.neither,
            } += 1;
        }
        counts
    }

    /// From the two kinds of discordant pairs among `n`; which of the others both passed is not told
    /// apart, because nothing here depends on it. `None` where there are more of them than pairs.
    pub fn from_discordant(first_only: u64, second_only: u64, n: u64) -> Option<Self> {
        let concordant = n.checked_sub(first_only.checked_add(second_only)?)?;
        Some(Self { both: concordant, first_only, second_only, neither: 0 })
    }

    /// Pairs in all.
    pub fn n(&self) -> u64 {
        self.both + self.first_only + self.second_only + self.neither
    }

    /// Pairs that one of them alone passes.
    pub fn discordant(&self) -> u64 {
        self.first_only + self.second_only
    }

    /// Pass rate of the first less that of the second; `None` without pairs.
    pub fn difference(&self) -> Option<f64> {
        let n = self.n();
        (n > 0).then(|| (self.first_only as f64 - self.second_only as f64) / n as f64)
    }

    /// The same with the models changed over.
    #[must_use]
    pub fn swapped(&self) -> Self {
        Self { first_only: self.second_only, second_only: self.first_only, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_by_who_passed() {
        let pairs = [(true, true), (true, false), (true, false), (false, true), (false, false)];
        let counts = PairedCounts::of(pairs);
        assert_eq!(counts, PairedCounts { both: 1, first_only: 2, second_only: 1, neither: 1 });
        assert_eq!((counts.n(), counts.discordant()), (5, 3));
        assert_eq!(counts.difference(), Some(0.2));
        assert_eq!(counts.swapped().difference(), Some(-0.2));
    }

    #[test]
    fn nothing_has_no_difference() {
        assert_eq!(PairedCounts::default().difference(), None);
    }

    #[test]
    fn more_discordant_pairs_than_pairs_are_refused() {
        assert_eq!(PairedCounts::from_discordant(2, 3, 4), None);
        assert_eq!(PairedCounts::from_discordant(u64::MAX, 1, 4), None);
        assert_eq!(PairedCounts::from_discordant(1, 3, 4).map(|counts| counts.n()), Some(4));
    }
}
