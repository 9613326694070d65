//! Exit codes, in one place.

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok,
    /// Bad input, or an error; nothing half-written.
    Error,
    /// Some steps failed; what was measured is stored and reported.
    StepsFailed,
    /// Ctrl-C, or a request to end; what was measured is stored.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Error => 2,
            Self::StepsFailed => 3,
            // 128 + SIGINT, as shells count.
            Self::Interrupted => 130,
        }
    }
}

/// The list for `--help`.
pub const HELP: &str = "\
Exit codes:
  0  all went well
  2  bad input or an error; nothing half-written
  3  some steps failed (a worker died or hung); what was measured is stored and reported
  130  interrupted; what was measured is stored, and the same command goes on from there

Results, cache and demo builds live in KARAT_HOME, or --home DIR, else the XDG data folder.";
