//! The three answers: whether the training paid, what more memory buys, what was given up at all.
//! Values in, values out: rows of every instrument that was there, and nothing else.
//!
//! `asked` says which builds each question is about, `passes` and `texts` what tasks and texts say
//! about a pair, `standing` decides under one error for all of it, `sentence` and `besides` put it in
//! words, [`answers()`] puts them together. [`changed_at_once`] says where a pair cannot say what it is
//! about.

mod answers;
mod asked;
mod besides;
mod changed;
mod measurement;
mod passes;
mod sentence;
mod settings;
mod standing;
mod table;
mod texts;

pub use answers::answers;
pub use changed::changed_at_once;
pub use settings::VerdictSettings;
