//! One measured comparison of a pair, in the form in which all of them can be judged together.
//! Owns the form; the figures come from `passes` and `texts`.

use crate::stats::{Design, Interval, pairs_needed, pairs_to_exclude, units_needed};

/// What was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Passed tasks.
    Passes(Passed),
    /// Perplexity: needs no yardstick.
    Perplexity,
    /// Distance from the original.
    Divergence,
}

/// How many of the tasks that both were asked each build passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) candidate: u64,
    pub(super) versus: u64,
    /// Whether the other build surely passes more than the margin, so that a loss of it could show.
    pub(super) has_room: bool,
}

/// What it would take to decide is worked out from this.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Noise {
    /// The share of tasks that one build alone passes.
    Discordance(f64),
    /// Standard error of the gain.
    Error(f64),
    /// There is no interval, so nothing is judged.
    Unknown(Unjudged),
}

/// Why a figure has no interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unjudged {
    /// The windows themselves decided when to stop, and the figure was not what they were asked about.
    StoppedEarly,
    /// One window says nothing about the spread of windows.
    OneWindow,
    /// Whatever else the rows do not tell.
    NoInterval,
}

/// A comparison of a candidate with another build: positive gains are the candidate's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measurement<'a> {
    pub(super) kind: Kind,
    /// Text, or all tasks.
    pub(super) scope: &'a str,
    /// How much better the candidate is, in the figure's own unit.
    pub(super) gain: f64,
    pub(super) interval: Option<Interval>,
    /// Two-sided p value of no difference.
    pub(super) p_differs: f64,
    /// One-sided p value of being worse by the margin or more.
    pub(super) p_not_worse: f64,
    pub(super) margin: f64,
    pub(super) noise: Noise,
    /// Tasks or windows.
    pub(super) n: u64,
    /// Rows that it rests on.
    pub(super) rows: Vec<usize>,
}

impl Measurement<'_> {
    /// Why it is not judged; `None` where it is.
    pub(super) fn unjudged(&self) -> Option<Unjudged> {
        match self.noise {
            Noise::Unknown(why) => Some(why),
            Noise::Discordance(_) | Noise::Error(_) => None,
        }
    }

    /// The smallest two-sided p value of anything that may be claimed of it. Not being worse, and being
    /// better, are nested: whoever claims the second has claimed the first, so they share one error.
    pub(super) fn p_value(&self) -> f64 {
        self.p_differs.min((2.0 * self.p_not_worse).min(1.0))
    }

    /// Whether the other build passes enough to be worse than it by the margin.
    fn may_lose(&self) -> bool {
        match self.kind {
            Kind::Passes(passed) => passed.versus as f64 > self.margin * self.n as f64,
            Kind::Perplexity | Kind::Divergence => true,
        }
    }

    /// The size at which either a difference as large as the one seen or its absence beyond the margin
    /// would be shown, whichever comes first; `None` where that is beyond anyone, or where size is not
    /// what is lacking.
    pub(super) fn needed_n(&self, alpha: f64) -> Option<u64> {
        let design = Design::usual(alpha);
        // What lies between the gain seen and a loss of the margin, where there is anything.
        let room = Some(self.margin + self.gain).filter(|room| *room > 0.0 && self.may_lose());
        let sizes = match self.noise {
            Noise::Discordance(share) => {
                let likely = share.max(self.gain.abs());
                let within =
                    room.and_then(|room| pairs_to_exclude(room, self.gain, likely, design));
                [pairs_needed(self.gain, likely, design), within]
            }
            Noise::Unknown(_) => return None,
            Noise::Error(error) => {
                let needed = |distance: f64| units_needed(self.n, error, distance, design);
                [needed(self.gain), room.and_then(needed)]
            }
        };
        sizes.into_iter().flatten().min().filter(|needed| *needed > self.n)
    }
}
