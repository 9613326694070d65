//! What is known about one row, and about a pair of rows. Owns the result types; computes only
//! what follows from a finished sweep.

use super::exp::Anchor;
use super::top::Top;

/// Length of the list of likeliest tokens.
pub const TOP: usize = 5;

/// Fills the places of [`RowStats::top`] for which the row has no token of non-zero probability.
pub const NO_TOKEN: u32 = u32::MAX;

/// What one row of logits says about itself.
///
/// Sums are f64 over f32 exponentials that are within 1e-7 of their value and have no bias: a
/// single figure is good to 1e-7 nats in the worst case, a mean over tokens to about 1e-9. So a
/// certain token may have an NLL just below 0 and a probability just above 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowStats {
    /// Largest logit.
    pub max: f32,
    /// `ln Σ exp(logit - max)`, in nats; 0 or more beyond rounding. The row's log-sum-exp is
    /// `max + lse_offset`.
    pub lse_offset: f64,
    /// Token ids of the largest logits, largest first, the lower id first among equal logits;
    /// `top[0]` is the argmax. Tokens at -inf are not listed; places left over hold [`NO_TOKEN`].
    pub top: [u32; TOP],
    /// Negative log-likelihood of the target token, in nats; +inf where its logit is -inf.
    /// Depends on the row and the target only, to the bit, not on what it was compared with.
    pub nll: f64,
    /// Probability of the target token.
    pub p_target: f64,
}

impl RowStats {
    /// From a sweep that summed `exp` relative to `anchor` into `sum`.
    pub(super) fn new(top: &Top, anchor: Anchor, sum: f64, target_logit: f32) -> Self {
        let max = top.max();
        let lse_offset = anchor.lse_offset(sum, max);
        // From the row's maximum, so that no digits are lost to a large common offset.
        let nll = lse_offset + (f64::from(max) - f64::from(target_logit));
        Self { max, lse_offset, top: top.ids(), nll, p_target: (-nll).exp() }
    }

    /// Natural log of the sum of exponentials of the row, in nats.
    pub fn lse(&self) -> f64 {
        f64::from(self.max) + self.lse_offset
    }

    /// Token of the largest logit, the lowest id among equals.
    pub fn argmax(&self) -> u32 {
        self.top[0]
    }
}

/// One candidate row against one reference row at the same position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairStats {
    /// The candidate's own figures.
    pub candidate: RowStats,
    /// KL divergence KL(reference‖candidate), in nats. Exactly 0 for equal rows; +inf where the
    /// candidate gives probability 0 to a token that the reference holds possible.
    ///
    /// Reported raw: the exponentials are f32, each within 1e-7 of its value, and so is each
    /// difference of logits. Rows that almost agree can come out below zero, by up to
    /// 2e-7 + 6e-8 Σ p |x - y| in the worst case (1e-8 as a rule). Clamping would bias the mean over
    /// tokens, where those errors cancel.
    ///
    /// Source: Kullback & Leibler (1951).
    pub kld: f64,
    /// KL(candidate‖reference), in nats, with the same properties.
    pub reverse_kld: f64,
    /// Candidate's probability of the target token minus the reference's, between -1 and 1.
    pub delta_p: f64,
    /// How many tokens the two lists of five have in common, 0 to 5, whatever their order.
    pub top5_overlap: u8,
    /// Whether both rows have the same argmax.
    pub same_top: bool,
}
