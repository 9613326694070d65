//! Names of lines, in a margin of their own right of the frame: in the order in which the lines end,
//! each led to from its line's end in the line's colour.
//! Owns that margin and the places in it.

use maud::{Markup, html};

use super::super::short_name::short_name;
use super::frame::{Frame, LINE, px};

/// Mean width of a character in a wide font, in the drawing's units.
const CHARACTER: f64 = 7.6;
/// Longest name written: a longer one would leave its line no room.
const MAX_NAME: usize = 16;
/// From the frame to where leaders may slant, to where swatches begin, and to where names begin.
const STRAIGHT: f64 = 6.0;
const SWATCH: f64 = 16.0;
const NAME: f64 = 30.0;
/// Length of a swatch: a piece of the line itself.
const SWATCH_LENGTH: f64 = 10.0;

/// A line's end, and what stands beside it.
pub(in super::super) struct Series<'a> {
    pub(in super::super) name: &'a str,
    /// The style class that gives it its colour.
    pub(in super::super) class: &'static str,
    /// Its last point.
    pub(in super::super) end: (f64, f64),
}

/// The width to keep free right of the frame for these names.
pub(in super::super) fn margin<'a>(names: impl IntoIterator<Item = &'a str>) -> f64 {
    let length = |name| short_name(name, MAX_NAME).chars().count();
    let longest = names.into_iter().map(length).max().unwrap_or_default();
    NAME + longest as f64 * CHARACTER + 4.0
}

/// The names of all lines of a drawing.
pub(in super::super) fn beside(frame: Frame, series: &[Series<'_>]) -> Markup {
    let mut series: Vec<&Series<'_>> = series.iter().collect();
    series.sort_by(|one, other| one.end.1.total_cmp(&other.end.1));
    let ends: Vec<f64> = series.iter().map(|series| series.end.1).collect();
    let places = spread(&ends, (frame.top, frame.bottom - LINE / 2.0));
    html! {
        @for (series, middle) in series.iter().zip(places) {
            @let (x, y) = series.end;
            // The name itself is in the colour of text: not every line's is dark enough to be read.
            g class={ "series " (series.class) } {
                path.leader d={
                    "M" (px(x)) " " (px(y)) "H" (px(frame.right + STRAIGHT))
                    "L" (px(frame.right + SWATCH)) " " (px(middle))
                } {}
                path.swatch d={
                    "M" (px(frame.right + SWATCH)) " " (px(middle)) "h" (px(SWATCH_LENGTH))
                } {}
                text.name x=(px(frame.right + NAME)) y=(px(middle + 4.0)) {
                    (short_name(series.name, MAX_NAME))
                }
            }
        }
    }
}

/// Places a line of text apart between `first` and `last`, as near to the ascending `wanted` ones as
/// that allows (least squares); closer together where there are too many for that.
fn spread(wanted: &[f64], (first, last): (f64, f64)) -> Vec<f64> {
    let n_gaps = wanted.len().saturating_sub(1) as f64;
    let step = LINE.min((last - first) / n_gaps.max(1.0));
    // Without the steps, places only have to ascend: names that would meet share the mean of theirs.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (i, wanted) in wanted.iter().enumerate() {
        let mut group = (wanted - i as f64 * step, 1);
        while let Some((mean, n)) = groups.pop_if(|(mean, _)| *mean > group.0) {
            let both = n + group.1;
            group = ((mean * n as f64 + group.0 * group.1 as f64) / both as f64, both);
        }
        groups.push(group);
    }
    let ascending = groups.into_iter().flat_map(|(mean, n)| std::iter::repeat_n(mean, n));
    ascending
        .enumerate()
        .map(|(i, place)| place.clamp(first, (last - n_gaps * step).max(first)) + i as f64 * step)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Frame, Series, beside, margin, spread};

    #[track_caller]
    fn check(wanted: &[f64], places: &[f64]) {
        let got = spread(wanted, (20.0, 200.0));
        assert_eq!(got.len(), places.len(), "{got:?}");
        for (got, place) in got.iter().zip(places) {
            assert!((got - place).abs() < 1e-9, "{got} is not {place}");
        }
    }

    #[test]
    fn names_stand_at_the_ends_of_their_lines_where_there_is_room() {
        check(&[50.0, 100.0, 150.0], &[50.0, 100.0, 150.0]);
        check(&[], &[]);
    }

    #[test]
    fn names_that_would_meet_move_apart_evenly() {
        check(&[100.0, 100.0], &[92.5, 107.5]);
        check(&[100.0, 105.0, 180.0], &[95.0, 110.0, 180.0]);
        check(&[100.0, 112.0, 113.0], &[93.333_333_333, 108.333_333_333, 123.333_333_333]);
    }

    #[test]
    fn names_stay_beside_the_frame() {
        check(&[20.0, 21.0], &[20.0, 35.0]);
        check(&[198.0, 199.0, 200.0], &[170.0, 185.0, 200.0]);
    }

    #[test]
    fn more_names_than_lines_of_text_are_closer_together() {
        let got = spread(&[100.0; 31], (20.0, 200.0));
        assert!((got[0] - 20.0).abs() < 1e-9 && (got[30] - 200.0).abs() < 1e-9, "{got:?}");
    }

    #[test]
    fn a_name_is_led_to_in_the_order_of_ends_and_in_the_colour_of_its_line() {
        let frame = Frame { left: 40.0, right: 300.0, top: 20.0, bottom: 200.0 };
        let upper = Series { name: "qat", class: "c1", end: (290.0, 60.0) };
        let lower = Series { name: "base", class: "c0", end: (290.0, 62.0) };
        let drawn = beside(frame, &[lower, upper]).into_string();
        let parts: Vec<&str> = drawn.split("<g class=\"series ").skip(1).collect();
        assert!(parts[0].starts_with("c1") && parts[0].contains(">qat<"), "{drawn}");
        assert!(parts[0].contains("M290.0 60.0H306.0L316.0 53.5"), "{drawn}");
        assert!(parts[1].starts_with("c0") && parts[1].contains(">base<"), "{drawn}");
    }

    #[test]
    fn the_margin_has_room_for_the_longest_name_that_is_written() {
        assert!(margin(["Q4_0"]) < margin(["Q4_0", "qat-Q4_0"]));
        assert!((margin(["q"; 1]) - margin(["q", "b"])).abs() < 1e-9);
        assert!((margin([&*"x".repeat(16)]) - margin([&*"x".repeat(90)])).abs() < 1e-9);
    }
}
