//! The plots of a report: one file each.
//! Owns the list; a plot whose rows a run does not have is left out.

mod budget;
mod distribution;
mod memory;
mod passed;
mod position;
mod size;
mod speed;

use super::figure::Figure;
use super::view::View;

/// Makes a plot, or none where there is nothing to draw.
type Plot = fn(&View<'_>) -> Option<Figure>;

/// All plots, in the order of the page.
const PLOTS: [Plot; 7] = [
    size::figure,
    distribution::figure,
    position::figure,
    speed::figure,
    memory::figure,
    passed::figure,
    budget::figure,
];

/// The plots that this run has rows for.
pub(super) fn figures(view: &View<'_>) -> Vec<Figure> {
    PLOTS.iter().filter_map(|plot| plot(view)).collect()
}
