//! The marks with which models divide what they write: where thinking begins and ends, where a tool is
//! called. Owns the list of them and which of them a model uses; looks at no answer.

use crate::generation::Channel;

/// Text that is no part of an answer and says what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its text.
    pub text: &'static str,
    /// In which channels it means something.
    pub from: &'static [Channel],
    /// What follows it.
    pub to: Channel,
}

impl Mark {
    /// Whether it ends thinking and begins what the reader sees.
    pub(super) fn ends_thinking(&self) -> bool {
        self.from == [Channel::Thinking] && self.to == Channel::Visible
    }
}

/// The marks that one model uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markup {
    /// All of them.
    pub marks: Vec<Mark>,
    /// Whether an answer that is a JSON object with `name` and `parameters` is the call of a tool.
    pub bare_calls: bool,
}

/// Marks that come together.
struct Form {
    /// A template or a vocabulary with this text is one whose model uses the form.
    sign: &'static str,
    marks: &'static [Mark],
}

const V: &[Channel] = &[Channel::Visible];
const T: &[Channel] = &[Channel::Thinking];
const C: &[Channel] = &[Channel::ToolCall];

const fn thinking(text: &'static str) -> Mark {
    Mark { text, from: V, to: Channel::Thinking }
}

const fn answer(text: &'static str) -> Mark {
    Mark { text, from: T, to: Channel::Visible }
}

const fn call(text: &'static str) -> Mark {
    Mark { text, from: V, to: Channel::ToolCall }
}

const fn end_of_call(text: &'static str) -> Mark {
    Mark { text, from: C, to: Channel::Visible }
}

/// Sources: the chat templates of Gemma 4, Qwen3 (and most others), Magistral, gpt-oss.
const THINKING: &[Form] = &[
    Form { sign: "<|channel>", marks: &[thinking("<|channel>thought"), answer("<channel|>")] },
    Form { sign: "<think>", marks: &[thinking("<think>"), answer("</think>")] },
    Form { sign: "[THINK]", marks: &[thinking("[THINK]"), answer("[/THINK]")] },
    Form {
        sign: "<|channel|>",
        marks: &[
            thinking("<|channel|>analysis<|message|>"),
            answer("<|end|>"),
            // Each message has a head; those of the answer and of remarks between calls say nothing.
            Mark { text: "<|start|>assistant", from: V, to: Channel::Visible },
            Mark { text: "<|channel|>final<|message|>", from: V, to: Channel::Visible },
            Mark { text: "<|channel|>commentary<|message|>", from: V, to: Channel::Visible },
            Mark { text: "<|end|>", from: V, to: Channel::Visible },
        ],
    },
];

/// Sources: the chat templates of Qwen (as Hermes before it), Gemma 4, Mistral, Llama 3, gpt-oss.
const CALLS: &[Form] = &[
    Form { sign: "<tool_call>", marks: &[call("<tool_call>"), end_of_call("</tool_call>")] },
    Form { sign: "<|tool_call>", marks: &[call("<|tool_call>"), end_of_call("<tool_call|>")] },
    Form {
        sign: "[TOOL_CALLS]",
        marks: &[Mark {
            text: "[TOOL_CALLS]",
            from: &[Channel::Visible, Channel::ToolCall],
            to: Channel::ToolCall,
        }],
    },
    Form { sign: PYTHON_TAG, marks: &[call(PYTHON_TAG)] },
    Form {
        sign: "<|channel|>",
        marks: &[
            call("<|channel|>commentary to="),
            end_of_call("<|call|>"),
            end_of_call("<|end|>"),
        ],
    },
];

/// Llama 3's; its models also write a call with no mark at all.
const PYTHON_TAG: &str = "<|python_tag|>";

impl Markup {
    /// The marks of a model with this chat template. `is_token` says whether a text is one token of the
    /// vocabulary. Calls count only where tools were declared.
    pub fn of(template: &str, is_token: impl Fn(&str) -> bool, with_tools: bool) -> Self {
        let is_used = |form: &&Form| template.contains(form.sign) || is_token(form.sign);
        let mut marks: Vec<Mark> =
            THINKING.iter().filter(is_used).flat_map(|form| form.marks).copied().collect();
        // A vocabulary has tokens for calls that the template never shows.
        let is_shown = |form: &&Form| with_tools && template.contains(form.sign);
        marks.extend(CALLS.iter().filter(is_shown).flat_map(|form| form.marks).copied());
        Self { marks, bare_calls: with_tools && template.contains(PYTHON_TAG) }
    }

    /// The marks of every form of thinking, for a server whose template is not known. It reads the
    /// calls of tools itself.
    pub fn unknown() -> Self {
        let marks = THINKING.iter().flat_map(|form| form.marks).copied().collect();
        Self { marks, bare_calls: false }
    }

    /// Whether the model has a way to think.
    pub fn thinks(&self) -> bool {
        self.marks.iter().any(|mark| mark.to == Channel::Thinking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, token: &str, with_tools: bool, texts: &[&str]) {
        let markup = Markup::of(template, |text| text == token, with_tools);
        assert_eq!(markup.marks.iter().map(|mark| mark.text).collect::<Vec<_>>(), texts);
    }

    #[test]
    fn a_template_that_shows_no_mark_has_none() {
        check("{{ messages[0].content }}", "", true, &[]);
    }

    #[test]
    fn marks_come_from_the_template_or_from_the_vocabulary() {
        let marks = ["<|channel>thought", "<channel|>"];
        check("{{- '<|channel>thought\\n<channel|>' -}}", "", false, &marks);
        check("", "<|channel>", false, &marks);
    }

    #[test]
    fn calls_are_looked_for_where_tools_were_declared_and_the_template_shows_them() {
        check("<tool_call>", "", true, &["<tool_call>", "</tool_call>"]);
        check("<tool_call>", "", false, &[]);
        check("", "<tool_call>", true, &[]);
    }
}
