//! The tokens of a window at which a candidate is farthest from its reference.
//! Owns their choice and its order; knows no text, only token ids.

use super::kernel::{NO_TOKEN, PairStats, RowStats, TOP};
use crate::record::MOST_WORST_TOKENS;

/// A token id and how likely a model thinks it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likely {
    /// Token id.
    pub id: u32,
    /// Its probability.
    pub probability: f64,
}

/// One scored position: what both models expected there.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPosition {
    /// Position in the window whose logits were compared; the target is the token after it.
    pub position: usize,
    /// KL(reference‖candidate), in nats; +inf possible.
    pub kld: f64,
    /// Negative log-likelihood of the target to the reference, in nats; +inf possible.
    pub nll_reference: f64,
    /// The same to the candidate.
    pub nll_candidate: f64,
    /// The reference's five likeliest tokens, likeliest first.
    pub top_reference: Vec<Likely>,
    /// The candidate's.
    pub top_candidate: Vec<Likely>,
}

impl ScoredPosition {
    /// From a comparison and the two rows of logits behind it.
    pub fn new(
        position: usize,
        (reference, reference_row): (&RowStats, &[f32]),
        (pair, candidate_row): (&PairStats, &[f32]),
    ) -> Self {
        Self {
            position,
            kld: pair.kld,
            nll_reference: reference.nll,
            nll_candidate: pair.candidate.nll,
            top_reference: likeliest(reference, reference_row),
            top_candidate: likeliest(&pair.candidate, candidate_row),
        }
    }
}

fn likeliest(stats: &RowStats, row: &[f32]) -> Vec<Likely> {
    let mut likeliest = Vec::with_capacity(TOP);
    for id in stats.top.into_iter().filter(|&id| id != NO_TOKEN) {
        // From the row's maximum, so that no digits are lost to a large common offset.
        let below_max = f64::from(row[id as usize]) - f64::from(stats.max);
        likeliest.push(Likely { id, probability: (below_max - stats.lse_offset).exp() });
    }
    likeliest
}

/// The [`MOST_WORST_TOKENS`] positions of largest KLD, largest first; the earlier position goes first
/// among equals. So they are the same whatever the order in which positions are observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Worst {
    positions: Vec<ScoredPosition>,
}

impl Worst {
    /// Whether a position with this KLD would be kept now. Cheap: asked for every token.
    pub fn admits(&self, kld: f64, position: usize) -> bool {
        self.positions.len() < MOST_WORST_TOKENS
            || self.positions.last().is_some_and(|last| is_before((kld, position), last))
    }

    /// Takes a position, and drops the least of them if there are too many.
    pub fn observe(&mut self, observed: ScoredPosition) {
        let key = (observed.kld, observed.position);
        let place = self.positions.partition_point(|held| !is_before(key, held));
        self.positions.insert(place, observed);
        self.positions.truncate(MOST_WORST_TOKENS);
    }

    /// Takes what another part of the window gave.
    pub fn merge(&mut self, other: Self) {
        other.positions.into_iter().for_each(|position| self.observe(position));
    }

    /// Largest KLD first.
    pub fn positions(&self) -> &[ScoredPosition] {
        &self.positions
    }
}

fn is_before((kld, position): (f64, usize), held: &ScoredPosition) -> bool {
    held.kld.total_cmp(&kld).then(position.cmp(&held.position)).is_lt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(position: usize, kld: f64) -> ScoredPosition {
        let (nll_reference, nll_candidate) = (0.0, 0.0);
        let (top_reference, top_candidate) = (Vec::new(), Vec::new());
        ScoredPosition { position, kld, nll_reference, nll_candidate, top_reference, top_candidate }
    }

    fn kept(worst: &Worst) -> Vec<(usize, f64)> {
        worst.positions().iter().map(|held| (held.position, held.kld)).collect()
    }

    #[test]
    fn infinite_divergence_is_worst_and_ties_go_to_the_earlier_position() {
        let mut worst = Worst::default();
        for (position, kld) in [(9, 0.5), (4, 0.5), (7, f64::INFINITY), (1, 0.1)] {
            worst.observe(at(position, kld));
        }
        assert_eq!(kept(&worst), [(7, f64::INFINITY), (4, 0.5), (9, 0.5), (1, 0.1)]);
    }

    #[test]
    fn a_full_list_admits_only_what_is_worse() {
        let mut worst = Worst::default();
        for position in 0..MOST_WORST_TOKENS {
            assert!(worst.admits(0.0, position));
            worst.observe(at(position, 1.0));
        }
        assert!(!worst.admits(0.5, 0) && !worst.admits(1.0, 99) && worst.admits(1.5, 99));
    }

    #[test]
    fn probabilities_are_the_softmax() {
        let row = [1.0_f32, 3.0, 2.0];
        let sum: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
        let stats = RowStats {
            max: 3.0,
            lse_offset: sum.ln() - 3.0,
            top: [1, 2, 0, NO_TOKEN, NO_TOKEN],
            nll: 0.0,
            p_target: 1.0,
        };
        let likeliest = likeliest(&stats, &row);
        assert_eq!(likeliest.iter().map(|likely| likely.id).collect::<Vec<_>>(), [1, 2, 0]);
        for Likely { id, probability } in likeliest {
            let want = f64::from(row[id as usize]).exp() / sum;
            assert!((probability - want).abs() < 1e-15, "{id}: {probability}, want {want}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_observing_and_merging_does_not_matter(
            klds in prop::collection::vec(0_u8..30, 0..60),
            parts in prop::collection::vec(0_usize..3, 60),
        ) {
            let positions = klds.iter().enumerate().map(|(i, &kld)| at(i, f64::from(kld)));
            let mut want: Vec<_> = positions.clone().map(|at| (at.position, at.kld)).collect();
            // A stable sort leaves ties in order of position.
            want.sort_by(|left, right| right.1.total_cmp(&left.1));
            want.truncate(MOST_WORST_TOKENS);
            let mut lists = [Worst::default(), Worst::default(), Worst::default()];
            for (position, &part) in positions.rev().zip(&parts) {
                if lists[part].admits(position.kld, position.position) {
                    lists[part].observe(position);
                }
            }
            let [mut merged, second, third] = lists;
            merged.merge(third);
            merged.merge(second);
            prop_assert_eq!(kept(&merged), want);
        }
    }
}
