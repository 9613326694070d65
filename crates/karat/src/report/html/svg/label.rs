//! Labels beside points, so that no legend is needed: each where it covers nothing.
//! Owns the places; an estimate of the width of text is good enough for that.

use maud::{Markup, html};

use super::frame::{Frame, LINE, px};

/// Mean width of a character, in the drawing's units.
const CHARACTER: f64 = 6.6;
/// From the middle of a dot to its label.
const GAP: f64 = 10.0;
/// Shifts tried, nearest first, in lines.
const SHIFTS: [f64; 9] = [0.0, -0.9, 0.9, -1.8, 1.8, -2.7, 2.7, -3.6, 3.6];

/// A rectangle that is taken.
#[derive(Clone, Copy, Debug)]
struct Taken {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

/// Where labels and dots are already.
pub(in super::super) struct Labels {
    frame: Frame,
    taken: Vec<Taken>,
}

impl Labels {
    pub(in super::super) fn new(frame: Frame) -> Self {
        Self { frame, taken: Vec::new() }
    }

    /// Keeps labels off a dot and its upright whisker.
    pub(in super::super) fn keep_off(&mut self, x: f64, top: f64, bottom: f64) {
        self.taken.push(Taken {
            left: x - 7.0,
            right: x + 7.0,
            top: top - 6.0,
            bottom: bottom + 6.0,
        });
    }

    /// A label beside the point, on the side with room; farther off where that is taken, with a line
    /// that leads back.
    pub(in super::super) fn beside(&mut self, x: f64, y: f64, text: &str) -> Markup {
        let width = text.chars().count() as f64 * CHARACTER;
        let place = |is_right: bool, shift: f64| {
            let middle = y + shift * LINE;
            let left = if is_right { x + GAP } else { x - GAP - width };
            (is_right, Taken { left, right: left + width, top: middle - 6.5, bottom: middle + 6.5 })
        };
        let mut places =
            SHIFTS.iter().flat_map(|shift| [place(true, *shift), place(false, *shift)]);
        let (is_right, at) = places
            .find(|(_, at)| self.is_free(*at))
            .unwrap_or_else(|| place(x + GAP + width <= self.frame.right, 0.0));
        self.taken.push(at);
        let middle = f64::midpoint(at.top, at.bottom);
        let (anchor, text_x) = if is_right { ("start", at.left) } else { ("end", at.right) };
        html! {
            @if (middle - y).abs() > 1.0 {
                line.lead x1=(px(x)) y1=(px(y)) x2=(px(text_x)) y2=(px(middle)) {}
            }
            text.name x=(px(text_x)) y=(px(middle + 4.0)) text-anchor=(anchor) { (text) }
        }
    }

    fn is_free(&self, at: Taken) -> bool {
        // Names may stand over the axis labels' margin, but not leave the drawing.
        let is_inside = at.left >= self.frame.left
            && at.right <= self.frame.right + 4.0
            && at.top >= self.frame.top - 8.0
            && at.bottom <= self.frame.bottom;
        let is_apart = |other: &Taken| {
            at.right < other.left
                || other.right < at.left
                || at.bottom < other.top
                || other.bottom < at.top
        };
        is_inside && self.taken.iter().all(is_apart)
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Labels};

    const FRAME: Frame = Frame { left: 40.0, right: 400.0, top: 20.0, bottom: 200.0 };

    /// Where the label of a point at (x, 100) begins or ends, and its height, beside the dots given.
    #[track_caller]
    fn check(x: f64, dots: &[(f64, f64)], attributes: &str) {
        let mut labels = Labels::new(FRAME);
        labels.keep_off(x, 100.0, 100.0);
        for (x, y) in dots {
            labels.keep_off(*x, *y, *y);
        }
        let drawn = labels.beside(x, 100.0, "qat-Q4_0").into_string();
        assert!(drawn.contains(attributes), "{drawn}");
    }

    #[test]
    fn a_label_stands_on_the_side_that_has_room() {
        check(100.0, &[], "x=\"110.0\" y=\"104.0\" text-anchor=\"start\"");
        check(380.0, &[], "x=\"370.0\" y=\"104.0\" text-anchor=\"end\"");
        check(100.0, &[(130.0, 100.0)], "y=\"90.5\" text-anchor=\"start\"");
    }

    #[test]
    fn a_label_moved_away_is_led_back_to_its_dot() {
        check(100.0, &[(130.0, 100.0)], "class=\"lead\"");
    }

    #[test]
    fn where_everything_is_taken_it_is_still_written() {
        let everywhere: Vec<(f64, f64)> = (4..40)
            .flat_map(|x| (2..21).map(move |y| (f64::from(x) * 10.0, f64::from(y) * 10.0)))
            .collect();
        check(100.0, &everywhere, "text-anchor=\"start\"");
    }
}
