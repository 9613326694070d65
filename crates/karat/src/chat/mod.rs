//! Chat text: a model's own chat template, rendered as transformers and llama-server render it, and
//! which part of the text the model itself had to write. Values in, values out: no file, no clock,
//! no tokenizer.

mod conversation;
mod error;
mod globals;
mod markup;
mod message;
mod needs;
mod python_json;
mod script;
mod source;
mod template;

pub use conversation::{Conversation, ConversationError};
pub use error::TemplateError;
pub use script::{Script, ScriptError, Turn};
pub use source::template_source;
pub use template::{ChatTemplate, PRESENT, SpecialTexts};
