//! What a paired difference says about its two builds, in a word.
//! Owns the wording; never corrects for how many pairs were looked at.

use crate::record::Estimate;
use crate::report::page::{Cell, Tone};

/// `lower` or `higher` where the interval excludes zero, else `cannot tell`; `same` where the two
/// did not differ at any token, which happens with two copies of one file.
pub(super) fn verdict_word(difference: &Estimate) -> Cell {
    match (difference.lo, difference.hi) {
        (Some(_), Some(hi)) if hi < 0.0 => Cell::toned("lower", Tone::Good),
        (Some(lo), Some(_)) if lo > 0.0 => Cell::toned("higher", Tone::Bad),
        (Some(0.0), Some(0.0)) => Cell::plain("same"),
        _ => Cell::toned("cannot tell", Tone::Open),
    }
}
