//! `--threads N`: the bounds of the engine's thread pool.

use clap::builder::RangedI64ValueParser;
use clap::value_parser;

/// Accepts as many threads as the engine can start.
pub(super) fn threads() -> RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..=512)
}
