//! Runs Python that a language model wrote: no network, no files, no environment, and limits on time,
//! memory, recursion and output. Needs no Python, no container and no rights.
//!
//! The program runs in an interpreter that was built without access to its host, inside a child
//! process that gave up its own rights before it read the program: address space, processor time and
//! file size are limited, and on Linux every system call but a few is refused. The parent kills it when
//! its time is over. What a program is called with goes in, and what its function returns comes out;
//! what should come out is not known inside.
//!
//! [`Sandbox`] is the parent's side, [`child_main`] the child's.

mod child;
mod confine;
mod convert;
mod guard;
mod interpreter;
mod protocol;
mod sandbox;

pub use child::child_main;
pub use protocol::{CaseResult, Data, Ending, Limits, Report, Request};
pub use sandbox::{Sandbox, SandboxError};
