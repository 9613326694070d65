//! What goes into the sandbox and what comes out. Values only.

use serde::{Deserialize, Serialize};

/// A program and what to call it with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Python source.
    pub source: String,
    /// Function that the program defines.
    pub function: String,
    /// Calls of it: the positional arguments of each.
    pub calls: Vec<Vec<serde_json::Value>>,
    /// What the program may use.
    pub limits: Limits,
}

/// What a program may use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Time by the clock for everything, the interpreter's start included, in seconds.
    pub wall_s: f64,
    /// Memory on top of the interpreter's own, in bytes.
    pub memory_bytes: u64,
    /// Depth of calls.
    pub recursion: usize,
    /// What the program may print, in bytes.
    pub output_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { wall_s: 10.0, memory_bytes: 512 << 20, recursion: 1000, output_bytes: 64 << 10 }
    }
}

/// A Python value. Numbers are text, because integers have no largest one and not every float has a
/// form in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer, in decimal.
    Int(String),
    /// A float, shortest form that reads back the same; `inf`, `-inf`, `NaN`.
    Float(String),
    /// Text.
    Str(String),
    /// A list.
    List(Vec<Data>),
    /// A tuple.
    Tuple(Vec<Data>),
    /// A set or frozen set, in no order.
    Set(Vec<Data>),
    /// A dictionary.
    Dict(Vec<(Data, Data)>),
    /// Something else: the name of its type.
    Other(String),
}

/// What came of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseResult {
    /// It returned.
    Returned(Data),
    /// It raised an exception.
    Raised {
        /// Name of the exception's class.
        kind: String,
        /// What it says, shortened.
        message: String,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every call was made.
    Finished,
    /// The source is no Python.
    SyntaxError(String),
    /// The interpreter died of reading the source, e.g. because it is nested without end.
    Unreadable(String),
    /// The program raised an exception before any call.
    Raised {
        /// Name of the exception's class.
        kind: String,
        /// What it says, shortened.
        message: String,
    },
    /// The program does not define the function.
    NoFunction,
    /// The program imported a module that reaches outside, and failed for want of it.
    Refused(String),
    /// Time was over.
    TimeOut,
    /// Memory was used up.
    OutOfMemory,
    /// More was printed than allowed.
    TooMuchOutput,
    /// The interpreter could not do what Python can: no fault of the program.
    Gap(String),
    /// The interpreter died: by a program that aims at it, or by its own fault.
    Crashed(String),
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Results of the first calls, as many as were finished.
    pub results: Vec<CaseResult>,
    /// The arguments of each of these calls, as they were when it was over: a function may have changed
    /// them.
    pub arguments: Vec<Vec<Data>>,
    /// How it ended.
    pub ending: Ending,
    /// What the program printed, up to the limit.
    pub output: String,
    /// Modules that reach outside and that the program tried to import, whether or not it mattered.
    pub refused: Vec<String>,
}

/// A line of the child's answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The interpreter is there, and reads the program next.
    Ready,
    /// It has read the program, and runs it next.
    Read,
    /// A call was made.
    Case { result: CaseResult, arguments: Vec<Data> },
    /// The run ended.
    End { ending: Ending, refused: Vec<String> },
}
