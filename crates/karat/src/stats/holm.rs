//! Several claims at once: p values adjusted so that all of them share one error.
//! Owns the adjustment; never tests anything itself.

/// Holm's adjusted p values, in the order given: a claim whose adjusted value is at most alpha may be
/// made, and the probability that any claim made is wrong stays at most alpha, whatever the
/// dependence between them.
///
/// Source: Holm (1979).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = largest.max((left * p_values[index]).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// The level at which each claim of a family is judged so that all of them share the error `alpha`:
/// alpha / k for the one with the smallest p value of k, alpha / (k - 1) for the next, and so on to the
/// first that is not rejected; those after it are judged at its level, at which they are not rejected
/// either. A claim is made where its p value does not exceed its level: exactly where [`holm`]'s does
/// not exceed alpha.
///
/// Source: Holm (1979).
pub fn holm_levels(p_values: &[f64], alpha: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut levels = vec![0.0; p_values.len()];
    let mut refused_at: Option<f64> = None;
    for (rank, &index) in order.iter().enumerate() {
        let level = refused_at.unwrap_or(alpha / (p_values.len() - rank) as f64);
        levels[index] = level;
        if refused_at.is_none() && p_values[index] > level {
            refused_at = Some(level);
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_claim_alone_pays_nothing() {
        assert_eq!(holm(&[0.03]), [0.03]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }

    #[test]
    fn adjusted_values_keep_their_order_and_stay_probabilities() {
        assert_eq!(holm(&[0.9, 0.5, 0.8]), [1.0, 1.0, 1.0]);
        // 3 × 0.01, 2 × 0.02, and the last no smaller than the one before it.
        assert_eq!(holm(&[0.03, 0.01, 0.02]), [0.04, 0.03, 0.04]);
    }

    #[test]
    fn levels_make_the_same_claims_as_adjusted_values() {
        for p_values in [vec![0.01, 0.02, 0.03], vec![0.04, 0.2, 0.03, 0.011], vec![0.001, 0.5]] {
            let levels = holm_levels(&p_values, 0.05);
            for ((p, level), adjusted) in p_values.iter().zip(levels).zip(holm(&p_values)) {
                assert_eq!(*p <= level, adjusted <= 0.05, "{p_values:?}");
            }
        }
        assert_eq!(holm_levels(&[0.2, 0.01], 0.05), [0.05, 0.025]);
    }
}
