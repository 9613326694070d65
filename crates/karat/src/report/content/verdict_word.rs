//! What a paired difference says about its two builds, in a word.
//! Owns the wording; never corrects for how many pairs were looked at.

use crate::record::Estimate;
use crate::report::page::{Cell, Tone};

/// `lower` or `higher` where the interval excludes zero and the difference is beyond the noise floor
/// (nats), else `cannot tell`; `same` where the two did not differ at any token, which happens with
/// two copies of one file.
pub(super) fn verdict_word(difference: &Estimate, floor: f64) -> Cell {
    if floor > 0.0 && difference.value.is_none_or(|value| value.abs() <= floor) {
        return Cell::toned("cannot tell", Tone::Open);
    }
    match (difference.lo, difference.hi) {
        (Some(_), Some(hi)) if hi < 0.0 => Cell::toned("lower", Tone::Good),
        (Some(lo), Some(_)) if lo > 0.0 => Cell::toned("higher", Tone::Bad),
        (Some(0.0), Some(0.0)) => Cell::plain("same"),
        _ => Cell::toned("cannot tell", Tone::Open),
    }
}
