//! One colour per build, the same in every plot.
//! Owns who gets which class; the colours themselves, for light and dark, are in `style.css`.

use crate::report::rows::Rows;

/// Colours there are. A build beyond them shares one: every mark carries its name as well.
const COLORS: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
/// What references are drawn in.
const REFERENCE: &str = "ref";

/// Classes by name.
pub(super) struct Palette<'a> {
    candidates: Vec<&'a str>,
}

impl<'a> Palette<'a> {
    pub(super) fn new(rows: Rows<'a>) -> Self {
        Self { candidates: rows.candidates() }
    }

    /// The style class that gives a build its colour.
    pub(super) fn class(&self, build: &str) -> &'static str {
        let place = self.candidates.iter().position(|candidate| *candidate == build);
        place.map_or(REFERENCE, |place| COLORS[place % COLORS.len()])
    }
}

#[cfg(test)]
mod tests {
    //! The colours in `style.css`, judged by published formulas.

    /// Linear RGB as people without one kind of cone see it, severity 1.0. Source: Machado, Oliveira &
    /// Fernandes, A Physiologically-based Model for Simulation of Color Vision Deficiency (2009), table 1.
    const DEFICIENCIES: [(&str, [[f64; 3]; 3]); 4] = [
        ("none", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ),
    ];

    /// The value of `--name` in the first or second block that sets it: light or dark.
    #[track_caller]
    fn color(name: &str, theme: usize) -> [f64; 3] {
        let css = include_str!("style.css");
        let mark = format!("--{name}: #");
        let hex = css.split(&mark).nth(theme + 1).unwrap_or_else(|| panic!("no {mark}")).get(..6);
        let channel = |from: usize| {
            let byte = u8::from_str_radix(&hex.unwrap()[from..from + 2], 16).unwrap();
            let share = f64::from(byte) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        [channel(0), channel(2), channel(4)]
    }

    /// WCAG 2.2, relative luminance.
    fn luminance([r, g, b]: [f64; 3]) -> f64 {
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// WCAG 2.2, contrast ratio.
    fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        if one > other { one / other } else { other / one }
    }

    /// CIE L*a*b*, white D65.
    fn lab(rgb: [f64; 3]) -> [f64; 3] {
        let [red, green, blue] = rgb.map(|channel| channel.clamp(0.0, 1.0));
        let f =
            |t: f64| if t > 216.0 / 24_389.0 { t.cbrt() } else { (841.0 / 108.0) * t + 4.0 / 29.0 };
        let x = f((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.950_47);
        let y = f(0.2126 * red + 0.7152 * green + 0.0722 * blue);
        let z = f((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.088_83);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn distance(one: [f64; 3], other: [f64; 3]) -> f64 {
        std::iter::zip(lab(one), lab(other)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn colours_differ_for_every_kind_of_colour_vision() {
        for theme in [0, 1] {
            let colors = super::COLORS.map(|name| color(name, theme));
            for (vision, matrix) in DEFICIENCIES {
                let seen = colors.map(|rgb| {
                    matrix.map(|row| std::iter::zip(row, rgb).map(|(m, c)| m * c).sum::<f64>())
                });
                // The first five, which most comparisons need, stand farther apart.
                for (i, one) in seen.iter().enumerate() {
                    for (j, other) in seen.iter().enumerate().skip(i + 1) {
                        let distance = distance(*one, *other);
                        let needed = if j < 5 { 15.0 } else { 12.0 };
                        assert!(distance > needed, "{theme} {vision} c{i} c{j}: {distance:.1}");
                    }
                }
            }
        }
    }

    #[test]
    fn text_and_marks_stand_out_as_wcag_aa_asks() {
        for theme in [0, 1] {
            for ground in ["bg", "raised"] {
                let ground_color = color(ground, theme);
                for text in ["ink", "muted", "link", "good", "bad", "open"] {
                    let got = contrast(color(text, theme), ground_color);
                    assert!(got >= 4.5, "{theme} {text} on {ground}: {got:.2}");
                }
                for mark in super::COLORS.into_iter().chain(["ref"]) {
                    let got = contrast(color(mark, theme), ground_color);
                    assert!(got >= 3.0, "{theme} {mark} on {ground}: {got:.2}");
                }
            }
        }
    }
}
