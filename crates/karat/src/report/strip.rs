//! Dots with whiskers on a shared logarithmic axis, one line each.
//! Owns the drawing in characters; never colours it.

/// Width of every strip and of its axis, in characters.
pub(super) const WIDTH: usize = 34;

/// A value with the ends of its interval; all three may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whisker {
    pub(super) value: Option<f64>,
    pub(super) lo: Option<f64>,
    pub(super) hi: Option<f64>,
}

/// A logarithmic axis that begins and ends at 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    ln_first: f64,
    ln_last: f64,
}

impl Axis {
    /// The axis that holds all positive values with their intervals; none where fewer than two are
    /// positive, because one dot on a scale of its own says nothing.
    pub(super) fn spanning(whiskers: &[Whisker]) -> Option<Self> {
        let is_positive = |value: &f64| *value > 0.0 && value.is_finite();
        let n_dots = whiskers.iter().filter_map(|w| w.value).filter(is_positive).count();
        let ends = whiskers.iter().flat_map(|w| [w.value, w.lo, w.hi]).flatten();
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for end in ends.filter(is_positive) {
            least = least.min(end);
            most = most.max(end);
        }
        if n_dots < 2 {
            return None;
        }
        let first = ticks_around(least).rev().find(|tick| *tick <= least)?;
        let last = ticks_around(most).find(|tick| *tick >= most && *tick > first)?;
        Some(Self { ln_first: first.ln(), ln_last: last.ln() })
    }

    /// Tick labels at their places, [`WIDTH`] characters; a label that would touch another is left
    /// out, but never the two ends.
    pub(super) fn labels(self) -> String {
        let mut line = vec![' '; WIDTH];
        let last = label(self.ln_last.exp());
        write_at(&mut line, WIDTH - last.chars().count().min(WIDTH), &last);
        let mut tick = self.ln_first.exp();
        while tick.ln() < self.ln_last - 1e-9 {
            let text = label(tick);
            let len = text.chars().count();
            let column = self.column(tick);
            // Centred on its tick, except at the left end.
            let from = column.saturating_sub(len / 2);
            let taken = from.saturating_sub(1)..(from + len + 1);
            if taken.end <= WIDTH && line[taken].iter().all(|c| *c == ' ') {
                write_at(&mut line, from, &text);
            }
            tick = next_tick(tick);
        }
        line.into_iter().collect()
    }

    /// The strip of one value: [`WIDTH`] characters.
    pub(super) fn draw(self, whisker: Whisker) -> String {
        let mut line = vec![' '; WIDTH];
        match whisker.value {
            Some(value) if value > 0.0 && value.is_finite() => {
                let dot = self.column(value);
                // An interval that reaches zero or below leaves the axis on the left.
                let from = whisker.lo.map_or(dot, |lo| if lo > 0.0 { self.column(lo) } else { 0 });
                let to = whisker.hi.map_or(dot, |hi| self.column(hi));
                line[from.min(dot)..=to.max(dot)].fill('─');
                if from < dot {
                    line[from] = if whisker.lo.is_some_and(|lo| lo > 0.0) { '├' } else { '╶' };
                }
                if to > dot {
                    line[to] = '┤';
                }
                line[dot] = '●';
            }
            Some(0.0) => write_at(&mut line, 0, "0"),
            _ => write_at(&mut line, 0, "—"),
        }
        line.into_iter().collect()
    }

    fn column(self, value: f64) -> usize {
        let share = (value.ln() - self.ln_first) / (self.ln_last - self.ln_first);
        (share.clamp(0.0, 1.0) * (WIDTH - 1) as f64).round() as usize
    }
}

/// Heights of [`spark`], each an eighth of a line more than the one before.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One bar per value, from zero to the largest of them; a dot where there is no value.
pub(super) fn spark(values: &[Option<f64>]) -> String {
    let known = values.iter().flatten().copied().filter(|value| value.is_finite());
    let most = known.fold(0.0, f64::max);
    let bar = |value: &Option<f64>| match value.filter(|value| value.is_finite()) {
        None => '·',
        Some(value) if most > 0.0 => {
            let eighths = (value / most * HEIGHTS.len() as f64).ceil().max(1.0) as usize;
            HEIGHTS[eighths.min(HEIGHTS.len()) - 1]
        }
        Some(_) => HEIGHTS[0],
    };
    // A few bars are two columns wide each: one is too narrow to be seen.
    let width = if values.len() <= HEIGHTS.len() { 2 } else { 1 };
    values.iter().map(bar).flat_map(|bar| std::iter::repeat_n(bar, width)).collect()
}

fn write_at(line: &mut [char], from: usize, text: &str) {
    for (place, c) in line[from..].iter_mut().zip(text.chars()) {
        *place = c;
    }
}

/// `0.5`, `20`: a tick has one significant digit.
fn label(tick: f64) -> String {
    let decimals = (-tick.log10() - 1e-9).ceil().max(0.0) as usize;
    format!("{tick:.decimals$}")
}

/// 1, 2 and 5 times the powers of ten around `value`, ascending.
fn ticks_around(value: f64) -> impl DoubleEndedIterator<Item = f64> {
    let decade = value.log10().floor() as i32;
    (decade - 1..=decade + 1)
        .flat_map(|exponent| [1.0, 2.0, 5.0].map(|lead| lead * 10_f64.powi(exponent)))
}

/// The tick after `tick`, which must be one itself.
fn next_tick(tick: f64) -> f64 {
    let next = ticks_around(tick * 1.5).find(|next| *next > tick * 1.01);
    next.expect("the ticks around a value reach beyond it")
}

#[cfg(test)]
mod tests {
    use super::{Axis, WIDTH, Whisker, spark};

    fn whisker(value: f64, lo: f64, hi: f64) -> Whisker {
        Whisker { value: Some(value), lo: Some(lo), hi: Some(hi) }
    }

    #[track_caller]
    fn check(whiskers: &[Whisker], labels: &str, strips: &[&str]) {
        let axis = Axis::spanning(whiskers).unwrap();
        assert_eq!(axis.labels().trim_end(), labels);
        assert_eq!(axis.labels().chars().count(), WIDTH);
        for (whisker, strip) in whiskers.iter().zip(strips) {
            let drawn = axis.draw(*whisker);
            assert_eq!(drawn.trim_end(), *strip);
            assert_eq!(drawn.chars().count(), WIDTH);
        }
    }

    #[test]
    fn a_decade_and_its_middle_lie_where_a_logarithm_puts_them() {
        let middle = whisker(10_f64.sqrt(), 2.0, 5.0);
        let whiskers = [whisker(1.0, 1.0, 1.0), middle, whisker(10.0, 10.0, 10.0)];
        let labels = "1         2            5        10";
        let middle = "          ├──────●─────┤";
        check(&whiskers, labels, &["●", middle, "                                 ●"]);
    }

    #[test]
    fn what_has_no_place_on_a_logarithmic_axis_is_written_out() {
        let none = Whisker { value: None, lo: None, hi: None };
        let whiskers =
            [whisker(1.0, 1.0, 1.0), whisker(2.0, 2.0, 2.0), whisker(0.0, 0.0, 0.0), none];
        let last = "                                 ●";
        check(&whiskers, "1                                2", &["●", last, "0", "—"]);
    }

    #[test]
    fn an_interval_that_reaches_zero_leaves_the_axis() {
        let whiskers = [whisker(1.0, 1.0, 1.0), whisker(2.0, -1.0, 10.0)];
        let strip = "╶─────────●──────────────────────┤";
        check(&whiskers, "1         2            5        10", &["●", strip]);
    }

    #[test]
    fn hostile_intervals_are_drawn_without_harm() {
        let whiskers = [whisker(1.0, f64::NAN, 0.5), whisker(3.0, 5.0, 4.0)];
        let axis = Axis::spanning(&whiskers).unwrap();
        assert!(whiskers.iter().all(|whisker| axis.draw(*whisker).chars().count() == WIDTH));
    }

    #[test]
    fn bars_stand_on_zero_and_reach_the_largest_value() {
        assert_eq!(spark(&[Some(8.0), Some(4.0), Some(1.0)]), "██▄▄▁▁");
        assert_eq!(spark(&[Some(0.0), None, Some(2.0)]), "▁▁··██");
        assert_eq!(spark(&[Some(0.0), Some(-1e-9)]), "▁▁▁▁");
        assert_eq!(spark(&[Some(f64::INFINITY), Some(f64::NAN), Some(1.0)]), "····██");
        assert_eq!(spark(&[]), "");
        assert_eq!(spark(&[Some(1.0); 9]), "█████████");
    }

    #[test]
    fn one_dot_gets_no_axis() {
        assert!(Axis::spanning(&[whisker(1.0, 0.5, 2.0), whisker(0.0, 0.0, 0.0)]).is_none());
        assert!(Axis::spanning(&[]).is_none());
    }
}
