//! The drawing area and the `<svg>` element around it.
//! Owns the coordinates; draws nothing itself.

use maud::{Markup, html};

use crate::visible::visible;

/// Width of every panel, in its own units; a phone shows it about one to one.
pub(in super::super) const WIDTH: f64 = 420.0;
/// Height of a line of text.
pub(in super::super) const LINE: f64 = 15.0;

/// The part of a drawing inside the axes, from the top left corner.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Frame {
    pub(in super::super) left: f64,
    pub(in super::super) right: f64,
    pub(in super::super) top: f64,
    pub(in super::super) bottom: f64,
}

impl Frame {
    /// The horizontal place of a share of the width.
    pub(in super::super) fn x(self, share: f64) -> f64 {
        self.left + share * (self.right - self.left)
    }

    /// The vertical place of a share of the height, 0 at the bottom.
    pub(in super::super) fn y(self, share: f64) -> f64 {
        self.bottom - share * (self.bottom - self.top)
    }
}

/// A coordinate as it is written: a tenth of a unit is finer than any screen.
pub(in super::super) fn px(value: f64) -> String {
    format!("{:.1}", if value.is_finite() { value } else { 0.0 })
}

/// The whole drawing. `title` and `description` are what a screen reader says of it.
pub(in super::super) fn svg(
    id: &str,
    height: f64,
    (title, description): (&str, &str),
    content: &Markup,
) -> Markup {
    html! {
        svg id=(id) viewBox={ "0 0 " (px(WIDTH)) " " (px(height)) } role="group"
            aria-labelledby={ (id) "-t " (id) "-d" } {
            title id={ (id) "-t" } { (visible(title)) }
            desc id={ (id) "-d" } { (visible(description)) }
            (content)
        }
    }
}
