//! Layers that are missing in the middle, or that have no tensor at all.

use std::collections::BTreeSet;

use super::{Oddity, Subject, count, warning};
use crate::anatomy::tensor_pattern::layer;

/// Most missing layers that are named.
const SHOWN: usize = 5;

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let found: BTreeSet<u64> =
        subject.header.tensors().iter().filter_map(|tensor| layer(&tensor.name)).collect();
    let Some(&last) = found.last() else { return Vec::new() };
    // At most as many gaps are walked through as are named: a number in a name may be anything.
    let n_missing = last - (found.len() as u64 - 1);
    if n_missing == 0 {
        return Vec::new();
    }
    let missing: Vec<String> =
        (0..last).filter(|n| !found.contains(n)).take(SHOWN).map(|n| n.to_string()).collect();
    let more = if n_missing > missing.len() as u64 { ", …" } else { "" };
    let n_missing = usize::try_from(n_missing).unwrap_or(usize::MAX);
    let verb = if n_missing == 1 { "has" } else { "have" };
    let (layers, missing) = (count(n_missing, "layer"), missing.join(", "));
    let message = format!("{layers} below layer {last} {verb} no tensor: {missing}{more}");
    vec![warning("layers", message)]
}
