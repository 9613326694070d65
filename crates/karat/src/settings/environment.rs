//! The process's surroundings: karat's home folder, its own program file, terminal wishes.

use std::env;
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use etcetera::BaseStrategy;

/// Why the surroundings are unusable.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// No folder for data.
    #[error("no home folder is known; set KARAT_HOME or give --home DIR")]
    NoHome,
    /// This program's own file is gone.
    #[error("cannot find karat's own program file: {0}")]
    NoProgram(io::Error),
}

/// What is read from the environment, once.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Runs, cache and builds of the demo live here.
    pub home: PathBuf,
    /// This program's own file, to start workers from.
    pub program: PathBuf,
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// Threads to use unless told: all processors.
    pub n_threads: u32,
    /// The command line as typed.
    pub command_line: String,
}

impl Environment {
    /// `home`: the folder given with `--home`, if any; else `KARAT_HOME`, else the XDG data folder.
    pub fn read(home: Option<PathBuf>) -> Result<Self, EnvironmentError> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let home = match home.or_else(|| set("KARAT_HOME").map(PathBuf::from)) {
            Some(home) => home,
            None => etcetera::choose_base_strategy()
                .map_err(|_| EnvironmentError::NoHome)?
                .data_dir()
                .join("karat"),
        };
        Ok(Self {
            home,
            program: env::current_exe().map_err(EnvironmentError::NoProgram)?,
            no_color: set("NO_COLOR").is_some(),
            n_threads: thread::available_parallelism().map_or(1, NonZero::get) as u32,
            command_line: command_line(),
        })
    }
}

/// Arguments joined by spaces, those with spaces quoted; the program by its name alone.
fn command_line() -> String {
    let words = env::args_os().skip(1).map(|word| {
        let word = word.to_string_lossy().into_owned();
        let plain = !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '\'');
        if plain { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    std::iter::once("karat".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
