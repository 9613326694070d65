//! chrF: how near a text is to references, by the character sequences they share.

use std::collections::HashMap;

/// Longest character sequence.
const ORDER: usize = 6;

/// Recall counts this much more than precision.
const BETA: f64 = 2.0;

/// chrF of a text, 0 to 100, against the reference that it is nearest to.
///
/// Characters without white space, sequences of 1 to 6, precision and recall averaged over the lengths
/// that both texts have, F with β = 2. As sacrebleu's `nc:6|nw:0|space:no|case:mixed|eff:yes`.
///
/// Source: Popović (2015).
pub fn chrf(hypothesis: &str, references: &[String]) -> f64 {
    let hypothesis = characters(hypothesis);
    references.iter().map(|reference| one(&hypothesis, &characters(reference))).fold(0.0, f64::max)
}

fn characters(text: &str) -> Vec<char> {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

fn one(hypothesis: &[char], reference: &[char]) -> f64 {
    let (mut precision, mut recall, mut n_orders) = (0.0, 0.0, 0.0);
    for order in 1..=ORDER {
        let (ours, theirs) = (sequences(hypothesis, order), sequences(reference, order));
        let n_ours: usize = ours.values().sum();
        let n_theirs: usize = theirs.values().sum();
        if n_ours == 0 || n_theirs == 0 {
            continue;
        }
        let n_shared: usize = ours
            .iter()
            .map(|(sequence, n)| (*n).min(theirs.get(sequence).copied().unwrap_or(0)))
            .sum();
        precision += n_shared as f64 / n_ours as f64;
        recall += n_shared as f64 / n_theirs as f64;
        n_orders += 1.0;
    }
    if precision + recall == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (precision / n_orders, recall / n_orders);
    let factor = BETA * BETA;
    100.0 * (1.0 + factor) * precision * recall / (factor * precision + recall)
}

fn sequences(text: &[char], order: usize) -> HashMap<&[char], usize> {
    let mut counts = HashMap::new();
    for sequence in text.windows(order) {
        *counts.entry(sequence).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Row {
        hypothesis: String,
        references: Vec<String>,
        score: f64,
    }

    #[derive(Deserialize)]
    struct Fixture {
        rows: Vec<Row>,
    }

    /// sacrebleu 2.6.0, `bench/tasks/chrf.py`.
    #[test]
    fn scores_are_sacrebleus() {
        let fixture: Fixture = serde_json::from_str(include_str!("fixtures/chrf.json")).unwrap();
        assert!(fixture.rows.len() > 10);
        for Row { hypothesis, references, score } in fixture.rows {
            let ours = chrf(&hypothesis, &references);
            assert!((ours - score).abs() < 1e-9, "{hypothesis}: {ours} against {score}");
        }
    }
}
