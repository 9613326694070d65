//! Divides a streamed text at a model's marks: what is thinking, what the reader sees, what calls a
//! tool. Owns the marks that lie across two pieces of the stream; knows no model.

use crate::backend::{Mark, Markup};
use crate::generation::Channel;

/// What was found in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text between marks.
    Text(Channel, &'a str),
    /// A mark, and the channel that it ended.
    Mark(Channel, Mark),
    /// The end of thinking that never began: the prompt had begun it, so that everything before was
    /// thinking.
    StrayEnd,
}

/// Divides a stream. A thought that is not closed stays a thought, however the stream ends.
#[derive(Clone, Debug)]
pub struct ThinkingSplitter {
    marks: Vec<Mark>,
    channel: Channel,
    /// Whether it is known where thinking begins, if it does: its end alone is no sign of it then.
    knows_start: bool,
    /// The end of the stream so far that may be the beginning of a mark.
    held: String,
    /// White space is dropped until something else comes: models put it behind their marks.
    skips_space: bool,
    spans: Spans,
}

/// Which part of the bytes fed was thinking, marks included.
#[derive(Clone, Debug, Default)]
struct Spans {
    n_bytes: usize,
    /// Where each stretch ends, and whether it was thinking.
    ends: Vec<(usize, bool)>,
}

impl Spans {
    fn extend(&mut self, n_bytes: usize, is_thinking: bool) {
        self.n_bytes += n_bytes;
        match self.ends.last_mut() {
            Some((end, last)) if *last == is_thinking => *end = self.n_bytes,
            _ => self.ends.push((self.n_bytes, is_thinking)),
        }
    }
}

impl ThinkingSplitter {
    /// For a model with these marks. `start`: where its answer begins; `None` where the prompt is not
    /// known and may have begun a thought.
    pub fn new(markup: &Markup, start: Option<Channel>) -> Self {
        Self {
            marks: markup.marks.clone(),
            channel: start.unwrap_or(Channel::Visible),
            knows_start: start.is_some(),
            held: String::new(),
            skips_space: start == Some(Channel::Thinking),
            spans: Spans::default(),
        }
    }

    /// Where an answer begins after a prompt that ends with `tail`.
    pub fn channel_after(markup: &Markup, tail: &str) -> Channel {
        let mut splitter = Self::new(markup, Some(Channel::Visible));
        splitter.push(tail, &mut |_| ());
        splitter.channel
    }

    /// Takes the next piece of the stream and emits what is certain.
    pub fn push(&mut self, text: &str, emit: &mut dyn FnMut(Piece<'_>)) {
        self.held.push_str(text);
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_str();
        while let Some((at, mark)) = self.next_mark(rest) {
            self.text(&rest[..at], emit);
            self.cross(mark, emit);
            rest = &rest[at + mark.text.len()..];
        }
        let keep = self.possible_mark(rest);
        let (certain, kept) = rest.split_at(rest.len() - keep);
        self.text(certain, emit);
        kept.clone_into(&mut self.held);
    }

    /// Ends the stream: what looked like the beginning of a mark was none.
    pub fn finish(&mut self, emit: &mut dyn FnMut(Piece<'_>)) {
        let held = std::mem::take(&mut self.held);
        self.text(&held, emit);
    }

    /// Of the pieces that began at these bytes of the stream (ascending), how many were thinking. Marks
    /// count as such. Call after [`ThinkingSplitter::finish`].
    pub fn n_thinking(&self, starts: &[usize]) -> usize {
        let mut ends = self.spans.ends.iter().peekable();
        let mut n_thinking = 0;
        for &start in starts {
            while ends.next_if(|(end, _)| *end <= start).is_some() {}
            // Beyond the end lies a piece without text; it belongs to what came last.
            let stretch = ends.peek().copied().or(self.spans.ends.last());
            n_thinking += usize::from(stretch.is_some_and(|(_, is_thinking)| *is_thinking));
        }
        n_thinking
    }

    fn text(&mut self, text: &str, emit: &mut dyn FnMut(Piece<'_>)) {
        if text.is_empty() {
            return;
        }
        self.spans.extend(text.len(), self.channel == Channel::Thinking);
        let shown = if self.skips_space { text.trim_start() } else { text };
        if !shown.is_empty() {
            self.skips_space = false;
            emit(Piece::Text(self.channel, shown));
        }
    }

    fn cross(&mut self, mark: Mark, emit: &mut dyn FnMut(Piece<'_>)) {
        let from = self.channel;
        let touches_thinking = from == Channel::Thinking
            || mark.to == Channel::Thinking
            || (mark.ends_thinking() && !self.knows_start);
        self.spans.extend(mark.text.len(), touches_thinking);
        if touches_thinking {
            self.skips_space = true;
        }
        if mark.ends_thinking() && from == Channel::Visible {
            self.spans.ends = vec![(self.spans.n_bytes, true)];
            emit(Piece::StrayEnd);
        } else {
            emit(Piece::Mark(from, mark));
        }
        self.knows_start |= touches_thinking;
        self.channel = mark.to;
    }

    /// Whether a mark means something here.
    fn counts(&self, mark: &Mark) -> bool {
        let is_stray =
            mark.ends_thinking() && self.channel == Channel::Visible && !self.knows_start;
        // One text may end two things; then it is no sign of thinking.
        let is_plain = |other: &Mark| other.text == mark.text && other.from.contains(&self.channel);
        mark.from.contains(&self.channel) || (is_stray && !self.marks.iter().any(is_plain))
    }

    /// The first mark in `text`, and where it begins.
    fn next_mark(&self, text: &str) -> Option<(usize, Mark)> {
        let found = self.marks.iter().filter(|mark| self.counts(mark));
        found
            .filter_map(|mark| Some((text.find(mark.text)?, *mark)))
            .min_by_key(|(at, mark)| (*at, usize::MAX - mark.text.len()))
    }

    /// Bytes at the end of `text` that may be the beginning of a mark.
    fn possible_mark(&self, text: &str) -> usize {
        let longest = |mark: &Mark| {
            let most = mark.text.len().saturating_sub(1).min(text.len());
            (1..=most).rev().find(|&n| text.as_bytes().ends_with(&mark.text.as_bytes()[..n]))
        };
        let marks = self.marks.iter().filter(|mark| self.counts(mark));
        marks.filter_map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
#[path = "splitter_tests.rs"]
mod tests;
