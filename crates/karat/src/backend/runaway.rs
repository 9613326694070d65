//! Whether a text has begun to go round in circles: the same stretch over and over, to its end. Pure;
//! it sees exact repetition only, so that tables and code, where something changes from line to line,
//! are none.

/// What counts as going round in circles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunawayLimits {
    /// Characters at the end of the text that repeat.
    pub n_chars: usize,
    /// Times that the stretch is there.
    pub n_cycles: usize,
    /// Longest stretch, in characters.
    pub longest_cycle: usize,
}

impl Default for RunawayLimits {
    /// Far beyond the rules and blank rows of tables: a ruler of dashes is 200 characters long, a
    /// table's row of zeros is there 20 times.
    fn default() -> Self {
        Self { n_chars: 2400, n_cycles: 6, longest_cycle: 2400 }
    }
}

/// A stretch that repeats to the end of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Characters of the stretch.
    pub n_chars: usize,
    /// Whole times that it is there.
    pub n_times: usize,
}

/// Watches a text while it is written.
#[derive(Clone, Debug)]
pub struct Runaway {
    limits: RunawayLimits,
    tail: Vec<char>,
    n_unchecked: usize,
}

impl Runaway {
    /// Begins with nothing.
    pub fn new(limits: RunawayLimits) -> Self {
        Self { limits, tail: Vec::new(), n_unchecked: 0 }
    }

    /// Takes the next piece; the cycle, once there is one. Looks once in a while, so a cycle is found
    /// up to an eighth of its limit late.
    pub fn observe(&mut self, text: &str) -> Option<Cycle> {
        let before = self.tail.len();
        self.tail.extend(text.chars());
        self.n_unchecked += self.tail.len() - before;
        let keep = self.limits.n_chars.max(self.limits.longest_cycle * self.limits.n_cycles);
        // Cut seldom: each cut moves what is kept.
        if self.tail.len() > 2 * keep {
            self.tail.drain(..self.tail.len() - keep);
        }
        if self.n_unchecked < (self.limits.n_chars / 8).max(1) {
            return None;
        }
        self.n_unchecked = 0;
        let from = self.tail.len().saturating_sub(keep);
        cycle(&self.tail[from..], self.limits)
    }
}

/// The shortest stretch that repeats to the end of `text` as far as `limits` want. Linear in the
/// text's length.
pub fn cycle(text: &[char], limits: RunawayLimits) -> Option<Cycle> {
    let backwards: Vec<char> = text.iter().rev().copied().collect();
    let agrees = agreement(&backwards);
    let longest = limits.longest_cycle.min(text.len() / limits.n_cycles.max(1));
    (1..=longest).find_map(|n_chars| {
        let repeated = n_chars + agrees.get(n_chars)?;
        let n_times = repeated / n_chars;
        (repeated >= limits.n_chars && n_times >= limits.n_cycles)
            .then_some(Cycle { n_chars, n_times })
    })
}

/// For each position, how many characters from there on are those of the beginning.
///
/// Source: the Z algorithm, Gusfield (1997), *Algorithms on Strings, Trees, and Sequences*.
fn agreement(text: &[char]) -> Vec<usize> {
    let mut agrees = vec![0; text.len()];
    let (mut left, mut right) = (0, 0);
    for at in 1..text.len() {
        let mut n = if at < right { agrees[at - left].min(right - at) } else { 0 };
        while at + n < text.len() && text[n] == text[at + n] {
            n += 1;
        }
        agrees[at] = n;
        if at + n > right {
            (left, right) = (at, at + n);
        }
    }
    agrees
}

#[cfg(test)]
#[path = "runaway_tests.rs"]
mod tests;
