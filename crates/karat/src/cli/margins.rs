//! From where on a loss matters to the answers, as arguments of several verbs.

use clap::Args;

use crate::record::Margins;

/// Of tasks.
#[derive(Clone, Copy, Debug, Args)]
pub struct TaskMarginArgs {
    /// Losses of fewer points of pass rate do not matter to the answers [default: 5, in a report what
    /// the run declared].
    #[arg(long, value_name = "POINTS", value_parser = points, allow_negative_numbers = true, help_heading = "How to report")]
    pub margin_tasks: Option<f64>,
}

/// Of texts.
#[derive(Clone, Copy, Debug, Args)]
pub struct TextMarginArgs {
    /// Losses of less than this much ln perplexity do not matter to the answers; 0.01 is about one per
    /// cent [default: 0.01, in a report what the run declared].
    #[arg(long, value_name = "NATS", value_parser = nats, allow_negative_numbers = true, help_heading = "How to report")]
    pub margin_ppl: Option<f64>,

    /// Losses of less than this much mean KLD do not matter to the answers [default: 0.01, in a report
    /// what the run declared].
    #[arg(long, value_name = "NATS", value_parser = nats, allow_negative_numbers = true, help_heading = "How to report")]
    pub margin_kld: Option<f64>,
}

impl TaskMarginArgs {
    /// `margins` with what was given in their place.
    pub fn put(self, margins: Margins) -> Margins {
        let given = self.margin_tasks.map(|points| points / 100.0);
        Margins { pass_rate: given.unwrap_or(margins.pass_rate), ..margins }
    }
}

impl TextMarginArgs {
    /// `margins` with what was given in their place.
    pub fn put(self, margins: Margins) -> Margins {
        Margins {
            ln_ppl: self.margin_ppl.unwrap_or(margins.ln_ppl),
            kld: self.margin_kld.unwrap_or(margins.kld),
            ..margins
        }
    }
}

fn points(given: &str) -> Result<f64, String> {
    let points = given.parse().ok().filter(|points| *points > 0.0 && *points < 100.0);
    points.ok_or_else(|| "give points between 0 and 100, e.g. 5".to_owned())
}

fn nats(given: &str) -> Result<f64, String> {
    let nats = given.parse().ok().filter(|nats: &f64| *nats > 0.0 && nats.is_finite());
    nats.ok_or_else(|| "give nats above 0, e.g. 0.01".to_owned())
}
