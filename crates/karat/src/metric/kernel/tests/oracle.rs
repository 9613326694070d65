//! Against figures computed with 40 digits: `tests/fixtures/kernel/make.py`.

use serde::Deserialize;

use super::{Lcg, measure};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

/// One pair of rows and what they must give; `make.py` explains the fields.
#[derive(Deserialize)]
struct Case {
    name: String,
    seed: u64,
    n_vocab: usize,
    n_peaks: i64,
    noise_shift: u32,
    exponent: i32,
    candidate_exponent: i32,
    spread: usize,
    far_stride: usize,
    impossible_reference: usize,
    impossible_candidate: usize,
    target: u32,
    reference_nll: String,
    candidate_nll: String,
    kld: String,
    reverse_kld: String,
    delta_p: String,
}

impl Case {
    fn rows(&self) -> (Vec<f32>, Vec<f32>) {
        const LIMIT: i64 = (1 << 24) - 1;
        let mut rng = Lcg(self.seed);
        let mut reference: Vec<i64> = (0..self.n_vocab).map(|_| rng.bell()).collect();
        for rank in 0..self.n_peaks {
            let token = rng.next24() as usize % self.n_vocab;
            reference[token] = LIMIT - (rank << 18);
        }
        let candidate: Vec<i64> = reference
            .iter()
            .map(|x| (x + (rng.bell() >> self.noise_shift)).clamp(-LIMIT, LIMIT))
            .collect();
        (
            self.logits(&reference, self.exponent, self.impossible_reference),
            self.logits(&candidate, self.candidate_exponent, self.impossible_candidate),
        )
    }

    fn logits(&self, whole: &[i64], exponent: i32, impossible: usize) -> Vec<f32> {
        let at = |stride: usize, token: usize| stride > 0 && token % stride == 3;
        let logit = |(token, &value): (usize, &i64)| {
            if at(impossible, token) {
                f32::NEG_INFINITY
            } else if at(self.far_stride, token) {
                -1000.0
            } else {
                // Exact: 24 bits and a power of two.
                value as f32 / 2f32.powi(exponent + (token % self.spread) as i32)
            }
        };
        whole.iter().enumerate().map(logit).collect()
    }
}

#[track_caller]
fn check(case: &Case, what: &str, got: f64, want: &str) -> f64 {
    let want: f64 = want.parse().expect("the fixture holds numbers");
    if want.is_infinite() {
        assert_eq!(got.to_bits(), want.to_bits(), "{}: {what} is {got}", case.name);
        return 0.0;
    }
    let error = got - want;
    assert!(error.abs() < 1e-7, "{}: {what} is {got}, not {want}", case.name);
    error
}

#[test]
fn figures_agree_with_forty_digits() {
    let text = include_str!("../../../../tests/fixtures/kernel/oracle.json");
    let fixture: Fixture = serde_json::from_str(text).expect("the fixture is well-formed");
    let mut kld_error = 0.0;
    for case in &fixture.cases {
        let (reference, candidate) = case.rows();
        let (own, pair) =
            measure(&reference, &candidate, case.target).expect("the rows have a softmax");
        check(case, "nll of the reference", own.nll, &case.reference_nll);
        check(case, "nll of the candidate", pair.candidate.nll, &case.candidate_nll);
        check(case, "delta-p", pair.delta_p, &case.delta_p);
        check(case, "reverse KLD", pair.reverse_kld, &case.reverse_kld);
        let error = check(case, "KLD", pair.kld, &case.kld);
        println!("{}: {error:e}", case.name);
        kld_error += error;
    }
    assert_eq!(fixture.cases.len(), 21);
    let mean = kld_error / fixture.cases.len() as f64;
    assert!(mean.abs() < 1e-8, "mean error of KLD {mean:e} nats");
}
