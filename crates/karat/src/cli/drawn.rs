//! Values with which tokens are drawn, as people type them.

use clap::{Args, value_parser};

use crate::generation::SamplingValues;

/// Values to draw tokens with. Those left out are no part of the draw, or the server's own.
#[derive(Clone, Debug, Args)]
pub struct DrawnArgs {
    /// Draw tokens at this temperature.
    #[arg(
        long,
        value_name = "T",
        value_parser = temperature,
        allow_negative_numbers = true,
        conflicts_with = "sampling",
        help_heading = "How to ask"
    )]
    pub temperature: Option<f32>,

    /// Draw from the so many likeliest tokens.
    #[arg(
        long,
        value_name = "N",
        value_parser = value_parser!(u32).range(1..=1_000_000),
        allow_negative_numbers = true,
        conflicts_with = "sampling",
        help_heading = "How to ask"
    )]
    pub top_k: Option<u32>,

    /// Draw from the likeliest tokens that together have this probability.
    #[arg(
        long,
        value_name = "P",
        value_parser = share,
        allow_negative_numbers = true,
        conflicts_with = "sampling",
        help_heading = "How to ask"
    )]
    pub top_p: Option<f32>,

    /// Draw from tokens that have at least this share of the likeliest one's probability.
    #[arg(
        long,
        value_name = "P",
        value_parser = share,
        allow_negative_numbers = true,
        conflicts_with = "sampling",
        help_heading = "How to ask"
    )]
    pub min_p: Option<f32>,
}

impl DrawnArgs {
    /// The values; none where none was given.
    pub(super) fn values(&self) -> Option<SamplingValues> {
        let Self { temperature, top_k, top_p, min_p } = *self;
        let values = SamplingValues { temperature, top_k, top_p, min_p };
        (values != SamplingValues::default()).then_some(values)
    }
}

fn temperature(text: &str) -> Result<f32, String> {
    let given = text.parse().ok().filter(|value: &f32| value.is_finite() && *value > 0.0);
    given.ok_or_else(|| {
        "give a temperature above 0, e.g. 0.7; at 0 it is --sampling greedy".to_owned()
    })
}

fn share(text: &str) -> Result<f32, String> {
    let given = text.parse().ok().filter(|value: &f32| (0.0..=1.0).contains(value));
    given.ok_or_else(|| "give a share between 0 and 1, e.g. 0.95".to_owned())
}
