//! Marks: a value's dot with its interval, and what is said when it is pointed at or focused.
//! Owns their shapes; colours are the style sheet's.

use maud::{Markup, html};

use super::frame::px;
use crate::visible::visible;

/// Shape of a dot, for those who do not see its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Shape {
    Circle,
    Diamond,
    Square,
}

/// Radius of a dot.
pub(in super::super) const RADIUS: f64 = 5.0;
/// Half the length of the line that ends a whisker.
const CAP: f64 = 4.0;

/// A part of a drawing that has something to say: focusable, with `says` as its name and tooltip.
/// Only a drawing's first mark is a tab stop; the arrow keys lead to the others.
pub(in super::super) fn mark(
    class: &str,
    says: &[String],
    is_first: bool,
    content: &Markup,
) -> Markup {
    // Each line by itself: a line end in a name is a character to be seen, not a new line.
    let lines: Vec<String> = says.iter().map(|line| visible(line)).collect();
    html! {
        g class={ "mark " (class) } role="img" tabindex=(if is_first { "0" } else { "-1" })
            aria-label=(lines.join("\n")) {
            (content)
        }
    }
}

/// A dot around a point.
pub(in super::super) fn dot(shape: Shape, x: f64, y: f64) -> Markup {
    let r = RADIUS;
    html! {
        @match shape {
            Shape::Circle => circle.dot cx=(px(x)) cy=(px(y)) r=(px(r)) {},
            Shape::Diamond => {
                @let r = r * 1.35;
                path.dot d={
                    "M" (px(x)) " " (px(y - r)) "L" (px(x + r)) " " (px(y)) "L" (px(x)) " " (px(y + r))
                    "L" (px(x - r)) " " (px(y)) "Z"
                } {}
            }
            Shape::Square => rect.dot x=(px(x - r)) y=(px(y - r)) width=(px(2.0 * r)) height=(px(2.0 * r)) {},
        }
    }
}

/// An upright interval with caps.
pub(in super::super) fn upright_whisker(x: f64, lo: f64, hi: f64) -> Markup {
    html! {
        path.whisker d={
            "M" (px(x)) " " (px(lo)) "V" (px(hi))
            "M" (px(x - CAP)) " " (px(lo)) "h" (px(2.0 * CAP))
            "M" (px(x - CAP)) " " (px(hi)) "h" (px(2.0 * CAP))
        } {}
    }
}

/// A level interval with caps.
pub(in super::super) fn level_whisker(y: f64, lo: f64, hi: f64) -> Markup {
    html! {
        path.whisker d={
            "M" (px(lo)) " " (px(y)) "H" (px(hi))
            "M" (px(lo)) " " (px(y - CAP)) "v" (px(2.0 * CAP))
            "M" (px(hi)) " " (px(y - CAP)) "v" (px(2.0 * CAP))
        } {}
    }
}

/// An invisible area that makes a small mark easy to hit.
pub(in super::super) fn hit_area(x: f64, y: f64, width: f64, height: f64) -> Markup {
    html! { rect.hit x=(px(x)) y=(px(y)) width=(px(width)) height=(px(height)) {} }
}
