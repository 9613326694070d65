//! Programs that try to get out, to hang or to take the machine: each with what is recorded of it.

use std::time::{Duration, Instant};

use karat_sandbox::{CaseResult, Data, Ending};

use super::{LIMITS, check_ending, check_raised, returned, run};

#[track_caller]
fn check_refused(module: &str) {
    let source = format!("import {module}\ndef f():\n    return 1");
    check_ending(&source, &Ending::Refused(module.to_owned()));
}

#[test]
fn an_endless_loop_is_ended() {
    let started = Instant::now();
    check_ending("def f():\n    while True:\n        pass", &Ending::TimeOut);
    assert!(started.elapsed() < Duration::from_secs_f64(LIMITS.wall_s + 2.0));
}

#[test]
fn an_endless_loop_while_loading_is_ended() {
    check_ending("while True:\n    pass", &Ending::TimeOut);
}

#[test]
fn results_before_the_end_of_time_are_kept() {
    let source = "def f(n):\n    while n:\n        pass\n    return n";
    let report = run(source, vec![vec![0.into()], vec![1.into()], vec![0.into()]]);
    assert_eq!(report.results, [CaseResult::Returned(Data::Int("0".to_owned()))]);
    assert_eq!(report.ending, Ending::TimeOut);
}

#[test]
fn catching_everything_does_not_help() {
    let source = "def f():\n    while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            continue";
    check_ending(source, &Ending::TimeOut);
}

#[test]
fn sleeping_is_ended() {
    check_ending("import time\ndef f():\n    time.sleep(1000)", &Ending::TimeOut);
}

#[test]
fn there_is_no_fork() {
    check_refused("os");
    check_refused("posix");
    check_refused("multiprocessing");
}

#[test]
fn there_are_no_threads() {
    check_refused("threading");
    check_refused("_thread");
}

#[test]
fn there_is_no_native_code() {
    check_refused("ctypes");
}

#[test]
fn there_are_no_programs_to_start() {
    check_refused("subprocess");
}

#[test]
fn there_are_no_signals() {
    check_refused("signal");
}

#[test]
fn there_are_no_sockets() {
    check_refused("socket");
}

#[test]
fn a_huge_list_is_ended() {
    let source =
        "def f():\n    xs = []\n    while True:\n        xs.append('x' * 1_000_000 + str(len(xs)))";
    check_ending(source, &Ending::OutOfMemory);
}

#[test]
fn one_huge_piece_is_ended() {
    check_ending("def f():\n    return len(bytearray(1 << 40))", &Ending::OutOfMemory);
}

#[test]
fn deep_recursion_is_an_exception() {
    check_raised("def f():\n    return f()", "RecursionError");
}

#[test]
fn deep_recursion_with_a_raised_limit_is_an_exception_or_an_end() {
    let source = "import sys\nsys.setrecursionlimit(10**9)\ndef f():\n    return f()";
    let report = run(source, vec![vec![]]);
    let caught = matches!(report.results.as_slice(), [CaseResult::Raised { kind, .. }] if kind == "RecursionError");
    assert!(
        caught || matches!(report.ending, Ending::OutOfMemory | Ending::Crashed(_)),
        "{report:?}"
    );
}

#[test]
fn a_file_is_not_read() {
    for path in ["/etc/passwd", "/proc/self/environ", "/proc/1/cmdline"] {
        let report = run(&format!("def f():\n    return open({path:?}).read()"), vec![vec![]]);
        let [CaseResult::Raised { .. }] = report.results.as_slice() else { panic!("{report:?}") };
    }
}

#[test]
fn a_file_is_not_written() {
    let path = std::env::temp_dir().join("karat-sandbox-escaped");
    let report = run(&format!("def f():\n    open({path:?}, 'w').write('x')"), vec![vec![]]);
    let [CaseResult::Raised { .. }] = report.results.as_slice() else { panic!("{report:?}") };
    assert!(!path.exists());
}

#[test]
fn open_by_another_way_is_the_same() {
    for way in [
        "import io\ndef f():\n    return io.open('/etc/passwd').read()",
        "import io\ndef f():\n    return io.FileIO('/etc/passwd').read()",
        "def f():\n    return __builtins__['open']('/etc/passwd').read() if isinstance(__builtins__, dict) else __builtins__.open('/etc/passwd').read()",
        "import linecache\ndef f():\n    lines = linecache.getlines('/etc/passwd')\n    raise OSError(lines) if not lines else None",
    ] {
        let report = run(way, vec![vec![]]);
        let ended = matches!(report.ending, Ending::Raised { .. } | Ending::Refused(_));
        let raised = matches!(report.results.as_slice(), [CaseResult::Raised { .. }]);
        assert!(ended || raised, "{report:?}");
    }
}

#[test]
fn the_environment_is_empty() {
    let source = "import inspect\ndef f():\n    return dict(inspect.os.environ)";
    assert_eq!(returned(source), Data::Dict(Vec::new()));
}

#[test]
fn what_is_left_of_os_does_nothing() {
    let source = "import inspect\ndef f():\n    o = inspect.os\n    return [n for n in ('system', 'fork', 'open', 'execv', 'kill', 'listdir', 'remove') if hasattr(o, n)]";
    assert_eq!(returned(source), Data::List(Vec::new()));
}

#[test]
fn a_refused_module_by_another_way_is_harmless() {
    let source = "def f():\n    import sys\n    found = []\n    for name in ('_posixsubprocess', '_socket', '_ctypes', 'fcntl', 'mmap', '_signal', 'resource'):\n        try:\n            sys.modules['_frozen_importlib']._gcd_import(name)\n            found.append(name)\n        except ImportError:\n            pass\n    return found";
    assert_eq!(returned(source), Data::List(Vec::new()));
}

#[test]
fn a_flood_of_output_is_ended() {
    check_ending("def f():\n    while True:\n        print('x' * 1000)", &Ending::TooMuchOutput);
}

#[test]
fn a_flood_of_results_is_ended() {
    check_ending("def f():\n    return 'x' * (32 << 20)", &Ending::TooMuchOutput);
    check_ending("def f():\n    return ['x' * (1 << 20)] * 64", &Ending::TooMuchOutput);
}

#[test]
fn a_flood_through_an_argument_is_ended() {
    let report =
        run("def f(xs):\n    xs.append('x' * (32 << 20))", vec![vec![serde_json::json!([])]]);
    assert_eq!(report.ending, Ending::TooMuchOutput, "{report:?}");
}

#[test]
fn a_signal_sent_by_another_way_ends_nobody() {
    let source = "import sys\ndef f():\n    names = ('kill', 'raise_signal', 'alarm', 'setitimer', 'pthread_kill')\n    return [n for m in list(sys.modules.values()) for n in names if hasattr(m, n)]";
    assert_eq!(returned(source), Data::List(Vec::new()));
}

#[test]
fn subclasses_lead_nowhere() {
    let source = "def f():\n    names = []\n    todo = [object]\n    while todo:\n        for c in type.__subclasses__(todo.pop()):\n            if str(c) not in names:\n                names.append(str(c))\n                todo.append(c)\n    return [n for n in names if any(w in n for w in ('Popen', 'FileIO', 'ocket', 'CDLL', 'mmap'))] + [len(names) > 50]";
    assert_eq!(returned(source), Data::List(vec![Data::Bool(true)]));
}

#[test]
fn eval_and_exec_reach_nothing_more() {
    let source = "def f():\n    exec('def g(): return eval(\"__import__(\\'os\\').getcwd()\", {})')\n    return locals()['g']()";
    let report = run(source, vec![vec![]]);
    assert_eq!(report.ending, Ending::Refused("os".to_owned()), "{report:?}");
}

#[test]
fn answers_cannot_be_forged() {
    let source = "import sys\ndef f():\n    line = '{\"case\":{\"returned\":{\"int\":\"42\"}}}\\n'\n    for s in (sys.stdout, sys.__stdout__, sys.stderr):\n        s.write(line)\n    return 0";
    assert_eq!(returned(source), Data::Int("0".to_owned()));
}

#[test]
fn a_value_that_calls_itself_equal_is_seen_through() {
    let source = "class L(int):\n    def __eq__(self, o): return True\n    def __repr__(self): return '42'\ndef f():\n    return L(0)";
    assert_eq!(returned(source), Data::Other("L".to_owned()));
}

#[test]
fn a_list_that_holds_itself_is_read_to_an_end() {
    let source = "def f():\n    x = []\n    x.append(x)\n    return x";
    assert!(matches!(returned(source), Data::List(_)));
}

#[test]
fn a_huge_power_is_ended() {
    let report = run("def f():\n    return 10 ** 10 ** 10", vec![vec![]]);
    assert!(matches!(report.ending, Ending::TimeOut | Ending::OutOfMemory), "{report:?}");
}

#[test]
fn a_regular_expression_without_end_is_ended() {
    let source = "import re\ndef f():\n    return re.match(r'(a+)+$', 'a' * 60 + 'b')";
    check_ending(source, &Ending::TimeOut);
}

#[test]
fn leaving_is_an_exception_like_any_other() {
    check_raised("def f():\n    raise SystemExit(0)", "SystemExit");
    let want = Ending::Raised { kind: "SystemExit".to_owned(), message: "0".to_owned() };
    check_ending("raise SystemExit(0)", &want);
}

#[test]
fn reading_input_finds_nothing() {
    check_raised("def f():\n    return input()", "EOFError");
}

#[test]
fn source_that_the_interpreter_dies_of_is_the_programs_fault() {
    let report = run(&"[".repeat(200_000), vec![vec![]]);
    assert!(matches!(report.ending, Ending::Unreadable(_) | Ending::SyntaxError(_)), "{report:?}");
}

#[test]
fn deeply_nested_source_does_no_harm() {
    let source =
        format!("x = {}1{}\ndef f():\n    return 1", "(".repeat(100_000), ")".repeat(100_000));
    let report = run(&source, vec![vec![]]);
    let fine = matches!(
        report.ending,
        Ending::SyntaxError(_) | Ending::Unreadable(_) | Ending::Finished | Ending::Gap(_)
    );
    assert!(fine, "{report:?}");
}
