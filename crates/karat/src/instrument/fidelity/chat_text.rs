//! Conversations as windows: each line of a file rendered with the original's chat template and
//! tokenized, with the positions from which the model predicts what the assistant says.

use std::path::{Path, PathBuf};

use karat_gguf::Gguf;
use karat_llama::{EngineError, Special, Vocab};

use super::job::JobError;
use crate::backend::Token;
use crate::chat::{ChatTemplate, Conversation, PRESENT, Script, SpecialTexts, template_source};
use crate::units::count;

/// What a window is called here.
const NOUN: &str = "conversation";

/// The conversations of a file.
#[derive(Clone, Debug, Default)]
pub struct ChatText {
    /// Those that fit, in order.
    pub talks: Vec<Talk>,
    /// Conversations longer than the longest window.
    pub n_too_long: u64,
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// All of it.
    pub tokens: Vec<Token>,
    /// Positions whose next token the model has to write.
    pub scored: Vec<usize>,
    /// What the assistant says in it.
    pub turns: Turns,
}

/// Assistant turns, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// Those that are scored.
    pub n: u64,
    /// Those that are not, because as history the template writes them otherwise.
    pub n_rewritten: u64,
    /// Those written as in the file, because the template drops a part of them.
    pub n_verbatim: u64,
    /// Those without the thoughts that the file gives apart.
    pub n_without_thoughts: u64,
    /// Those without a token that ends them.
    pub n_endless: u64,
}

impl Turns {
    fn of(script: &Script) -> Self {
        Self {
            n: script.turns.len() as u64,
            n_rewritten: script.n_rewritten as u64,
            n_verbatim: script.n_verbatim as u64,
            n_without_thoughts: script.n_without_thoughts as u64,
            n_endless: script.turns.iter().filter(|turn| !turn.has_end).count() as u64,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            n: self.n + other.n,
            n_rewritten: self.n_rewritten + other.n_rewritten,
            n_verbatim: self.n_verbatim + other.n_verbatim,
            n_without_thoughts: self.n_without_thoughts + other.n_without_thoughts,
            n_endless: self.n_endless + other.n_endless,
        }
    }
}

impl ChatText {
    /// Reads conversations, one JSON object per line; empty lines do not count.
    ///
    /// `model`: the file whose template and vocabulary count. Longer conversations than `n_ctx` tokens
    /// are left out and counted: cut, they would lack what the answers rest on.
    pub fn read(
        vocab: &Vocab,
        model: &Path,
        path: &Path,
        text: &str,
        n_ctx: usize,
    ) -> Result<Self, JobError> {
        let reader = Reader::new(vocab, model)?;
        let mut chat = Self::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let at = |reason: String| JobError::Line {
                path: path.to_path_buf(),
                line: index + 1,
                reason,
            };
            let conversation = Conversation::parse(line).map_err(|error| at(error.to_string()))?;
            let script = reader.script(&conversation).map_err(at)?;
            let talk = talk(vocab, &script)?;
            if talk.tokens.len() > n_ctx {
                chat.n_too_long += 1;
                continue;
            }
            chat.talks.push(talk);
        }
        Ok(chat)
    }

    /// What is done with the first `most` of them, or with all.
    pub fn summary(&self, most: Option<u32>) -> String {
        let taken = self.first(most);
        let tokens: usize = taken.iter().map(|talk| talk.scored.len()).sum();
        let of = match self.talks.len() {
            all if all > taken.len() => format!("{} of {}", taken.len(), count(all as u64, NOUN)),
            all => count(all as u64, NOUN),
        };
        format!(
            "{of} rendered with the original's chat template; to score are the {} of {} by the \
             assistant",
            count(tokens as u64, "token"),
            count(turns_of(taken).n, "turn")
        )
    }

    /// What changes how the figures of the first `most` are to be read, a sentence each.
    pub fn warnings(&self, most: Option<u32>) -> Vec<String> {
        let turns = |n| count(n, "assistant turn");
        let n_all = self.talks.len() as u64 + self.n_too_long;
        let Turns { n, n_rewritten, n_verbatim, n_without_thoughts, n_endless } =
            turns_of(self.first(most));
        let warnings = [
            (
                self.n_too_long,
                format!("{} of {n_all} left out: longer than --ctx", count(self.n_too_long, NOUN)),
            ),
            (
                n_rewritten,
                format!(
                    "{} left out: as history, the chat template writes them otherwise than the \
                     model did; where they matter, give each as the end of a conversation of its own",
                    turns(n_rewritten)
                ),
            ),
            (
                n_verbatim,
                format!(
                    "{} of {} scored as the file has them: the chat template drops a part of them \
                     (thoughts, mostly)",
                    n_verbatim,
                    turns(n)
                ),
            ),
            (
                n_without_thoughts,
                format!(
                    "{} of {} scored without their thoughts: the chat template does not write them",
                    n_without_thoughts,
                    turns(n)
                ),
            ),
            (
                n_endless,
                format!(
                    "{} of {} end without a token that the vocabulary knows as an end",
                    n_endless,
                    turns(n)
                ),
            ),
        ];
        warnings.into_iter().filter(|(n, _)| *n > 0).map(|(_, warning)| warning).collect()
    }

    fn first(&self, most: Option<u32>) -> &[Talk] {
        &self.talks[..most.map_or(self.talks.len(), |most| self.talks.len().min(most as usize))]
    }
}

fn turns_of(talks: &[Talk]) -> Turns {
    talks.iter().fold(Turns::default(), |turns, talk| turns.and(talk.turns))
}

/// A model's templates, and the texts of the tokens that end generation.
struct Reader {
    model: PathBuf,
    plain: ChatTemplate,
    with_tools: ChatTemplate,
    ends: Vec<String>,
}

impl Reader {
    fn new(vocab: &Vocab, model: &Path) -> Result<Self, JobError> {
        let fault = |reason: String| JobError::Template { model: model.to_path_buf(), reason };
        let gguf = Gguf::open(model).map_err(|error| fault(error.to_string()))?;
        let piece = |token: Option<Token>| -> Result<String, EngineError> {
            token.map_or(Ok(String::new()), |token| vocab.detokenize(&[token]))
        };
        let tokens = SpecialTexts { bos: piece(vocab.bos())?, eos: piece(vocab.eos())? };
        let template = |with_tools| {
            let source = template_source(gguf.metadata(), with_tools).ok_or_else(|| {
                fault(
                    "it has no chat template (metadata key tokenizer.chat_template); score plain \
                     text with --text"
                        .to_owned(),
                )
            })?;
            ChatTemplate::new(source, tokens.clone(), PRESENT)
                .map_err(|error| fault(error.to_string()))
        };
        let all = (0..vocab.n_tokens()).map(|id| id as Token);
        let ends = all.filter(|&token| vocab.is_end(token)).map(|token| piece(Some(token)));
        Ok(Self {
            model: model.to_path_buf(),
            plain: template(false)?,
            with_tools: template(true)?,
            ends: ends.collect::<Result<_, _>>()?,
        })
    }

    /// The conversation's script, or what is wrong in one line.
    fn script(&self, conversation: &Conversation) -> Result<Script, String> {
        let template = if conversation.has_tools() { &self.with_tools } else { &self.plain };
        Script::of(template, conversation, &self.ends)
            .map_err(|error| format!("{error} (template of {})", self.model.display()))
    }
}

/// Tokens of a script, as serving makes them: the prompt is tokenized without a look at what
/// follows it.
fn talk(vocab: &Vocab, script: &Script) -> Result<Talk, EngineError> {
    let bos = if vocab.adds_bos() { vocab.bos() } else { None };
    let bos_text = bos.map(|bos| vocab.detokenize(&[bos])).transpose()?.unwrap_or_default();
    let (mut text, mut tokens) = (String::new(), Vec::new());
    let mut scored = Vec::new();
    for (index, turn) in script.turns.iter().enumerate() {
        // The engine puts BOS in front itself, so the template's is one too many.
        let prompt = match turn.prompt.strip_prefix(&bos_text) {
            Some(rest) if index == 0 => rest,
            _ => &turn.prompt,
        };
        extend(vocab, &mut tokens, &mut text, prompt)?;
        let shift = usize::from(bos.is_some());
        let from = tokens.len() + shift;
        extend(vocab, &mut tokens, &mut text, &turn.answer)?;
        scored.extend((from.max(1) - 1)..(tokens.len() + shift).max(1) - 1);
    }
    tokens.splice(0..0, bos);
    Ok(Talk { tokens, scored, turns: Turns::of(script) })
}

/// Adds the tokens of `more`: those that follow in the whole text, or, where the tokenizer would join
/// it with what is before it, its own.
fn extend(
    vocab: &Vocab,
    tokens: &mut Vec<Token>,
    text: &mut String,
    more: &str,
) -> Result<(), EngineError> {
    text.push_str(more);
    let whole = vocab.tokenize(text, false, Special::Parsed)?;
    if whole.starts_with(tokens) {
        *tokens = whole;
    } else {
        tokens.extend(vocab.tokenize(more, false, Special::Parsed)?);
    }
    Ok(())
}
