//! What makes a conversation a prompt: a model file's templates, the marks that its model writes, the
//! switches of its thinking. Owns no engine.

use std::path::{Path, PathBuf};

use karat_gguf::Gguf;
use karat_llama::{EngineError, Special, Token, Vocab};

use crate::backend::{ChatRequest, Markup, Thinking};
use crate::chat::{ChatTemplate, Conversation, PRESENT, SpecialTexts, template_source};

/// A model's chat templates with what its vocabulary says of them.
pub(super) struct ChatModel {
    model: PathBuf,
    plain: Option<Template>,
    /// The one for conversations with tools.
    with_tools: Option<Template>,
    tokens: SpecialTexts,
    /// Put in front of every prompt.
    bos: Option<Token>,
}

struct Template {
    source: String,
    ready: Result<ChatTemplate, String>,
    /// Marks without and with tools.
    markup: [Markup; 2],
}

/// A conversation as the engine reads it.
pub(super) struct Prompt {
    /// All of it.
    pub text: String,
    /// Its end: what the template adds so that the model answers.
    pub tail: String,
    /// The marks that the answer may have.
    pub markup: Markup,
}

impl ChatModel {
    /// Reads the templates of an open file.
    pub fn new(gguf: &Gguf, model: &Path, vocab: &Vocab) -> Result<Self, EngineError> {
        let piece = |token: Option<Token>| -> Result<String, EngineError> {
            token.map_or(Ok(String::new()), |token| vocab.detokenize(&[token]))
        };
        let tokens = SpecialTexts { bos: piece(vocab.bos())?, eos: piece(vocab.eos())? };
        let is_token = |text: &str| {
            vocab.tokenize(text, false, Special::Parsed).is_ok_and(|tokens| {
                let [token] = tokens[..] else { return false };
                vocab.piece(token, Special::Parsed).is_ok_and(|piece| piece == text.as_bytes())
            })
        };
        let read = |with_tools| {
            let source = template_source(gguf.metadata(), with_tools)?;
            Some(Template {
                source: source.to_owned(),
                ready: ChatTemplate::new(source, tokens.clone(), PRESENT)
                    .map_err(|error| error.to_string()),
                markup: [false, true].map(|tools| Markup::of(source, is_token, tools)),
            })
        };
        let (plain, with_tools) = (read(false), read(true));
        let bos = if vocab.adds_bos() { vocab.bos() } else { None };
        Ok(Self { model: model.to_path_buf(), plain, with_tools, tokens, bos })
    }

    /// The template of conversations without tools.
    pub fn template_source(&self) -> Result<&str, String> {
        Ok(&self.template(false)?.0.source)
    }

    /// The prompt of a request.
    pub fn prompt(&self, request: &ChatRequest) -> Result<Prompt, String> {
        let has_tools = request.conversation.has_tools();
        let (template, ready) = self.template(has_tools)?;
        let markup = template.markup[usize::from(has_tools)].clone();
        let conversation = request.terms.thinking.switch(request.conversation.clone());
        let render = |prompted| {
            let text = ready.render(&conversation, prompted);
            text.map_err(|error| format!("{error} (template of {})", self.model.display()))
        };
        let (text, without) = (render(true)?, render(false)?);
        let shared = text.bytes().zip(without.bytes()).take_while(|(one, other)| one == other);
        let from = text.floor_char_boundary(shared.count());
        Ok(Prompt { tail: text[from..].to_owned(), text, markup })
    }

    /// Tokens of a prompt, BOS in front where the model wants it.
    pub fn tokenize(&self, vocab: &Vocab, text: &str) -> Result<Vec<Token>, EngineError> {
        // The engine puts BOS in front itself, so the template's is one too many.
        let text = match self.bos {
            Some(_) => text.strip_prefix(&self.tokens.bos).unwrap_or(text),
            None => text,
        };
        let mut tokens = vocab.tokenize(text, false, Special::Parsed)?;
        tokens.splice(0..0, self.bos);
        Ok(tokens)
    }

    /// Whether the template does what is asked about thinking: an error where it cannot, a finding
    /// where it may not.
    pub fn check_thinking(&self, thinking: &Thinking) -> Result<Option<String>, String> {
        let (template, ready) = self.template(false)?;
        let name = self.model.display();
        let render = |thinking: &Thinking| {
            let conversation = thinking.switch(Conversation::of([("user", "?")]));
            ready.render(&conversation, true).map_err(|error| error.to_string())
        };
        let thinks = template.markup[0].thinks();
        match thinking {
            Thinking::Default => Ok(None),
            Thinking::Off if !thinks => Ok(None),
            Thinking::On if !thinks => Err(format!(
                "the chat template and the vocabulary of {name} know no thinking; ask for none"
            )),
            Thinking::Level(level) => {
                let is_known = render(thinking)? != render(&Thinking::On)?;
                // What is the template's default cannot be told from what it ignores.
                let other = Thinking::Level(format!("{level}-or-not"));
                if is_known || render(thinking)? != render(&other)? {
                    return Ok(None);
                }
                Err(format!("the chat template of {name} knows no levels of thinking"))
            }
            Thinking::On | Thinking::Off => {
                if render(&Thinking::On)? != render(&Thinking::Off)? {
                    return Ok(None);
                }
                let told = format!(
                    "the chat template of {name} has no switch for thinking, so the model thinks as \
                     it does unasked"
                );
                if *thinking == Thinking::Off { Err(told) } else { Ok(Some(told)) }
            }
        }
    }

    fn template(&self, with_tools: bool) -> Result<(&Template, &ChatTemplate), String> {
        let template = if with_tools { &self.with_tools } else { &self.plain };
        let name = self.model.display();
        let template = template.as_ref().ok_or_else(|| {
            format!("{name} has no chat template (metadata key tokenizer.chat_template)")
        })?;
        let ready = template.ready.as_ref().map_err(|why| format!("{name}: {why}"))?;
        Ok((template, ready))
    }
}
