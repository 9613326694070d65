//! Which questions a run is asked, and whether all of them are answered yet.
//! Owns the family of questions and their shared error; never reads windows by itself.

use super::confidence_sequence::{ConfidenceSequence, SequenceDesign, Standing};
use super::interval::Interval;

/// A question about candidates, by their position in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Question {
    /// Which of two candidates has the lower mean? Asked of the difference `candidate - versus`.
    Order {
        /// The one whose side is told.
        candidate: usize,
        /// The one it is compared with.
        versus: usize,
    },
    /// On which side of `margin` is the candidate's mean?
    Margin {
        /// The candidate.
        candidate: usize,
        /// The value to be told from its mean, in the metric's unit.
        margin: f64,
    },
}

impl Question {
    /// All pairwise orders, k(k - 1)/2 of them.
    pub fn all_orders(n_candidates: usize) -> Vec<Self> {
        let pairs = |candidate| (0..candidate).map(move |versus| Self::Order { candidate, versus });
        (0..n_candidates).flat_map(pairs).collect()
    }

    /// The value the question's sequence sees of one window.
    fn value(self, values: &[f64]) -> f64 {
        match self {
            Self::Order { candidate, versus } => values[candidate] - values[versus],
            Self::Margin { candidate, .. } => values[candidate],
        }
    }

    fn tested(self) -> f64 {
        match self {
            Self::Order { .. } => 0.0,
            Self::Margin { margin, .. } => margin,
        }
    }

    fn check(self, n_candidates: usize) -> Result<(), DecideError> {
        let (candidate, other) = match self {
            Self::Order { candidate, versus } if candidate == versus => {
                return Err(DecideError::Itself { candidate });
            }
            Self::Order { candidate, versus } => (candidate, versus),
            Self::Margin { margin, .. } if !margin.is_finite() => {
                return Err(DecideError::Margin { margin });
            }
            Self::Margin { candidate, .. } => (candidate, candidate),
        };
        let largest = candidate.max(other);
        if largest < n_candidates {
            Ok(())
        } else {
            Err(DecideError::NoCandidate { candidate: largest, n_candidates })
        }
    }
}

/// A family of questions that cannot be asked, or values that do not fit it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecideError {
    /// There is nothing to decide.
    #[error("no question to decide: give two candidates, or a margin")]
    NoQuestion,
    /// A candidate against itself.
    #[error("candidate {candidate} is compared with itself")]
    Itself {
        /// Its position.
        candidate: usize,
    },
    /// A position outside the list.
    #[error("candidate {candidate} is asked about, but there are {n_candidates}, counted from 0")]
    NoCandidate {
        /// The position asked about.
        candidate: usize,
        /// Number of candidates.
        n_candidates: usize,
    },
    /// A margin that no mean can be on one side of.
    #[error("margin {margin} is not a finite number")]
    Margin {
        /// The margin.
        margin: f64,
    },
    /// An error that is no probability.
    #[error("familywise error {error} does not lie between 0 and 1")]
    Error {
        /// The error asked for.
        error: f64,
    },
    /// One value per candidate is needed.
    #[error("a window has {got} values for {want} candidates")]
    Values {
        /// Number of values.
        got: usize,
        /// Number of candidates.
        want: usize,
    },
    /// More windows than the text was said to have.
    #[error("a window came after all {n_windows} windows of the text")]
    Exhausted {
        /// Windows of the text.
        n_windows: u64,
    },
}

/// What all questions have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Family {
    /// Candidates, k.
    pub n_candidates: usize,
    /// Windows of the text, N.
    pub n_windows: u64,
    /// Probability that any answer or interval of the family is ever wrong, e.g. 0.05.
    pub error: f64,
}

/// One question as it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The question.
    pub question: Question,
    /// Answered, or open.
    pub standing: Standing,
    /// Mean so far of the difference, or of the candidate; `None` where there is none.
    pub mean: Option<f64>,
    /// Where that mean over the whole text lies. The level is that of all the family's intervals
    /// at all looks together, so it may be printed whenever one stops.
    pub interval: Option<Interval>,
}

/// Runs the sequences of a family of questions side by side.
///
/// Each question gets an equal share of the error (Bonferroni), so that intervals and answers
/// agree, and so that whatever follows from several answers, such as a ranking, is as safe as the
/// family. The promise and the assumption behind it are those of [`ConfidenceSequence`].
#[derive(Clone, Debug)]
pub struct Decider {
    family: Family,
    asked: Vec<(Question, ConfidenceSequence)>,
    n_read: u64,
}

impl Decider {
    /// Before the first window.
    pub fn new(questions: &[Question], family: Family) -> Result<Self, DecideError> {
        if questions.is_empty() {
            return Err(DecideError::NoQuestion);
        }
        if !(family.error > 0.0 && family.error < 1.0) {
            return Err(DecideError::Error { error: family.error });
        }
        let error = family.error / questions.len() as f64;
        let ask = |&question: &Question| {
            question.check(family.n_candidates)?;
            let (n_windows, tested) = (family.n_windows, question.tested());
            let design = SequenceDesign { n_windows, tested, error };
            Ok((question, ConfidenceSequence::new(design)))
        };
        let asked = questions.iter().map(ask).collect::<Result<_, _>>()?;
        Ok(Self { family, asked, n_read: 0 })
    }

    /// Adds the next window in random order: each candidate's mean over its tokens, `[k]`.
    pub fn observe(&mut self, values: &[f64]) -> Result<(), DecideError> {
        if values.len() != self.family.n_candidates {
            let (got, want) = (values.len(), self.family.n_candidates);
            return Err(DecideError::Values { got, want });
        }
        if self.n_read == self.family.n_windows {
            return Err(DecideError::Exhausted { n_windows: self.n_read });
        }
        self.n_read += 1;
        for (question, sequence) in &mut self.asked {
            sequence.observe(question.value(values));
        }
        Ok(())
    }

    /// Windows read.
    pub fn n_read(&self) -> u64 {
        self.n_read
    }

    /// Whether every question is answered, so that reading on would serve none of them.
    pub fn is_decided(&self) -> bool {
        self.asked.iter().all(|(_, sequence)| sequence.decided().is_some())
    }

    /// All questions in the order asked. Costs about a hundred passes over the windows read, so
    /// ask when it is to be shown and not at every window.
    pub fn answers(&self) -> Vec<Answer> {
        let level = 1.0 - self.family.error;
        let answer = |(question, sequence): &(Question, ConfidenceSequence)| Answer {
            question: *question,
            standing: sequence.standing(),
            mean: sequence.mean(),
            interval: sequence.interval().map(|interval| Interval { level, ..interval }),
        };
        self.asked.iter().map(answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::confidence_sequence::Side;
    use super::*;

    const FAMILY: Family = Family { n_candidates: 3, n_windows: 200, error: 0.05 };

    /// Means 1, 3 and 3 with a little spread; the last two differ from window to window only.
    fn window(i: u32) -> [f64; 3] {
        let wave = |step: u32| f64::from(i * step % 11) / 10.0 - 0.5;
        [1.0 + wave(3), 3.0 + wave(4), 3.0 + wave(5)]
    }

    fn after(questions: &[Question], n_read: u32) -> Decider {
        let mut decider = Decider::new(questions, FAMILY).unwrap();
        (0..n_read).for_each(|i| decider.observe(&window(i)).unwrap());
        decider
    }

    #[track_caller]
    fn check_refused(questions: &[Question], family: Family, want: &DecideError) {
        assert_eq!(Decider::new(questions, family).err().as_ref(), Some(want));
    }

    #[test]
    fn orders_are_asked_once_per_pair() {
        let pairs = [(1, 0), (2, 0), (2, 1)];
        let want = pairs.map(|(candidate, versus)| Question::Order { candidate, versus });
        assert_eq!(Question::all_orders(3), want);
        assert_eq!(Question::all_orders(1), []);
    }

    #[test]
    fn clear_orders_are_answered_and_close_ones_stay_open() {
        let decider = after(&Question::all_orders(3), 60);
        assert!(!decider.is_decided());
        let sides = decider.answers().into_iter().map(|answer| match answer.standing {
            Standing::Decided { side, .. } => Some(side),
            Standing::Open { .. } => None,
        });
        assert!(sides.eq([Some(Side::Higher), Some(Side::Higher), None]));
    }

    #[test]
    fn a_family_without_close_orders_is_decided() {
        let order = Question::Order { candidate: 0, versus: 1 };
        let margin = Question::Margin { candidate: 2, margin: 1.5 };
        let decider = after(&[order, margin], 60);
        assert!(decider.is_decided());
        let answers = decider.answers();
        assert!(matches!(answers[0].standing, Standing::Decided { side: Side::Lower, .. }));
        assert!(matches!(answers[1].standing, Standing::Decided { side: Side::Higher, .. }));
    }

    #[test]
    fn margin_intervals_are_in_the_units_of_the_metric() {
        let answer = after(&[Question::Margin { candidate: 2, margin: 1.5 }], 60).answers()[0];
        let Interval { lo, hi, level } = answer.interval.unwrap();
        assert!(2.5 < lo && lo < 3.0 && 3.0 < hi && hi < 3.5, "{lo} to {hi}");
        assert!((level - 0.95).abs() < 1e-15);
    }

    #[test]
    fn more_questions_make_wider_intervals() {
        let question = Question::Order { candidate: 2, versus: 1 };
        let width = |questions: &[Question]| {
            let interval = after(questions, 60).answers()[0].interval.unwrap();
            interval.hi - interval.lo
        };
        assert!(width(&[question; 6]) > width(&[question]));
    }

    #[test]
    fn impossible_families_are_refused() {
        let orders = Question::all_orders(3);
        check_refused(&[], FAMILY, &DecideError::NoQuestion);
        for error in [0.0, 1.0, -0.1] {
            check_refused(&orders, Family { error, ..FAMILY }, &DecideError::Error { error });
        }
        let itself = Question::Order { candidate: 1, versus: 1 };
        check_refused(&[itself], FAMILY, &DecideError::Itself { candidate: 1 });
        let outside = DecideError::NoCandidate { candidate: 3, n_candidates: 3 };
        check_refused(&[Question::Order { candidate: 0, versus: 3 }], FAMILY, &outside);
        check_refused(&[Question::Margin { candidate: 3, margin: 0.1 }], FAMILY, &outside);
        let margin = f64::INFINITY;
        let unbounded = Question::Margin { candidate: 0, margin };
        check_refused(&[unbounded], FAMILY, &DecideError::Margin { margin });
    }

    #[test]
    fn windows_that_do_not_fit_are_refused_and_change_nothing() {
        let family = Family { n_windows: 1, ..FAMILY };
        let mut decider = Decider::new(&Question::all_orders(3), family).unwrap();
        let short = decider.observe(&[1.0, 2.0]);
        assert_eq!(short, Err(DecideError::Values { got: 2, want: 3 }));
        assert_eq!(decider.n_read(), 0);
        decider.observe(&[1.0, 2.0, 3.0]).unwrap();
        let second = decider.observe(&[1.0, 2.0, 3.0]);
        assert_eq!(second, Err(DecideError::Exhausted { n_windows: 1 }));
        assert!(decider.is_decided());
    }
}
