//! The five largest logits of a row, and the check that a row is measurable. Owns the list and its
//! order; never sweeps.
//!
//! A sweep shows this list only what exceeds [`Top::threshold`], which after a few blocks is
//! next to nothing. NaN and +inf exceed any threshold, so the list sees those for free.

use super::row::{NO_TOKEN, TOP};
use super::{Block, LANES};

/// Running list of the largest logits, larger first, lower id first among equals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Top {
    values: [f32; TOP],
    ids: [u32; TOP],
    /// Only logits above this are of interest, even while the list is not full.
    floor: f32,
    broken: bool,
}

impl Top {
    /// A list of everything above -inf.
    #[inline]
    pub(super) fn new() -> Self {
        Self::with_bound(f32::NEG_INFINITY)
    }

    /// A list for a row known to hold at least `TOP` logits of `bound` or more; with -inf or NaN
    /// nothing is known.
    pub(super) fn with_bound(bound: f32) -> Self {
        let floor = if bound.is_nan() { f32::NEG_INFINITY } else { bound.next_down() };
        Self { values: [f32::NEG_INFINITY; TOP], ids: [NO_TOKEN; TOP], floor, broken: false }
    }

    /// Logits at or below this cannot enter the list.
    pub(super) fn threshold(&self) -> f32 {
        self.values[TOP - 1].max(self.floor)
    }

    /// Takes those elements of `block` whose bit is set, in order of their ids; element 0 is token
    /// `first`. Returns the new threshold.
    #[cold]
    #[inline(never)]
    pub(super) fn offer(&mut self, block: &Block, first: usize, mut bits: u32, len: usize) -> f32 {
        while bits != 0 {
            let lane = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            // Lanes past the end of the row are padding.
            if first + lane < len && lane < LANES {
                self.insert(block[lane], (first + lane) as u32);
            }
        }
        self.threshold()
    }

    fn insert(&mut self, value: f32, id: u32) {
        if value.is_nan() || value == f32::INFINITY {
            self.broken = true;
            return;
        }
        // Ids come in ascending order, so an equal logit goes behind those already there.
        let place = self.values.iter().position(|&held| value > held);
        if let Some(place) = place {
            self.values.copy_within(place..TOP - 1, place + 1);
            self.ids.copy_within(place..TOP - 1, place + 1);
            self.values[place] = value;
            self.ids[place] = id;
        }
    }

    /// Whether the list has seen NaN or +inf.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Largest logit, -inf where there is none.
    pub(super) fn max(&self) -> f32 {
        self.values[0]
    }

    /// Token ids, `NO_TOKEN` where there are fewer than five.
    pub(super) fn ids(&self) -> [u32; TOP] {
        self.ids
    }
}

/// How many tokens two lists share.
pub(super) fn overlap(left: &[u32; TOP], right: &[u32; TOP]) -> u8 {
    left.iter().filter(|&&id| id != NO_TOKEN && right.contains(&id)).count() as u8
}
