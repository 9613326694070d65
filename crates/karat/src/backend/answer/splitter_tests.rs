//! Division of streams at marks, whole and in pieces. Owns no mark.

use super::*;

const GEMMA: &str = "<|channel>";
const QWEN: &str = "<think> <tool_call>";
const GPT_OSS: &str = "<|channel|>";

const VISIBLE: Option<Channel> = Some(Channel::Visible);
const THINKING: Option<Channel> = Some(Channel::Thinking);

/// What a stream divides into: visible, thinking, calls; adjacent texts of a channel joined.
fn divided(markup: &Markup, start: Option<Channel>, pieces: &[&str]) -> [String; 3] {
    let mut texts: [String; 3] = Default::default();
    let mut splitter = ThinkingSplitter::new(markup, start);
    let mut take = |piece: Piece<'_>| match piece {
        Piece::Text(Channel::Visible, text) => texts[0].push_str(text),
        Piece::Text(Channel::Thinking, text) => texts[1].push_str(text),
        Piece::Text(Channel::ToolCall, text) => texts[2].push_str(text),
        Piece::Mark(..) => (),
        Piece::StrayEnd => {
            let before = std::mem::take(&mut texts[0]);
            texts[1].push_str(&before);
        }
    };
    for piece in pieces {
        splitter.push(piece, &mut take);
    }
    splitter.finish(&mut take);
    texts
}

/// The same division whether the stream comes whole, byte by byte (at characters), or in pairs.
#[track_caller]
fn check(template: &str, start: Option<Channel>, stream: &str, want: [&str; 3]) {
    let markup = Markup::of(template, |_| false, true);
    assert_eq!(divided(&markup, start, &[stream]), want, "whole");
    let chars: Vec<String> = stream.chars().map(String::from).collect();
    for n in [1, 2, 3, 7] {
        let pieces: Vec<String> = chars.chunks(n).map(<[String]>::concat).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        assert_eq!(divided(&markup, start, &pieces), want, "{n} characters at a time");
    }
}

#[test]
fn an_answer_without_marks_is_visible_to_the_last_character() {
    check(GEMMA, VISIBLE, "1 < 2, zażółć <|chan", ["1 < 2, zażółć <|chan", "", ""]);
}

#[test]
fn thinking_lies_between_its_marks() {
    let stream = "<|channel>thought\n5 * 5 = 25.\n<channel|>25";
    check(GEMMA, VISIBLE, stream, ["25", "5 * 5 = 25.\n", ""]);
    check(QWEN, VISIBLE, "<think>\nhm\n</think>\n\nyes", ["yes", "hm\n", ""]);
}

#[test]
fn a_thought_that_is_cut_off_stays_a_thought() {
    check(GEMMA, VISIBLE, "<|channel>thought\nI <cha", ["", "I <cha", ""]);
}

#[test]
fn a_prompt_that_opened_the_thought_needs_no_mark() {
    check(QWEN, THINKING, "hm</think>yes", ["yes", "hm", ""]);
}

#[test]
fn an_end_without_a_beginning_makes_everything_before_it_thinking() {
    check(QWEN, None, "hm</think>yes", ["yes", "hm", ""]);
    check(QWEN, VISIBLE, "hm</think>yes", ["hm</think>yes", "", ""]);
}

#[test]
fn a_mark_that_is_talked_about_after_thinking_stays_text() {
    let stream = "<think>a</think>The tag </think> closes it.";
    check(QWEN, None, stream, ["The tag </think> closes it.", "a", ""]);
}

#[test]
fn thinking_may_come_twice() {
    check(QWEN, VISIBLE, "<think>a</think>b<think>c</think>d", ["bd", "ac", ""]);
}

#[test]
fn a_tool_is_called_between_its_marks() {
    let stream = "<think>a</think><tool_call>{}</tool_call>";
    check(QWEN, VISIBLE, stream, ["", "a", "{}"]);
}

#[test]
fn messages_with_heads_lose_them() {
    let stream =
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes";
    check(GPT_OSS, VISIBLE, stream, ["yes", "hm", ""]);
    let stream = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>";
    check(GPT_OSS, VISIBLE, stream, ["", "", "functions.f <|constrain|>json<|message|>{}"]);
}

#[test]
fn a_prompt_says_where_the_answer_begins() {
    let markup = Markup::of(GEMMA, |_| false, false);
    let after = |tail| ThinkingSplitter::channel_after(&markup, tail);
    assert_eq!(after("<|turn>model\n"), Channel::Visible);
    assert_eq!(after("<|turn>model\n<|channel>thought\n<channel|>"), Channel::Visible);
    assert_eq!(after("<|turn>model\n<|channel>thought\n"), Channel::Thinking);
}

#[test]
fn tokens_belong_to_where_they_begin_and_marks_to_thinking() {
    let markup = Markup::of(GEMMA, |_| false, false);
    let mut splitter = ThinkingSplitter::new(&markup, VISIBLE);
    let tokens = ["<|channel>", "thought", "\n", "a ", "b", "<channel|>", "2", "5", ""];
    let mut starts = Vec::new();
    let mut n_bytes = 0;
    for token in tokens {
        starts.push(n_bytes);
        n_bytes += token.len();
        splitter.push(token, &mut |_| ());
    }
    splitter.finish(&mut |_| ());
    assert_eq!(splitter.n_thinking(&starts), 6);
}
