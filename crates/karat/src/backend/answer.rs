//! An answer while it comes: pieces in, a [`Generation`] out. Every backend records through this, so
//! that times, channels and calls mean the same everywhere. Owns no protocol.

pub(super) mod splitter;
mod tool_calls;
pub(super) mod utf8;

use crate::backend::{Mark, Markup};
use crate::clock::Stopwatch;
use crate::generation::{
    Channel, Counted, Delta, FinishReason, Generation, GenerationFailure, RawExchange, Timings,
    TokenCounts, ToolCall,
};

use self::splitter::{Piece, ThinkingSplitter};

/// Hears every piece as it comes and says whether to go on.
pub type Listener<'l> = &'l mut dyn FnMut(&Delta) -> bool;

/// An answer that is being written.
pub(super) struct Answer<'l> {
    listen: Listener<'l>,
    splitter: ThinkingSplitter,
    bare_calls: bool,
    text: Text,
    heard_enough: bool,
}

/// What has come so far.
struct Text {
    watch: Stopwatch,
    /// When the last piece came: all that it brings has one time.
    now_s: f64,
    first_s: Option<f64>,
    /// Tokens so far, where they are seen.
    n_tokens: Option<u64>,
    visible: String,
    thinking: String,
    calls: Vec<ToolCall>,
    /// A call that is being written: the mark before it, and its text.
    open_call: Option<(&'static str, String)>,
    deltas: Vec<Delta>,
    /// Pieces that the listener has heard.
    n_heard: usize,
    n_bytes: usize,
}

/// What only the backend knows of an answer's end.
pub(super) struct End {
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens.
    pub tokens: TokenCounts,
    /// The backend's own times; the others are filled in.
    pub timings: Timings,
    /// Both sides of the exchange.
    pub raw: RawExchange,
}

impl<'l> Answer<'l> {
    /// Begins now. `start`: where it begins, where that is known.
    pub fn begin(markup: &Markup, start: Option<Channel>, listen: Listener<'l>) -> Self {
        Self {
            listen,
            splitter: ThinkingSplitter::new(markup, start),
            bare_calls: markup.bare_calls,
            text: Text {
                watch: Stopwatch::start(),
                now_s: 0.0,
                first_s: None,
                n_tokens: None,
                visible: String::new(),
                thinking: String::new(),
                calls: Vec::new(),
                open_call: None,
                deltas: Vec::new(),
                n_heard: 0,
                n_bytes: 0,
            },
            heard_enough: false,
        }
    }

    /// Starts the clock anew, before anything has come: the request is sent again.
    pub fn restart(&mut self) {
        self.text.watch = Stopwatch::start();
    }

    /// Seconds since it began.
    pub fn elapsed_s(&self) -> f64 {
        self.text.watch.elapsed().as_secs_f64()
    }

    /// Something has come, be it a mark or a part of a character.
    pub fn note(&mut self) {
        self.text.now_s = self.elapsed_s();
        self.text.first_s.get_or_insert(self.text.now_s);
    }

    /// So many tokens were written, those of the next piece included.
    pub fn count(&mut self, n_tokens: usize) {
        self.text.n_tokens = Some(n_tokens as u64);
    }

    /// Text with whatever marks the model puts in it. Whether to go on.
    pub fn push(&mut self, text: &str) -> bool {
        if !text.is_empty() {
            self.note();
            let Self { splitter, text: so_far, .. } = self;
            splitter.push(text, &mut |piece| so_far.take(&piece));
        }
        self.tell()
    }

    /// Thinking that the backend gave apart. Whether to go on.
    pub fn push_thinking(&mut self, text: &str) -> bool {
        if !text.is_empty() {
            self.note();
            self.text.add(Channel::Thinking, text);
        }
        self.tell()
    }

    /// A piece of a call that the backend gave apart; the whole of it goes to [`Answer::call`].
    pub fn push_call(&mut self, text: &str) -> bool {
        if !text.is_empty() {
            self.note();
            self.text.add(Channel::ToolCall, text);
        }
        self.tell()
    }

    /// A call of a tool that the backend read itself.
    pub fn call(&mut self, call: ToolCall) {
        self.text.calls.push(call);
    }

    /// Bytes of text so far.
    pub fn n_bytes(&self) -> usize {
        self.text.n_bytes
    }

    /// Whether the backend gave a call of a tool.
    pub fn has_calls(&self) -> bool {
        !self.text.calls.is_empty()
    }

    /// No more text will come: what was held back is let go, and what is written as calls is read.
    pub fn close(&mut self) {
        let Self { splitter, text: so_far, .. } = self;
        splitter.finish(&mut |piece| so_far.take(&piece));
        so_far.end_call("");
        if self.bare_calls
            && self.text.calls.is_empty()
            && let Some(calls) = tool_calls::read_bare(&self.text.visible)
        {
            self.text.calls = calls;
            self.text.visible.clear();
        }
        self.tell();
    }

    /// Of pieces that began at these bytes of the text pushed, how many were thinking.
    pub fn n_thinking(&self, starts: &[usize]) -> usize {
        self.splitter.n_thinking(starts)
    }

    /// The answer as it stands.
    pub fn end(self, end: End) -> Generation {
        let total_s = self.elapsed_s();
        let Text { first_s, visible, mut thinking, calls, deltas, .. } = self.text;
        thinking.truncate(thinking.trim_end().len());
        let first_visible = deltas.iter().find(|delta| delta.channel == Channel::Visible);
        let finish = match end.finish {
            FinishReason::Stop if !calls.is_empty() => FinishReason::ToolCalls,
            finish => finish,
        };
        Generation {
            // Between calls there is white space that no one is meant to see.
            visible: if calls.is_empty() { visible } else { visible.trim().to_owned() },
            thinking,
            tool_calls: calls,
            tokens: end.tokens,
            timings: Timings {
                ttft_s: first_s,
                ttfo_s: first_visible.map(|delta| delta.at_s),
                total_s,
                ..end.timings
            },
            finish,
            deltas,
            raw: end.raw,
        }
    }

    /// The failure that ended it, with what had come until then.
    pub fn fail(mut self, failure: GenerationFailure, raw: RawExchange) -> GenerationFailure {
        self.close();
        let end = End {
            finish: FinishReason::Cancelled,
            tokens: TokenCounts::default(),
            timings: Timings::default(),
            raw,
        };
        GenerationFailure { partial: Some(Box::new(self.end(end))), ..failure }
    }

    /// Lets the listener hear what is new. False where it has heard enough.
    fn tell(&mut self) -> bool {
        let Text { deltas, n_heard, .. } = &mut self.text;
        while !self.heard_enough
            && let Some(delta) = deltas.get(*n_heard)
        {
            *n_heard += 1;
            self.heard_enough = !(self.listen)(delta);
        }
        !self.heard_enough
    }
}

impl Text {
    fn add(&mut self, channel: Channel, text: &str) {
        match channel {
            Channel::Visible => self.visible.push_str(text),
            Channel::Thinking => self.thinking.push_str(text),
            Channel::ToolCall => {
                if let Some((_, call)) = &mut self.open_call {
                    call.push_str(text);
                }
            }
        }
        self.n_bytes += text.len();
        let (at_s, n_tokens) = (self.now_s, self.n_tokens);
        self.deltas.push(Delta { at_s, channel, text: text.to_owned(), n_tokens });
    }

    fn take(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Text(channel, text) => self.add(*channel, text),
            Piece::Mark(from, mark) => self.cross(*from, mark),
            Piece::StrayEnd => {
                self.thinking.push_str(&std::mem::take(&mut self.visible));
                for delta in &mut self.deltas {
                    if delta.channel == Channel::Visible {
                        delta.channel = Channel::Thinking;
                    }
                }
            }
        }
    }

    fn cross(&mut self, from: Channel, mark: &Mark) {
        if from == Channel::ToolCall {
            self.end_call(mark.text);
        }
        if mark.to == Channel::ToolCall {
            self.open_call = Some((mark.text, String::new()));
        }
    }

    /// Reads the call that was being written. One that cannot be read is text like any other, so that
    /// nothing the model wrote is lost.
    fn end_call(&mut self, end: &str) {
        let Some((begin, text)) = self.open_call.take() else { return };
        match tool_calls::read(&text) {
            Some(calls) => self.calls.extend(calls),
            None => self.visible.extend([begin, &text, end]),
        }
    }
}

/// Most bytes of text that so many tokens can be. The longest tokens of vocabularies are runs of a few
/// hundred spaces or dashes; what goes beyond is no answer of the length that was asked for.
pub(super) fn most_bytes(max_tokens: u32) -> usize {
    (max_tokens as usize).saturating_mul(1024).saturating_add(64 << 10)
}

/// Divides the tokens of an answer between what was visible, calls of tools included, and what was
/// thinking, in proportion to the sizes of both texts: their tokens where `count` can tell, else their
/// characters. An estimate either way, because marks belong to neither text and a text need not be cut
/// into the tokens that were written.
pub(super) fn divide(generation: &mut Generation, count: impl Fn(&str) -> Option<u64>) {
    let Some(total) = generation.tokens.total else { return };
    let calls = generation.tool_calls.iter();
    let called = calls.flat_map(|call| [call.name.as_str(), call.arguments.as_str()]);
    let visible: String = std::iter::once(generation.visible.as_str()).chain(called).collect();
    let thinking = generation.thinking.as_str();
    let thought = if thinking.is_empty() {
        // Also where nothing at all was written, by a model that only ended its turn.
        0
    } else if visible.is_empty() {
        total
    } else {
        let characters = |text: &str| text.chars().count() as u64;
        let (visible, thinking) = match (count(&visible), count(thinking)) {
            (Some(visible), Some(thinking)) if visible + thinking > 0 => (visible, thinking),
            _ => (characters(&visible), characters(thinking)),
        };
        let all = u128::from(visible + thinking);
        // Rounded to the nearest.
        ((u128::from(total) * u128::from(thinking) + all / 2) / all) as u64
    };
    let estimated = |tokens| Some(Counted { tokens, exact: false });
    generation.tokens.visible = estimated(total - thought);
    generation.tokens.thinking = estimated(thought);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(template: &str, pieces: &[&str]) -> Generation {
        let markup = Markup::of(template, |_| false, true);
        let mut heard = String::new();
        let mut listen = |delta: &Delta| {
            heard.push_str(&delta.text);
            true
        };
        let mut answer = Answer::begin(&markup, None, &mut listen);
        for piece in pieces {
            assert!(answer.push(piece));
        }
        answer.close();
        let end = End {
            finish: FinishReason::Stop,
            tokens: TokenCounts::default(),
            timings: Timings::default(),
            raw: RawExchange::default(),
        };
        let generation = answer.end(end);
        let deltas: String = generation.deltas.iter().map(|delta| delta.text.as_str()).collect();
        assert_eq!(heard, deltas);
        generation
    }

    #[test]
    fn a_call_is_read_and_ends_the_turn() {
        let text = "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\n";
        let answer = answer("<tool_call>", &[text]);
        let call = ToolCall { name: "f".to_owned(), arguments: "{}".to_owned() };
        assert_eq!((answer.tool_calls, answer.visible.as_str()), (vec![call], ""));
        assert_eq!(answer.finish, FinishReason::ToolCalls);
    }

    #[test]
    fn several_calls_stand_behind_each_other() {
        let answer = answer("[TOOL_CALLS]", &["[TOOL_CALLS]f[ARGS]{}[TOOL", "_CALLS]g[ARGS]{}"]);
        let names: Vec<&str> = answer.tool_calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["f", "g"]);
    }

    #[test]
    fn a_call_that_cannot_be_read_stays_text() {
        let text = "<tool_call>f(1)</tool_call>";
        let answer = answer("<tool_call>", &[text]);
        assert_eq!((answer.visible.as_str(), answer.tool_calls.len()), (text, 0));
        assert_eq!(answer.finish, FinishReason::Stop);
    }

    #[test]
    fn a_thought_that_only_ends_moves_what_came_before_it() {
        let answer = answer("<think>", &["h", "m", "</think>", "yes"]);
        assert_eq!((answer.thinking.as_str(), answer.visible.as_str()), ("hm", "yes"));
        assert!(answer.timings.ttft_s < answer.timings.ttfo_s);
        let channels: Vec<Channel> = answer.deltas.iter().map(|delta| delta.channel).collect();
        assert_eq!(channels, [Channel::Thinking, Channel::Thinking, Channel::Visible]);
    }

    /// Of 10 tokens, how many were visible; both parts are estimates and add up.
    #[track_caller]
    fn check_divided(
        (visible, thinking): (&str, &str),
        calls: &[(&str, &str)],
        count: impl Fn(&str) -> Option<u64>,
        want: u64,
    ) {
        let mut generation = answer("", &[]);
        (generation.visible, generation.thinking) = (visible.to_owned(), thinking.to_owned());
        let call = |(name, arguments): &(&str, &str)| ToolCall {
            name: (*name).to_owned(),
            arguments: (*arguments).to_owned(),
        };
        generation.tool_calls = calls.iter().map(call).collect();
        generation.tokens.total = Some(10);
        divide(&mut generation, count);
        let estimated = |tokens| Some(Counted { tokens, exact: false });
        assert_eq!(generation.tokens.visible, estimated(want));
        assert_eq!(generation.tokens.thinking, estimated(10 - want));
    }

    #[test]
    fn tokens_are_divided_by_characters_where_nobody_counts() {
        let nobody = |_: &str| None;
        check_divided(("ab", "abcd"), &[], nobody, 3);
        check_divided(("żó", "abcd"), &[], nobody, 3);
        check_divided(("", "abcd"), &[("f", "x")], nobody, 3);
        check_divided(("", "abcd"), &[], nobody, 0);
        check_divided(("ab", ""), &[], nobody, 10);
        check_divided(("", ""), &[], nobody, 10);
    }

    #[test]
    fn tokens_are_divided_by_tokens_where_somebody_counts() {
        let words = |text: &str| Some(text.split_whitespace().count() as u64);
        check_divided(("a b c d", "eeeeeeeeee"), &[], words, 8);
        check_divided(("a", "ddd d"), &[], |text| text.starts_with('a').then_some(9), 2);
        check_divided(("a", "ddd"), &[], |_| Some(0), 2);
    }

    #[test]
    fn what_is_not_known_is_not_divided() {
        let mut generation = answer("", &["a"]);
        divide(&mut generation, |_| Some(1));
        assert_eq!(generation.tokens, TokenCounts::default());
    }
}
