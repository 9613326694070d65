//! The sandbox's child as a program of its own, for the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(karat_sandbox::child_main())
}
