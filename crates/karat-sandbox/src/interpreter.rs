//! The interpreter: RustPython without access to its host, with the pure part of the standard library.
//! Loads a program, calls its function, and says what came of it.

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::compiler::{CompileError, Mode};
use rustpython_vm::convert::ToPyObject as _;
use rustpython_vm::frozen::FrozenLib;
use rustpython_vm::scope::Scope;
use rustpython_vm::{
    Interpreter, InterpreterBuilder, PyObjectRef, PyResult, Settings, VirtualMachine,
};

use super::convert::{data, object};
use super::guard::{self, Seen};
use super::protocol::{CaseResult, Ending, Line, Request};

/// What a program is called.
pub(crate) const MAIN: &str = "__main__";

/// Longest message of an exception that is kept, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Modules in Rust that programs, or the pure modules, may use.
const NATIVE: &[&str] = &[
    "_bisect",
    "_contextvars",
    "_datetime",
    "_heapq",
    "_json",
    "_opcode",
    "_random",
    "_sha1",
    "_sha2",
    "_md5",
    "_sha256",
    "_sha512",
    "_statistics",
    "_struct",
    "_suggestions",
    "_tokenize",
    "array",
    "binascii",
    "cmath",
    "math",
    "unicodedata",
];

/// The pure modules, frozen by the build script.
static LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));

/// Runs a request and says how it ended. How far it has come goes to `tell` as it comes: what it does
/// next, and the result of each call with the call's arguments as they are then. The modules that were
/// refused come back too.
pub(crate) fn run(request: &Request, tell: impl FnMut(&Line)) -> (Ending, Vec<String>) {
    let interpreter = build();
    interpreter.enter(|vm| {
        vm.recursion_limit.set(request.limits.recursion);
        // Registers the codecs that are not built in.
        match vm.import("encodings", 0).and_then(|_| guard::install(vm)) {
            Ok(seen) => {
                let ending = program(request, &seen, tell, vm);
                (ending, seen.refused())
            }
            Err(error) => (Ending::Gap(said(&error, vm).1), Vec::new()),
        }
    })
}

fn build() -> Interpreter {
    let mut settings = Settings::default();
    settings.isolated = true;
    settings.ignore_environment = true;
    settings.import_site = false;
    settings.install_signal_handlers = false;
    settings.write_bytecode = false;
    settings.allow_external_library = false;
    // The order of sets of strings is part of what some programs print: the same everywhere.
    settings.hash_seed = Some(0);
    let builder = InterpreterBuilder::new().settings(settings);
    let native: Vec<_> = rustpython_stdlib::stdlib_module_defs(&builder.ctx)
        .into_iter()
        .filter(|module| NATIVE.contains(&module.name.as_str()))
        .collect();
    builder.add_native_modules(&native).add_frozen_modules(FrozenLib::from_ref(LIBRARY)).build()
}

fn program(
    request: &Request,
    seen: &Seen,
    mut tell: impl FnMut(&Line),
    vm: &VirtualMachine,
) -> Ending {
    tell(&Line::Ready);
    let code = match vm.compile(&request.source, Mode::Exec, "<program>".to_owned()) {
        Ok(code) => code,
        Err(error) => return not_compiled(&error),
    };
    tell(&Line::Read);
    let scope = match vm.new_scope_with_main() {
        Ok(scope) => scope,
        Err(error) => return Ending::Gap(said(&error, vm).1),
    };
    if let Err(error) = vm.run_code_obj(code, scope.clone()) {
        return failed(&error, seen, vm);
    }
    let Some(function) = function(&scope, &request.function, vm) else {
        return Ending::NoFunction;
    };
    for call in &request.calls {
        let arguments = match arguments(call, vm) {
            Ok(arguments) => arguments,
            Err(error) => return Ending::Gap(said(&error, vm).1),
        };
        let result = match function.call(arguments.clone(), vm) {
            Ok(object) => CaseResult::Returned(data(&object, vm)),
            Err(error) => match failed(&error, seen, vm) {
                Ending::Raised { kind, message } => CaseResult::Raised { kind, message },
                ending => return ending,
            },
        };
        let arguments = arguments.iter().map(|object| data(object, vm)).collect();
        tell(&Line::Case { result, arguments });
    }
    Ending::Finished
}

fn function(scope: &Scope, name: &str, vm: &VirtualMachine) -> Option<PyObjectRef> {
    scope.globals.get_item_opt(name, vm).ok().flatten().filter(|object| object.is_callable())
}

fn arguments(call: &[serde_json::Value], vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    call.iter().map(|value| object(value, vm)).collect()
}

fn not_compiled(error: &CompileError) -> Ending {
    let (line, _) = error.python_location();
    let text = format!("line {line}: {error}");
    match error {
        CompileError::Codegen(inner) if inner.error.to_string().contains("not implemented") => {
            Ending::Gap(text)
        }
        _ => Ending::SyntaxError(text),
    }
}

/// What an exception means that the program did not catch.
fn failed(error: &PyBaseExceptionRef, seen: &Seen, vm: &VirtualMachine) -> Ending {
    let (kind, message) = said(error, vm);
    let is_import = matches!(kind.as_str(), "ImportError" | "ModuleNotFoundError");
    if let (true, Some(module)) = (is_import, seen.missing()) {
        return Ending::Gap(format!("the sandbox lacks Python's module `{module}`"));
    }
    if let (true, Some(module)) = (is_import, seen.refused().first()) {
        return Ending::Refused(module.clone());
    }
    match kind.as_str() {
        "MemoryError" => Ending::OutOfMemory,
        kind if guard::is_internal(kind) => Ending::Gap(format!("{kind}: {message}")),
        _ => Ending::Raised { kind, message },
    }
}

/// Class and text of an exception. Its text may be the program's own code.
fn said(error: &PyBaseExceptionRef, vm: &VirtualMachine) -> (String, String) {
    let object: PyObjectRef = error.clone().to_pyobject(vm);
    let kind = guard::class_name(&object);
    let text = match object.str(vm) {
        Ok(text) => text.to_string_lossy().chars().take(LONGEST_MESSAGE).collect(),
        Err(_) => String::new(),
    };
    (kind, text)
}
