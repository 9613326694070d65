//! Rows of the tidy table that behaviour makes. Owns their instrument, scope names and settings.

use std::collections::BTreeMap;

use crate::record::{Estimate, Instrument, Unit};
use crate::stats::Summary;

/// Every task of the suite.
pub(super) const ALL: &str = "all";

/// What a run of rows has in common.
#[derive(Clone)]
pub(super) struct Line<'a> {
    pub(super) candidate: &'a str,
    pub(super) versus: Option<&'a str>,
    pub(super) scope: &'a str,
    pub(super) setting: BTreeMap<String, String>,
}

impl Line<'_> {
    /// The same with a further setting.
    pub(super) fn with(&self, name: &str, value: &str) -> Self {
        let mut line = self.clone();
        line.setting.insert(name.to_owned(), value.to_owned());
        line
    }

    pub(super) fn row(&self, metric: &str, unit: Unit, summary: Summary, n: usize) -> Estimate {
        Estimate {
            instrument: Instrument::Behaviour,
            metric: metric.to_owned(),
            candidate: self.candidate.to_owned(),
            reference: None,
            versus: self.versus.map(str::to_owned),
            scope: self.scope.to_owned(),
            setting: self.setting.clone(),
            value: Some(summary.value),
            lo: summary.interval.map(|interval| interval.lo),
            hi: summary.interval.map(|interval| interval.hi),
            level: summary.interval.map(|interval| interval.level),
            n: n as u64,
            unit,
        }
    }

    /// A row without an interval.
    pub(super) fn bare(&self, metric: &str, unit: Unit, value: f64, n: usize) -> Estimate {
        self.row(metric, unit, Summary { value, interval: None }, n)
    }
}

/// A part of a suite: all of it, a family, or a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    Family(String),
    Language(String),
}

impl Part {
    pub(super) fn scope(&self) -> String {
        match self {
            Self::All => ALL.to_owned(),
            Self::Family(family) => family.clone(),
            Self::Language(language) => format!("language:{language}"),
        }
    }

    pub(super) fn has(&self, attempt: &crate::task::Attempt) -> bool {
        match self {
            Self::All => true,
            Self::Family(family) => attempt.family == *family,
            Self::Language(language) => attempt.language == *language,
        }
    }
}
