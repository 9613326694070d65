//! The rules that `tidy` enforces, as data: who may name whom, and what is allowed where.
//! To add a module, a crate or an exception, change a line here and give the reason.

/// Longest file, in lines before its test module. Longer ones read badly.
pub const MAX_LINES: usize = 400;

/// Files that are longer on purpose: path and reason.
pub const LONG_FILES: &[(&str, &str)] = &[];

/// Marks of unfinished work, as whole words, in code and comments alike. (Split, so that this
/// file does not find itself.)
pub const UNFINISHED: &[&str] = &[
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("TO", "DO"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

/// Crates of the workspace and the ones among them that each may depend on. Dependencies point
/// down: makers and judge meet at GGUF files, and nothing depends on the judge.
pub const CRATES: &[(&str, &[&str])] = &[
    ("karat-gguf", &[]),
    ("karat-llama", &[]),
    ("karat-quant", &["karat-gguf", "karat-llama"]),
    ("karat-qat", &["karat-gguf"]),
    ("karat-sandbox", &[]),
    ("karat", &["karat-gguf", "karat-llama", "karat-quant", "karat-qat", "karat-sandbox"]),
];

/// A top-level module of crate `karat` and the others that it may name.
pub struct Module {
    pub name: &'static str,
    pub may_name: &'static [&'static str],
}

/// Any module at all.
pub const ANY: &str = "*";

/// From the bottom up. What is not listed here is refused, so that a new module gets its place
/// in the order on purpose.
pub const MODULES: &[Module] = &[
    // Values and vocabulary.
    Module { name: "units", may_name: &[] },
    Module { name: "clock", may_name: &[] },
    Module { name: "digest", may_name: &[] },
    Module { name: "exit", may_name: &[] },
    Module { name: "visible", may_name: &[] },
    Module { name: "record", may_name: &["units"] },
    Module { name: "generation", may_name: &["chat", "record", "units"] },
    // Values in, values out.
    Module { name: "stats", may_name: &["units"] },
    Module { name: "metric", may_name: &["record", "stats", "units"] },
    // Headers and mapped data come from the caller.
    Module { name: "anatomy", may_name: &["digest", "memory", "record", "visible"] },
    Module { name: "memory", may_name: &["record", "units", "visible"] },
    Module { name: "chat", may_name: &[] },
    Module { name: "verdict", may_name: &["record", "stats", "task", "units"] },
    // The edges: environment, machine, terminal, disk, models, engines.
    Module { name: "settings", may_name: &["generation", "units"] },
    Module { name: "machine", may_name: &["record", "units"] },
    Module { name: "ui", may_name: &["clock", "settings", "units", "visible"] },
    Module { name: "store", may_name: &["digest", "clock", "record", "units"] },
    Module { name: "report", may_name: &["anatomy", "record", "ui", "units", "visible"] },
    Module {
        name: "model",
        may_name: &["digest", "clock", "record", "settings", "store", "units", "visible"],
    },
    Module {
        name: "backend",
        may_name: &[
            "chat",
            "clock",
            "digest",
            "generation",
            "model",
            "record",
            "settings",
            "units",
        ],
    },
    Module { name: "task", may_name: &["chat", "digest", "generation", "record", "units"] },
    // What puts them together. A plan knows the store's keys, to tell what is already there; the
    // worker's messages carry parts of a plan.
    Module {
        name: "plan",
        may_name: &[
            "digest",
            "generation",
            "memory",
            "model",
            "record",
            "settings",
            "store",
            "task",
            "units",
        ],
    },
    Module {
        name: "worker",
        may_name: &[
            "clock",
            "generation",
            "machine",
            "plan",
            "record",
            "settings",
            "task",
            "units",
            "visible",
        ],
    },
    Module {
        name: "instrument",
        may_name: &[
            "backend",
            "chat",
            "clock",
            "generation",
            "machine",
            "memory",
            "metric",
            "model",
            "plan",
            "record",
            "settings",
            "stats",
            "task",
            "units",
            "worker",
        ],
    },
    // The verbs: arguments become settings and jobs, commands run them.
    Module {
        name: "cli",
        may_name: &["exit", "generation", "record", "report", "settings", "ui", "units", "worker"],
    },
    Module { name: "command", may_name: &[ANY] },
];

/// Words or paths that are allowed in few places only. They are looked for in code, comments,
/// strings and test modules apart.
pub struct Confined {
    pub needles: &'static [&'static str],
    /// Where the rule holds: path prefixes.
    pub within: &'static [&'static str],
    /// Where the needles are allowed: path prefixes.
    pub allowed: &'static [&'static str],
    pub why: &'static str,
}

pub const CONFINED: &[Confined] = &[
    Confined {
        needles: &["unsafe"],
        within: &["crates/", "xtask/"],
        allowed: &[
            "crates/karat-llama/",
            "crates/karat-gguf/src/gguf.rs",
            "crates/karat/src/metric/kernel",
            "crates/karat/src/worker/limits.rs",
        ],
        why: "unsafe code lives in the engine's wrapper, the memory map, the SIMD kernels and \
              the process limits",
    },
    Confined {
        needles: &["llama_cpp_sys_2"],
        within: &["crates/"],
        allowed: &["crates/karat-llama/"],
        why: "only karat-llama calls the engine",
    },
    Confined {
        needles: &["rusqlite"],
        within: &["crates/"],
        allowed: &["crates/karat/src/store/"],
        why: "only store/ knows SQL",
    },
    Confined {
        needles: &["env::var", "env::var_os", "env::vars", "env::vars_os"],
        within: &["crates/karat/src/"],
        allowed: &["crates/karat/src/settings"],
        why: "only settings/ reads the environment",
    },
    Confined {
        needles: &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"],
        within: &["crates/karat/src/"],
        allowed: &["crates/karat/src/clock.rs"],
        why: "only clock.rs reads the time",
    },
    Confined {
        needles: &["std::env", "std::fs", "std::io", "std::net", "std::process"],
        within: &[
            "crates/karat/src/chat",
            "crates/karat/src/metric",
            "crates/karat/src/stats",
            "crates/karat/src/memory",
            "crates/karat/src/verdict",
            "crates/karat/src/record/",
            "crates/karat/src/units.rs",
        ],
        allowed: &[],
        why: "chat templates, metrics, statistics, memory planning, verdict and rows do no I/O",
    },
    Confined {
        needles: &["println!", "eprintln!", "print!", "eprint!"],
        within: &["crates/karat/src/"],
        allowed: &["crates/karat/src/ui"],
        why: "only ui/ prints",
    },
];
