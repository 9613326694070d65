//! Axes: light grid lines, labels, and what is measured in which unit.
//! Owns their look; the ticks are the scale's.

use maud::{Markup, html};

use super::frame::{Frame, WIDTH, px};
use super::scale::Scale;
use crate::visible::visible;

/// Width of a character of a label, at most.
const CHARACTER: f64 = 7.0;

/// The horizontal axis below the frame.
pub(in super::super) fn below(frame: Frame, scale: Scale, title: &str) -> Markup {
    html! {
        g.axis aria-hidden="true" {
            @for tick in scale.ticks() {
                @let x = px(frame.x(scale.place(tick.value)));
                line.grid x1=(x) x2=(x) y1=(px(frame.top)) y2=(px(frame.bottom)) {}
                @if !tick.label.is_empty() {
                    text x=(x) y=(px(frame.bottom + 16.0)) text-anchor=(anchor(frame.x(scale.place(tick.value)), &tick.label)) {
                        (tick.label)
                    }
                }
            }
            line.base x1=(px(frame.left)) x2=(px(frame.right)) y1=(px(frame.bottom)) y2=(px(frame.bottom)) {}
            text.title x=(px(frame.right)) y=(px(frame.bottom + 34.0)) text-anchor="end" {
                (visible(title))
            }
        }
    }
}

/// The vertical axis left of the frame; its title stands above it, where it reads without turning
/// one's head.
pub(in super::super) fn left(frame: Frame, scale: Scale, title: &str) -> Markup {
    html! {
        g.axis aria-hidden="true" {
            @for tick in scale.ticks() {
                @let y = frame.y(scale.place(tick.value));
                line.grid x1=(px(frame.left)) x2=(px(frame.right)) y1=(px(y)) y2=(px(y)) {}
                @if !tick.label.is_empty() {
                    text x=(px(frame.left - 7.0)) y=(px(y + 4.0)) text-anchor="end" { (tick.label) }
                }
            }
            text.title x="0" y="12" { (visible(title)) }
        }
    }
}

/// Centred on its tick, except where that would lead out of the drawing.
fn anchor(x: f64, label: &str) -> &'static str {
    let half = label.chars().count() as f64 * CHARACTER / 2.0;
    if x < half {
        "start"
    } else if x + half > WIDTH {
        "end"
    } else {
        "middle"
    }
}
