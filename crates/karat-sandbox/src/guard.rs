//! Imports. Owns which modules are refused to programs, and tells what the interpreter lacks from what
//! a program may not have.

use std::cell::RefCell;
use std::rc::Rc;

use rustpython_vm::builtins::PyStr;
use rustpython_vm::function::FuncArgs;
use rustpython_vm::{AsObject, PyObjectRef, PyResult, VirtualMachine};

use super::interpreter::MAIN;

/// Modules that reach outside the process, or into the interpreter.
const REFUSED: &[&str] = &[
    "_ctypes",
    "_imp",
    "_io",
    "_posixsubprocess",
    "_socket",
    "_thread",
    "asyncio",
    "builtins",
    "code",
    "concurrent",
    "ctypes",
    "dbm",
    "ensurepip",
    "faulthandler",
    "fcntl",
    "ftplib",
    "gc",
    "glob",
    "http",
    "imaplib",
    "importlib",
    "marshal",
    "mmap",
    "multiprocessing",
    "nt",
    "os",
    "pathlib",
    "pickle",
    "pkgutil",
    "posix",
    "pty",
    "pwd",
    "resource",
    "runpy",
    "select",
    "selectors",
    "shutil",
    "signal",
    "smtplib",
    "socket",
    "socketserver",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "tkinter",
    "urllib",
    "venv",
    "webbrowser",
    "xmlrpc",
    "zipimport",
];

/// Modules of Python's standard library that are neither refused nor offered: a program that wants one
/// of them is right to, and the interpreter falls short.
const MISSING: &[&str] = &[
    "argparse",
    "array",
    "binascii",
    "bz2",
    "cmath",
    "configparser",
    "copyreg",
    "csv",
    "email",
    "fnmatch",
    "getopt",
    "getpass",
    "gettext",
    "gzip",
    "hashlib",
    "hmac",
    "html",
    "ipaddress",
    "itertools",
    "logging",
    "lzma",
    "math",
    "optparse",
    "platform",
    "plistlib",
    "queue",
    "sched",
    "secrets",
    "shlex",
    "stringprep",
    "symtable",
    "sysconfig",
    "tarfile",
    "time",
    "timeit",
    "tomllib",
    "traceback",
    "unicodedata",
    "unittest",
    "uuid",
    "xml",
    "zipfile",
    "zlib",
    "zoneinfo",
];

/// What a program tried to import in vain.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    refused: Rc<RefCell<Vec<String>>>,
    missing: Rc<RefCell<Vec<String>>>,
}

impl Seen {
    /// Modules that were refused, in order, each once.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.borrow().clone()
    }

    /// The first module that Python has and the sandbox has not.
    pub(crate) fn missing(&self) -> Option<String> {
        self.missing.borrow().first().cloned()
    }
}

fn note(list: &RefCell<Vec<String>>, name: &str) {
    let mut list = list.borrow_mut();
    if list.len() < 100 && !list.iter().any(|known| known == name) {
        list.push(name.to_owned());
    }
}

/// Puts itself before every import that a program makes. Modules of the standard library import each
/// other unhindered.
pub(crate) fn install(vm: &VirtualMachine) -> PyResult<Seen> {
    let seen = Seen::default();
    let noted = seen.clone();
    let original = vm.builtins.get_attr("__import__", vm)?;
    let import = move |args: FuncArgs, vm: &VirtualMachine| -> PyResult {
        let Some(root) = root(&args) else { return original.call(args, vm) };
        if by_program(&args, vm) && REFUSED.contains(&root.as_str()) {
            note(&noted.refused, &root);
            let name = vm.ctx.new_str(root.as_str());
            let message = format!("the sandbox has no module '{root}'");
            return Err(vm.new_import_error(message, name));
        }
        let imported = original.call(args, vm);
        if imported.is_err() && MISSING.contains(&root.as_str()) {
            note(&noted.missing, &root);
        }
        imported
    };
    vm.builtins.set_attr("__import__", vm.new_function("__import__", import), vm)?;
    Ok(seen)
}

/// The first part of the name of the module that is imported.
fn root(args: &FuncArgs) -> Option<String> {
    let name = args.args.first()?.downcast_ref::<PyStr>()?.to_str()?;
    Some(name.split('.').next().unwrap_or_default().to_owned())
}

/// Whether it is the program that imports.
fn by_program(args: &FuncArgs, vm: &VirtualMachine) -> bool {
    let globals = args.args.get(1).or_else(|| args.kwargs.get("globals"));
    let name = |globals: &PyObjectRef| globals.get_item("__name__", vm).ok();
    match globals.filter(|globals| !vm.is_none(globals)).and_then(name) {
        Some(name) => name.downcast_ref::<PyStr>().and_then(|name| name.to_str()) == Some(MAIN),
        None => true,
    }
}

/// Whether an exception is one of `SystemError`'s, which the interpreter raises about itself.
pub(crate) fn is_internal(kind: &str) -> bool {
    kind == "SystemError"
}

/// Name of an object's class.
pub(crate) fn class_name(object: &PyObjectRef) -> String {
    object.class().name().to_string()
}
