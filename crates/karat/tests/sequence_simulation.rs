//! How often sequences are wrong when one looks at every window, and how early they answer.
//! Owns the simulated texts, seeded, so that a pass is a pass, and the lab's real windows.
//! `cargo test -p karat --test sequence_simulation -- --nocapture` prints the rates.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use karat::stats::{
    ConfidenceSequence, Decider, Family, Question, SequenceDesign, Side, Standing, shuffled_windows,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const STREAMS: u32 = 2_000;
const ERROR: f64 = 0.05;
const LENGTHS: [u32; 3] = [60, 251, 1_000];
const BUILDS: usize = 4;

/// Shapes of window values.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Normal,
    /// Standard deviation of the logarithm.
    Lognormal(f64),
    /// Tail index.
    Pareto(f64),
    /// Normal; of this share of the windows, all lie that many standard deviations higher.
    Contaminated {
        share: f64,
        shift: f64,
    },
}

struct Source(ChaCha8Rng);

impl Source {
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Box & Muller (1958).
    fn normal(&mut self) -> f64 {
        let (radius, turn) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
    }

    fn values(&mut self, shape: Shape, n_windows: u32) -> Vec<f64> {
        (0..n_windows)
            .map(|window_idx| match shape {
                Shape::Normal => 9.0 + self.normal(),
                Shape::Lognormal(deviation) => (deviation * self.normal()).exp(),
                Shape::Pareto(index) => self.uniform().powf(-1.0 / index),
                Shape::Contaminated { share, shift } => {
                    let is_shifted = f64::from(window_idx) < share * f64::from(n_windows);
                    9.0 + self.normal() + if is_shifted { shift } else { 0.0 }
                }
            })
            .collect()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn scaled_to(wanted_mean: f64, values: &[f64]) -> Vec<f64> {
    let factor = wanted_mean / mean(values);
    values.iter().map(|value| value * factor).collect()
}

/// Texts on which builds are ordered: per-window values, `[BUILDS][n_windows]`.
#[derive(Clone, Copy, Debug)]
enum Text {
    /// All builds have the same values, each in an order of its own.
    Tied(Shape),
    /// All builds have the same mean, and log-deviations of 1.5, 1, 0.5 and 0.25.
    TiedInMeanAlone,
    /// Windows share a lognormal difficulty, on which builds vary a little; all means are equal.
    TiedWithSharedDifficulty,
    /// The same, and the means differ by a thousandth from build to build.
    NearlyTied,
    /// Unrelated lognormal windows (log-deviation 1.5), means a thousandth apart.
    NearlyTiedHeavy,
}

impl Text {
    fn builds(self, n_windows: u32, seed: u64) -> Vec<Vec<f64>> {
        let source = &mut Source(ChaCha8Rng::seed_from_u64(seed));
        let shared = source.values(Shape::Lognormal(1.0), n_windows);
        let tied = match self {
            Self::Tied(shape) => source.values(shape, n_windows),
            _ => Vec::new(),
        };
        let build = |build_idx: usize| {
            let nearly = 1.0 + 0.001 * build_idx as f64;
            match self {
                Self::Tied(_) => {
                    let order = shuffled_windows(n_windows, 4 * seed + build_idx as u64);
                    order.iter().map(|&window_idx| tied[window_idx as usize]).collect()
                }
                Self::TiedInMeanAlone => {
                    let deviation = [1.5, 1.0, 0.5, 0.25][build_idx];
                    scaled_to(1.0, &source.values(Shape::Lognormal(deviation), n_windows))
                }
                Self::TiedWithSharedDifficulty | Self::NearlyTied => {
                    let own = source.values(Shape::Lognormal(0.3), n_windows);
                    let values: Vec<f64> = shared.iter().zip(own).map(|(a, b)| a * b).collect();
                    let is_tied = matches!(self, Self::TiedWithSharedDifficulty);
                    scaled_to(if is_tied { 1.0 } else { nearly }, &values)
                }
                Self::NearlyTiedHeavy => {
                    scaled_to(nearly, &source.values(Shape::Lognormal(1.5), n_windows))
                }
            }
        };
        (0..BUILDS).map(build).collect()
    }

    /// The side on which the truth of `candidate - versus` lies, for `candidate > versus`.
    fn truth(self) -> Option<Side> {
        let is_nearly_tied = matches!(self, Self::NearlyTied | Self::NearlyTiedHeavy);
        is_nearly_tied.then_some(Side::Higher)
    }
}

fn decider(n_builds: usize, n_windows: usize) -> Decider {
    let family = Family { n_candidates: n_builds, n_windows: n_windows as u64, error: ERROR };
    Decider::new(&Question::all_orders(n_builds), family).unwrap()
}

/// Whether any order is ever answered wrongly, the last window included.
fn family_errs(text: Text, n_windows: u32, seed: u64) -> bool {
    let builds = text.builds(n_windows, seed);
    let mut decider = decider(BUILDS, n_windows as usize);
    for window_idx in shuffled_windows(n_windows, seed) {
        let window: Vec<f64> = builds.iter().map(|build| build[window_idx as usize]).collect();
        decider.observe(&window).unwrap();
    }
    // Answers are never taken back, so the end shows what any look has said.
    decider.answers().iter().any(|answer| match answer.standing {
        Standing::Decided { side, .. } => Some(side) != text.truth(),
        Standing::Open { .. } => false,
    })
}

/// Whether an interval at any look misses the mean: just that is deciding against the truth.
fn interval_misses(shape: Shape, n_windows: u32, seed: u64) -> bool {
    let values = Source(ChaCha8Rng::seed_from_u64(seed)).values(shape, n_windows);
    let design =
        SequenceDesign { n_windows: n_windows.into(), tested: mean(&values), error: ERROR };
    let mut sequence = ConfidenceSequence::new(design);
    for window_idx in shuffled_windows(n_windows, seed) {
        sequence.observe(values[window_idx as usize]);
    }
    sequence.decided().is_some()
}

#[expect(clippy::print_stdout, reason = "the rates are worth reading beside a pass")]
fn error_rate(name: &str, n_windows: u32, errs: impl Fn(u64) -> bool) -> f64 {
    let errors = (0..u64::from(STREAMS)).filter(|&seed| errs(seed)).count();
    let rate = errors as f64 / f64::from(STREAMS);
    println!("{name}, {n_windows} windows: wrong in {:.2} % of {STREAMS} streams", 100.0 * rate);
    rate
}

/// The error allowed, and three standard errors of what a simulation shows of it.
fn allowed() -> f64 {
    ERROR + 3.0 * (ERROR * (1.0 - ERROR) / f64::from(STREAMS)).sqrt()
}

#[track_caller]
fn check_family(text: Text) {
    for n_windows in LENGTHS {
        let name = format!("orders, {text:?}");
        let rate = error_rate(&name, n_windows, |seed| family_errs(text, n_windows, seed));
        assert!(rate <= allowed(), "{name}, {n_windows} windows: {rate}");
    }
}

#[track_caller]
fn check_interval(shape: Shape) {
    for n_windows in LENGTHS {
        let name = format!("interval, {shape:?}");
        let rate = error_rate(&name, n_windows, |seed| interval_misses(shape, n_windows, seed));
        assert!(rate <= allowed(), "{name}, {n_windows} windows: {rate}");
    }
}

#[test]
fn tied_lognormal_builds_are_not_ordered() {
    check_family(Text::Tied(Shape::Lognormal(1.0)));
    check_family(Text::Tied(Shape::Lognormal(1.5)));
}

#[test]
fn tied_pareto_builds_are_not_ordered() {
    check_family(Text::Tied(Shape::Pareto(2.5)));
    check_family(Text::Tied(Shape::Pareto(1.5)));
}

#[test]
fn builds_with_one_mean_and_several_shapes_are_not_ordered() {
    check_family(Text::TiedInMeanAlone);
}

#[test]
fn builds_tied_on_windows_of_unequal_difficulty_are_not_ordered() {
    check_family(Text::TiedWithSharedDifficulty);
}

#[test]
fn nearly_tied_builds_are_not_ordered_the_wrong_way() {
    check_family(Text::NearlyTied);
    check_family(Text::NearlyTiedHeavy);
}

#[test]
fn normal_intervals_cover() {
    check_interval(Shape::Normal);
}

#[test]
fn lognormal_intervals_cover() {
    check_interval(Shape::Lognormal(1.0));
    check_interval(Shape::Lognormal(1.5));
}

#[test]
fn pareto_intervals_cover() {
    check_interval(Shape::Pareto(2.5));
    check_interval(Shape::Pareto(2.0));
    check_interval(Shape::Pareto(1.5));
}

#[test]
fn contaminated_intervals_cover() {
    check_interval(Shape::Contaminated { share: 0.05, shift: 10.0 });
    check_interval(Shape::Contaminated { share: 0.05, shift: 15.0 });
    check_interval(Shape::Contaminated { share: 0.1, shift: 30.0 });
}

/// The limit that the documentation admits: what hides in few windows is not seen early.
#[test]
fn a_mean_that_hides_in_few_windows_is_missed() {
    for (share, shift) in [(0.05, 30.0), (0.01, 60.0)] {
        let shape = Shape::Contaminated { share, shift };
        let misses = |seed| interval_misses(shape, 1_000, seed);
        let rate = error_rate(&format!("beyond the assumption, {shape:?}"), 1_000, misses);
        assert!(rate > allowed(), "{rate}");
    }
}

/// Whether the sequence that the normal approximation gives (Waudby-Smith et al., arXiv 2103.06476,
/// theorem 2.2), on the clock of sampling without replacement, ever misses the mean.
fn approximation_misses(shape: Shape, n_windows: u32, seed: u64) -> bool {
    const WARM_UP: f64 = 20.0;
    const TUNING: f64 = 0.1;
    let values = Source(ChaCha8Rng::seed_from_u64(seed)).values(shape, n_windows);
    let (truth, total) = (mean(&values), f64::from(n_windows));
    let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
    shuffled_windows(n_windows, seed).into_iter().any(|window_idx| {
        let excess = values[window_idx as usize] - truth;
        n += 1.0;
        sum += excess;
        squares += excess * excess;
        let time = n * total / (total - n);
        let variance = squares / n - (sum / n).powi(2);
        let log = ((time * TUNING + 1.0) / (ERROR * ERROR)).ln();
        let reach = (variance * (time + 1.0 / TUNING) * log).sqrt();
        (WARM_UP..total).contains(&n) && (sum * total / (total - n)).abs() > reach
    })
}

/// Why the bets are there: the cheaper method fails on windows as skewed as these.
#[test]
fn a_normal_approximation_would_not_cover() {
    let shape = Shape::Lognormal(1.5);
    let misses = |seed| approximation_misses(shape, 251, seed);
    let rate = error_rate("normal approximation", 251, misses);
    assert!(rate > 2.0 * allowed(), "{rate}");
}

/// Per-window mean KLD of the lab's builds, `[n_windows][5]`; see the script beside the file.
fn lab_windows() -> Vec<Vec<f64>> {
    let text = include_str!("fixtures/stats/sequence/lab-english-kld.csv");
    let window = |line: &str| line.split(',').map(|value| value.parse().unwrap()).collect();
    text.lines().skip(1).map(window).collect()
}

/// Windows after which the first `n_builds` are ordered, and whether the order is the true one.
fn lab_order(windows: &[Vec<f64>], n_builds: usize, seed: u64) -> (u64, bool) {
    let mut decider = decider(n_builds, windows.len());
    for window_idx in shuffled_windows(windows.len() as u32, seed) {
        if decider.is_decided() {
            break;
        }
        decider.observe(&windows[window_idx as usize][..n_builds]).unwrap();
    }
    let truth = |build_idx: usize| windows.iter().map(|window| window[build_idx]).sum::<f64>();
    let is_right = decider.answers().iter().all(|answer| {
        let Question::Order { candidate, versus } = answer.question else {
            return false;
        };
        let is_higher = truth(candidate) > truth(versus);
        let side = if is_higher { Side::Higher } else { Side::Lower };
        matches!(answer.standing, Standing::Decided { side: got, .. } if got == side)
    });
    (decider.n_read(), is_right)
}

#[track_caller]
#[expect(clippy::print_stdout, reason = "the share is worth reading beside a pass")]
fn check_lab(n_builds: usize) {
    let windows = lab_windows();
    let mut used = Vec::new();
    for seed in 0..500 {
        let (n_read, is_right) = lab_order(&windows, n_builds, seed);
        assert!(is_right, "seed {seed}: wrong order");
        used.push(100.0 * n_read as f64 / windows.len() as f64);
    }
    used.sort_unstable_by(f64::total_cmp);
    let (median, worst) = (used[250], used[499]);
    println!(
        "lab, {n_builds} builds: ordered with {median:.1} % of the windows, {worst:.1} % at worst"
    );
    assert!(worst <= 25.0, "{worst} % of the windows");
}

#[test]
fn lab_builds_are_ordered_within_a_quarter_of_the_text() {
    check_lab(4);
    check_lab(5);
}
