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
}
