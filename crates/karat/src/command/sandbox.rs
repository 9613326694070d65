//! `karat sandbox`: the child in which model-written code runs, and how the parent starts it.

use std::process;

use karat_sandbox::Sandbox;

use crate::exit::Exit;
use crate::settings::Environment;

/// Where model-written code runs: a child of this binary.
pub fn code_sandbox(environment: &Environment) -> Sandbox {
    Sandbox { program: environment.program.clone(), args: vec!["sandbox".to_owned()] }
}

/// The child's side. The process ends with it: what a command needs is not there any more.
pub(super) fn run() -> Exit {
    process::exit(karat_sandbox::child_main().into())
}
