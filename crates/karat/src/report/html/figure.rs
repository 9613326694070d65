//! One plot with everything around it: heading, how to read it, panels, its figures as a table.
//! Owns that frame; what is in it is each plot's.

use maud::{Markup, html};

use super::table::{self, Captions};
use crate::report::page::Table;
use crate::visible::visible;

/// A plot: one panel or several small ones that share their axes.
pub(super) struct Figure {
    /// Anchor and prefix of every id inside.
    pub(super) id: &'static str,
    /// What it shows, in a few words.
    pub(super) heading: &'static str,
    /// How to read it.
    pub(super) lede: String,
    /// What the drawings' tints stand for, where they do not say it themselves.
    pub(super) legend: Option<Markup>,
    /// The drawings.
    pub(super) panels: Vec<Panel>,
    /// What could not be drawn, and why.
    pub(super) notes: Vec<String>,
    /// Every figure of the drawings.
    pub(super) table: Table,
}

/// One drawing.
pub(super) struct Panel {
    /// What sets it apart from the other panels.
    pub(super) title: String,
    /// The drawing itself.
    pub(super) svg: Markup,
}

impl Figure {
    pub(super) fn markup(&self) -> Markup {
        let panels = match self.panels.len() {
            1 => "panels one",
            2 | 4 => "panels two",
            _ => "panels",
        };
        html! {
            section id=(self.id) aria-labelledby={ (self.id) "-h" } {
                h2 id={ (self.id) "-h" } { (self.heading) }
                p.lede { (visible(&self.lede)) }
                @if let Some(legend) = &self.legend { (legend) }
                div class=(panels) {
                    @for panel in &self.panels {
                        figure {
                            figcaption { (visible(&panel.title)) }
                            (panel.svg)
                        }
                    }
                }
                @for note in &self.notes {
                    p.note { (visible(note)) }
                }
                details {
                    summary { "The figures as a table" }
                    (table::markup(&self.table, Captions::Own(&[self.heading.to_owned()])))
                }
            }
        }
    }
}
