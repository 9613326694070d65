//! Counts of values in fixed bins that are equally wide on a logarithmic axis.
//! Owns the bins; never smooths, draws or resamples.

/// Lower edge of the first bin: far below the rounding of a token's divergence in nats.
pub const LOWEST: f64 = 1e-9;
/// Bins in a factor of ten.
pub const BINS_PER_DECADE: u32 = 10;
/// Factors of ten that the bins cover: up to 100 nats.
const DECADES: u32 = 11;
const N_BINS: usize = (BINS_PER_DECADE * DECADES) as usize;

/// Counts values as they come. Two histograms of parts merge to that of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHistogram {
    spread: Spread,
}

/// What was counted; the four parts together are `n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Values in all.
    pub n: u64,
    /// Values of zero or less.
    pub zero: u64,
    /// Positive values under [`LOWEST`].
    pub below: u64,
    /// Values beyond the last bin.
    pub above: u64,
    /// Values in bin i: `LOWEST · 10^(i / BINS_PER_DECADE) <= value < ` the next edge, up to rounding
    /// at the edge.
    pub counts: Vec<u64>,
}

impl Default for LogHistogram {
    fn default() -> Self {
        Self { spread: Spread { n: 0, zero: 0, below: 0, above: 0, counts: vec![0; N_BINS] } }
    }
}

impl LogHistogram {
    /// Counts one value. NaN, which no stored score is, counts as beyond the last bin: it is not lost.
    pub fn observe(&mut self, value: f64) {
        let spread = &mut self.spread;
        spread.n += 1;
        if value <= 0.0 {
            spread.zero += 1;
            return;
        }
        if value < LOWEST {
            spread.below += 1;
            return;
        }
        let bin = ((value.log10() - LOWEST.log10()) * f64::from(BINS_PER_DECADE)).floor();
        // `as` saturates, and turns NaN into 0: hence the question first.
        let bin = if bin.is_nan() { N_BINS } else { bin as usize };
        *spread.counts.get_mut(bin).unwrap_or(&mut spread.above) += 1;
    }

    /// Adds what another histogram counted.
    pub fn merge(&mut self, other: &Self) {
        let (spread, other) = (&mut self.spread, &other.spread);
        spread.n += other.n;
        spread.zero += other.zero;
        spread.below += other.below;
        spread.above += other.above;
        spread.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
    }

    /// What was counted.
    pub fn finish(self) -> Spread {
        self.spread
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn counted(values: &[f64]) -> LogHistogram {
        let mut histogram = LogHistogram::default();
        for value in values {
            histogram.observe(*value);
        }
        histogram
    }

    /// Where one value is counted: `zero`, `below`, `above` or the bin's number.
    #[track_caller]
    fn check(value: f64, place: &str) {
        let spread = counted(&[value]).finish();
        let bin = spread.counts.iter().position(|count| *count == 1);
        let got = match (spread.zero, spread.below, spread.above, bin) {
            (1, 0, 0, None) => "zero".to_owned(),
            (0, 1, 0, None) => "below".to_owned(),
            (0, 0, 1, None) => "above".to_owned(),
            (0, 0, 0, Some(bin)) => bin.to_string(),
            other => panic!("counted more than once: {other:?}"),
        };
        assert_eq!((got.as_str(), spread.n), (place, 1), "{value}");
    }

    #[test]
    fn a_value_falls_between_the_edges_around_it() {
        check(1e-9, "0");
        check(1.1e-9, "0");
        check(1.3e-9, "1");
        check(0.05, "76");
        check(99.0, "109");
    }

    #[test]
    fn what_no_bin_holds_is_counted_apart() {
        check(0.0, "zero");
        check(-2e-7, "zero");
        check(1e-12, "below");
        check(f64::MIN_POSITIVE, "below");
        check(101.0, "above");
        check(f64::INFINITY, "above");
        check(f64::NAN, "above");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(11),
            ..ProptestConfig::default()
        })]

        #[test]
        fn parts_merge_to_the_whole_in_any_order(
            values in prop::collection::vec(-1e-6..1e3_f64, 0..200), cut in 0..200usize
        ) {
            let (head, tail) = values.split_at(cut.min(values.len()));
            let (mut one, mut other) = (counted(head), counted(tail));
            other.merge(&one);
            one.merge(&counted(tail));
            prop_assert_eq!(&one, &counted(&values));
            prop_assert_eq!(&other, &one);
            let spread = one.finish();
            let sum = spread.zero + spread.below + spread.above + spread.counts.iter().sum::<u64>();
            prop_assert_eq!((spread.n, sum), (values.len() as u64, values.len() as u64));
        }

        #[test]
        fn the_bin_of_a_value_has_it_between_its_edges(log10 in -8.99..1.99_f64) {
            let value = 10_f64.powf(log10);
            let counts = counted(&[value]).finish().counts;
            let bin = counts.iter().position(|count| *count == 1).unwrap() as f64;
            let edge = |bin: f64| LOWEST * 10_f64.powf(bin / f64::from(BINS_PER_DECADE));
            prop_assert!(edge(bin) <= value * (1.0 + 1e-12));
            prop_assert!(value <= edge(bin + 1.0) * (1.0 + 1e-12));
        }
    }
}
