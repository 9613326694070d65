//! Which part of a conversation's text the model itself has to write. Owns that rule; pure text.

use minijinja::value::{Value, ValueKind};

use super::conversation::Conversation;
use super::error::TemplateError;
use super::message;
use super::template::ChatTemplate;

/// Stands for content while the text around it is looked for.
const MARK: &str = "karat⟦content⟧mark";

/// A conversation as a model meets it: prompts, and after each what the model has to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// In order; the text of the conversation is all of them joined.
    pub turns: Vec<Turn>,
    /// Assistant turns that are not among them: once they are history, the template writes them
    /// differently than the model did.
    pub n_rewritten: usize,
    /// Turns written as the file has them, because the template drops a part (thoughts, mostly).
    pub n_verbatim: usize,
    /// Turns without the thoughts that the file gives apart, because the template does not write them.
    pub n_without_thoughts: usize,
}

/// A prompt and what the model has to write after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// From the end of the turn before to where the model begins.
    pub prompt: String,
    /// What the model has to write, the text that ends its turn included.
    pub answer: String,
    /// Whether the answer ends with one of the texts that end a turn.
    pub has_end: bool,
}

/// A conversation that gives nothing to score.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The template gave no text.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// No message of the assistant, or only empty ones.
    #[error("no message of role \"assistant\" has text, so there is nothing to score")]
    NoAssistant,
    /// No prompt of the template leads up to what the assistant says.
    #[error(
        "the chat template writes the assistant's last message in a way that no prompt of its own \
         leads up to"
    )]
    NoPrompt,
}

impl Script {
    /// Renders a conversation turn by turn.
    ///
    /// For each assistant message the prompt is what the template makes of the messages before it,
    /// with `add_generation_prompt`: what a server would send. What the model has to write after it is
    /// the rest of the rendering that includes the message, up to the first of `ends` (the texts of
    /// the tokens that end generation) behind its content. Where the prompt already holds more than
    /// the rendering has in that place (an empty thought, say), the prompt wins. Where the
    /// template drops a part of the content, the content counts as the file has it.
    ///
    /// The text is that of the last assistant message. Earlier ones count where the text contains
    /// them just as the model wrote them; later messages of others are left out.
    pub fn of(
        template: &ChatTemplate,
        conversation: &Conversation,
        ends: &[String],
    ) -> Result<Self, ScriptError> {
        let messages = &conversation.messages;
        let speaks = |&index: &usize| is_answer(&messages[index]);
        let spoken: Vec<usize> = (0..messages.len()).filter(speaks).collect();
        let (&last, earlier) = spoken.split_last().ok_or(ScriptError::NoAssistant)?;
        let view = View { template, conversation, ends };
        let last = view.exchange(last)?.ok_or(ScriptError::NoPrompt)?;
        let mut script = Self::default();
        let mut done = 0;
        for &index in earlier {
            match view.exchange(index)? {
                Some(exchange) if exchange.leads_to(&last, done) => {
                    done = script.push(&exchange, done);
                }
                _ => script.n_rewritten += 1,
            }
        }
        script.push(&last, done);
        Ok(script)
    }

    /// Takes in a turn whose text begins with `done` bytes that are in already; returns the bytes
    /// that are in then.
    fn push(&mut self, exchange: &Exchange, done: usize) -> usize {
        let Exchange { prompt, answer, has_end, is_verbatim, lacks_thoughts } = exchange;
        let prompt_left = prompt[done..].to_owned();
        self.turns.push(Turn { prompt: prompt_left, answer: answer.clone(), has_end: *has_end });
        self.n_verbatim += usize::from(*is_verbatim);
        self.n_without_thoughts += usize::from(*lacks_thoughts);
        prompt.len() + answer.len()
    }
}

/// A whole prompt and what the model has to write after it.
struct Exchange {
    prompt: String,
    answer: String,
    has_end: bool,
    is_verbatim: bool,
    lacks_thoughts: bool,
}

impl Exchange {
    /// Whether `later`'s prompt contains this exchange unchanged, behind `done` bytes.
    fn leads_to(&self, later: &Self, done: usize) -> bool {
        self.prompt.len() >= done
            && later
                .prompt
                .strip_prefix(&self.prompt)
                .is_some_and(|rest| rest.starts_with(&self.answer))
    }
}

/// What surrounds a message's content in a rendering.
struct Around {
    before: String,
    after: String,
}

struct View<'v> {
    template: &'v ChatTemplate,
    conversation: &'v Conversation,
    ends: &'v [String],
}

impl View<'_> {
    fn render(&self, messages: &[Value], prompt: bool) -> Result<String, TemplateError> {
        self.template.render_messages(self.conversation, messages, prompt)
    }

    /// The prompt of message `index` and what the model has to write; `None` where the template's
    /// prompt does not lead up to it.
    fn exchange(&self, index: usize) -> Result<Option<Exchange>, TemplateError> {
        let messages = &self.conversation.messages[..=index];
        let (spoken, before) = (&messages[index], &messages[..index]);
        if before.is_empty() {
            return Ok(None);
        }
        let prompt = self.render(before, true)?;
        let whole = self.render(messages, false)?;
        let content = message::text(spoken).trim().to_owned();
        let around = self.around(messages, &content);
        let Some(mut answer) = answer_part(&prompt, &whole, around.as_ref()) else {
            return Ok(None);
        };
        // Where the content is known to end, the end of the turn is looked for behind it.
        let mut content_len = 0;
        let mut is_verbatim = false;
        if let (Some(around), false) = (&around, content.is_empty()) {
            let body = answer.strip_suffix(&around.after).map_or(0, str::len);
            if body > 0 && has_text(&answer[..body], &content) {
                content_len = body;
            } else {
                let written = without_repeated_opening(&prompt, &around.before, &content);
                content_len = written.len();
                answer = format!("{written}{}", around.after);
                is_verbatim = true;
            }
        }
        let end = first_end(&answer, content_len, self.ends);
        if let Some(end) = end.or((content_len > 0).then_some(content_len)) {
            answer.truncate(end);
        }
        let lacks_thoughts =
            message::thoughts(spoken).is_some_and(|thoughts| !has_text(&answer, &thoughts));
        let has_end = end.is_some();
        Ok(Some(Exchange { prompt, answer, has_end, is_verbatim, lacks_thoughts }))
    }

    /// What the template writes around the last message's content, or around plain content where the
    /// message has none or the template does not show it.
    fn around(&self, messages: &[Value], content: &str) -> Option<Around> {
        let (spoken, before) = messages.split_last()?;
        let plain = Value::from_pairs([("role", "assistant"), ("content", MARK)]);
        let marked = message::with_content(spoken, MARK);
        let tried = if content.is_empty() { vec![plain] } else { vec![marked, plain] };
        tried.into_iter().find_map(|last| {
            let messages: Vec<Value> = before.iter().cloned().chain([last]).collect();
            let text = self.render(&messages, false).ok()?;
            let (before, after) = text.split_once(MARK)?;
            (!after.contains(MARK))
                .then(|| Around { before: before.to_owned(), after: after.to_owned() })
        })
    }
}

/// What follows the prompt in the whole rendering. Where the prompt does not begin it, but goes beyond
/// the point where the content begins: what follows that point.
fn answer_part(prompt: &str, whole: &str, around: Option<&Around>) -> Option<String> {
    if let Some(rest) = whole.strip_prefix(prompt) {
        return Some(rest.to_owned());
    }
    let before = &around?.before;
    let opened = prompt.strip_prefix(before.as_str())?;
    let rest = whole.strip_prefix(before.as_str())?;
    Some(rest.strip_prefix(opened).unwrap_or(rest).to_owned())
}

/// Content without what the prompt has opened for it already, e.g. `<think>`.
fn without_repeated_opening<'c>(prompt: &str, before: &str, content: &'c str) -> &'c str {
    let opened = prompt.strip_prefix(before).unwrap_or_default().trim();
    let rest = content.strip_prefix(opened).unwrap_or(content);
    if opened.is_empty() { content } else { rest.trim_start() }
}

/// Where the first text that ends a turn ends, looked for from byte `from`.
fn first_end(answer: &str, from: usize, ends: &[String]) -> Option<usize> {
    let found = ends.iter().filter(|end| !end.is_empty());
    found
        .filter_map(|end| answer[from..].find(end.as_str()).map(|at| (from + at, end.len())))
        // At one place the longest wins, as tokenizers have it.
        .min_by_key(|&(at, len)| (at, std::cmp::Reverse(len)))
        .map(|(at, len)| at + len)
}

/// Whether a message is the assistant's and says anything.
fn is_answer(message: &Value) -> bool {
    let role = message.get_attr("role").unwrap_or_default();
    let calls = message.get_attr("tool_calls").unwrap_or_default();
    let has_calls = calls.kind() == ValueKind::Seq && calls.len() != Some(0);
    role.as_str() == Some("assistant")
        && (has_calls
            || !message::text(message).trim().is_empty()
            || message::thoughts(message).is_some())
}

/// Whether `text` holds `part`, white space apart.
fn has_text(text: &str, part: &str) -> bool {
    let squeezed = |text: &str| -> String { text.split_whitespace().collect() };
    squeezed(text).contains(&squeezed(part))
}
