//! What is read off one answer: rates and times. Owns which clock a rate runs by. Pure.

use std::collections::BTreeMap;

use crate::generation::Generation;
use crate::plan::{ControlPlan, ControlSample};
use crate::record::Unit;

use super::super::rows::RowMaker;
use super::super::series::Series;

/// By which clock tokens are generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// The server's own time for writing the answer.
    Server,
    /// From the first piece of the answer to the last.
    Pieces,
}

impl Clock {
    /// The server's, where every answer tells it: rates by different clocks are no comparison.
    pub(super) fn of<'a>(mut answers: impl Iterator<Item = &'a Generation>) -> Self {
        let all = answers.all(|answer| answer.timings.server_decode_s.is_some());
        if all { Self::Server } else { Self::Pieces }
    }

    /// The word in the rows' setting.
    fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Pieces => "pieces",
        }
    }
}

/// Something that is read off an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// Tokens of the answer, thinking included, per second of writing it.
    TgRate(Clock),
    /// Tokens of the prompt per second, by the server's own clock.
    PpRate,
    /// Seconds from the request to the first piece of any kind.
    Ttft,
    /// Seconds from the request to the first visible piece.
    Ttfo,
    /// Seconds from the request to the end.
    ResponseSeconds,
}

impl Figure {
    /// The maker of its rows, and its values block by block.
    pub(super) fn series<'p>(
        self,
        plan: &'p ControlPlan,
        samples: &[BTreeMap<u32, ControlSample>],
    ) -> (RowMaker<'p>, Series) {
        let (metric, unit, clock) = match self {
            Self::TgRate(clock) => ("tg_rate", Unit::TokensPerSecond, clock.word()),
            Self::PpRate => ("pp_rate", Unit::TokensPerSecond, "server"),
            Self::Ttft => ("ttft", Unit::Seconds, "client"),
            Self::Ttfo => ("ttfo", Unit::Seconds, "client"),
            Self::ResponseSeconds => ("response_seconds", Unit::Seconds, "client"),
        };
        let mut setting = plan.setting();
        setting.insert("clock".to_owned(), clock.to_owned());
        let scope = plan.prompt.name.clone();
        let logs = |samples: &BTreeMap<u32, ControlSample>| -> BTreeMap<u32, f64> {
            let log = |(block, sample): (&u32, &ControlSample)| {
                Some((*block, self.of(&sample.answer)?.ln()))
            };
            samples.iter().filter_map(log).collect()
        };
        let rows = RowMaker { models: &plan.models, metric, unit, scope, setting };
        (rows, Series(samples.iter().map(logs).collect()))
    }

    /// Of one answer; `None` where it cannot be told, and never 0.
    fn of(self, answer: &Generation) -> Option<f64> {
        let (timings, tokens) = (&answer.timings, &answer.tokens);
        let value = match self {
            Self::TgRate(Clock::Server) => tokens.total? as f64 / timings.server_decode_s?,
            // The first piece says when the first token was there: the others took the time.
            Self::TgRate(Clock::Pieces) => {
                let (first, last) = (answer.deltas.first()?, answer.deltas.last()?);
                tokens.total?.checked_sub(1)? as f64 / (last.at_s - first.at_s)
            }
            Self::PpRate => tokens.prompt? as f64 / timings.server_prompt_s?,
            Self::Ttft => timings.ttft_s?,
            Self::Ttfo => timings.ttfo_s?,
            Self::ResponseSeconds => timings.total_s,
        };
        (value.is_finite() && value > 0.0).then_some(value)
    }
}
