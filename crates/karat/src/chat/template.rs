//! A chat template, ready to render. Owns the rendering rules of transformers and the bounds on
//! what a template may compute.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use jiff::civil::DateTime;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, merge_maps};
use minijinja::{AutoEscape, Environment, context};

use super::conversation::Conversation;
use super::error::TemplateError;
use super::needs::{Arguments, Content, Needs};
use super::{globals, markup, message};

/// What templates take for the present: Llama 3's own default. A real clock would give a text that
/// differs from day to day, and no result of yesterday would count any more.
pub const PRESENT: DateTime = jiff::civil::date(2024, 7, 26).at(0, 0, 0, 0);

const NAME: &str = "chat_template";

/// Work that one rendering may take: an instruction is 1, and so are 64 bytes of text made. The
/// longest of llama.cpp's collection takes some thousands for a short conversation. This is over in
/// about a second, with less than 128 MB made.
const FUEL: u64 = 2_000_000;

/// Stack of the thread that renders. Lists within lists are dropped and compared by recursion, and
/// the work above suffices for some hundred thousand levels. Only what is used is ever taken.
const STACK_BYTES: usize = 512 << 20;

/// Longest that one rendering may take. Work is counted, but not that of printing or comparing a list
/// that holds itself many times over.
const LONGEST: Duration = Duration::from_secs(20);

/// Calls of macros inside macros.
const DEEPEST: usize = 100;

/// Texts of tokens that templates write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTexts {
    /// `bos_token`; empty where the vocabulary has none.
    pub bos: String,
    /// `eos_token`; empty where the vocabulary has none.
    pub eos: String,
}

/// A chat template, ready to render.
#[derive(Debug)]
pub struct ChatTemplate {
    env: Arc<Environment<'static>>,
    tokens: SpecialTexts,
    needs: Needs,
}

impl ChatTemplate {
    /// Reads a template. `now` is what `strftime_now` gives it.
    ///
    /// Rules as transformers sets them (`trim_blocks`, `lstrip_blocks`, no escaping, `break` and
    /// `continue`, `{% generation %}`, Python's methods of strings and dicts, its `tojson`).
    /// Templates are taken for hostile: work, depth and text are bounded.
    ///
    /// Source: transformers 5.23, `utils/chat_template_utils.py`.
    pub fn new(source: &str, tokens: SpecialTexts, now: DateTime) -> Result<Self, TemplateError> {
        let mut env = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
        env.set_syntax(syntax);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.set_fuel(Some(FUEL));
        env.set_recursion_limit(DEEPEST);
        globals::add(&mut env, now);
        env.add_template_owned(NAME, markup::plain(source))?;
        let needs = Needs { content: Content::Both, arguments: Arguments::Objects };
        let mut template = Self { env: Arc::new(env), tokens, needs };
        let kwargs = Value::default();
        template.needs = Needs::of(|messages| template.raw(messages, None, &kwargs, false))?;
        Ok(template)
    }

    /// The text of a conversation; with `add_generation_prompt` it ends where the assistant's next
    /// turn begins.
    pub fn render(
        &self,
        conversation: &Conversation,
        add_generation_prompt: bool,
    ) -> Result<String, TemplateError> {
        self.render_messages(conversation, &conversation.messages, add_generation_prompt)
    }

    /// As [`ChatTemplate::render`], with other messages in the conversation's setting.
    pub(super) fn render_messages(
        &self,
        conversation: &Conversation,
        messages: &[Value],
        add_generation_prompt: bool,
    ) -> Result<String, TemplateError> {
        let messages = messages.iter().map(|message| message::adapt(message, self.needs)).collect();
        let Conversation { tools, kwargs, .. } = conversation;
        self.raw(messages, tools.clone(), kwargs, add_generation_prompt)
    }

    fn raw(
        &self,
        messages: Vec<Value>,
        tools: Option<Value>,
        kwargs: &Value,
        add_generation_prompt: bool,
    ) -> Result<String, TemplateError> {
        let context = context! {
            messages,
            add_generation_prompt,
            // Templates ask whether these are none; transformers always defines them.
            tools => tools,
            documents => (),
            bos_token => self.tokens.bos.as_str(),
            eos_token => self.tokens.eos.as_str(),
        };
        let context = merge_maps([context, kwargs.clone()]);
        let env = Arc::clone(&self.env);
        let render = move || -> Result<String, TemplateError> {
            Ok(env.get_template(NAME)?.render(context)?)
        };
        let (answer, answered) = mpsc::channel();
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        thread
            .spawn(move || answer.send(render()))
            .map_err(|error| TemplateError::Engine(error.to_string()))?;
        match answered.recv_timeout(LONGEST) {
            Ok(rendered) => rendered,
            Err(RecvTimeoutError::Timeout) => Err(TemplateError::Endless),
            Err(RecvTimeoutError::Disconnected) => {
                Err(TemplateError::Engine("the template engine failed".to_owned()))
            }
        }
    }
}
