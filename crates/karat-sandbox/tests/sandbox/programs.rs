//! Honest programs: each gives what Python gives.

use karat_sandbox::{CaseResult, Data, Ending};
use serde_json::json;

use super::{check_ending, check_raised, returned, run};

fn int(value: i64) -> Data {
    Data::Int(value.to_string())
}

fn text(value: &str) -> Data {
    Data::Str(value.to_owned())
}

#[track_caller]
fn check_text(source: &str, want: &str) {
    assert_eq!(returned(source), text(want));
}

#[test]
fn arguments_and_results_keep_their_types() {
    let source = "def f(a, b, c):\n    return (a, b * 2, c['k'] + [None, True, 2**70, {1, }])";
    let report = run(source, vec![vec![json!(1), json!(0.25), json!({"k": ["ż"]})]]);
    let want = Data::Tuple(vec![
        int(1),
        Data::Float("0.5".to_owned()),
        Data::List(vec![
            text("ż"),
            Data::None,
            Data::Bool(true),
            Data::Int("1180591620717411303424".to_owned()),
            Data::Set(vec![int(1)]),
        ]),
    ]);
    assert_eq!(report.results, [CaseResult::Returned(want)]);
}

#[test]
fn dictionaries_keep_their_order() {
    let want = Data::Dict(vec![(text("b"), int(1)), (int(2), Data::List(vec![]))]);
    assert_eq!(returned("def f():\n    return {'b': 1, 2: []}"), want);
}

#[test]
fn every_call_has_its_own_result() {
    let report =
        run("def f(x):\n    return 10 // x", vec![vec![json!(5)], vec![json!(0)], vec![json!(2)]]);
    assert_eq!(report.results[0], CaseResult::Returned(int(2)));
    assert!(
        matches!(&report.results[1], CaseResult::Raised { kind, .. } if kind == "ZeroDivisionError")
    );
    assert_eq!(report.results[2], CaseResult::Returned(int(5)));
    assert_eq!(report.ending, Ending::Finished);
}

#[test]
fn arguments_come_back_as_the_function_left_them() {
    let source = "def f(xs, d):\n    xs.sort()\n    d['k'].append(xs[5])\n    return 0";
    let call = |xs: &[i64]| vec![json!(xs), json!({"k": []})];
    let report = run(source, vec![call(&[2, 1, 1, 1, 1, 3]), call(&[2, 1])]);
    let ints = |xs: &[i64]| Data::List(xs.iter().map(|x| int(*x)).collect());
    let held = |xs: &[i64]| Data::Dict(vec![(text("k"), ints(xs))]);
    let want = [vec![ints(&[1, 1, 1, 1, 2, 3]), held(&[3])], vec![ints(&[1, 2]), held(&[])]];
    assert_eq!(report.arguments, want);
    assert!(matches!(report.results[1], CaseResult::Raised { .. }), "{report:?}");
}

#[test]
fn classes_work() {
    check_text(
        "class A:\n    def __init__(self, n): self.n = n\n    @property\n    def twice(self): return self.n * 2\n\
         class B(A):\n    def __repr__(self): return f'B({self.n!r})'\n    def __lt__(self, o): return self.n < o.n\n\
         def f():\n    return repr(sorted([B(3), B(1)])) + str(B(4).twice)",
        "[B(1), B(3)]8",
    );
}

#[test]
fn comprehensions_generators_and_walrus_work() {
    check_text(
        "def g(n):\n    while n:\n        yield n\n        n -= 1\n\
         def f():\n    a = [x * y for x in range(3) for y in g(2) if (z := x + y) > 1]\n    d = {k: v for k, v in zip('ab', g(2))}\n    return f'{a} {d} {sum(x for x in g(4))} {z}'",
        "[0, 2, 1, 4, 2] {'a': 2, 'b': 1} 10 3",
    );
}

#[test]
fn typing_imports_work() {
    assert_eq!(
        returned(
            "from __future__ import annotations\nfrom typing import List, Tuple, Optional, Dict, Iterable, TypeVar, Generic\nT = TypeVar('T')\n\
             class Box(Generic[T]):\n    def __init__(self, x: T): self.x = x\n\
             def f(xs: Optional[List[Tuple[int, int]]] = None) -> Dict[str, int]:\n    return Box[int](7).x"
        ),
        int(7)
    );
}

#[test]
fn sorting_with_a_key_works() {
    check_text(
        "from operator import itemgetter\ndef f():\n    xs = [(2, 'b'), (1, 'z'), (2, 'a')]\n    return str(sorted(xs, key=lambda x: (-x[0], x[1])) + sorted(xs, key=itemgetter(1), reverse=True))",
        "[(2, 'a'), (2, 'b'), (1, 'z'), (1, 'z'), (2, 'b'), (2, 'a')]",
    );
}

#[test]
fn f_strings_work() {
    check_text(
        "def f():\n    x = 1234.5\n    s = 'ż'\n    return f'{x:>12,.2f}|{s!r}|{s:^5}|{255:#06x}|{x=}|{\"a\" if x else \"b\"}'",
        "    1,234.50|'ż'|  ż  |0x00ff|x=1234.5|a",
    );
}

#[test]
fn dataclasses_and_enums_work() {
    check_text(
        "from dataclasses import dataclass, field\nfrom enum import Enum\n\
         class C(Enum):\n    RED = 1\n\
         @dataclass(order=True)\nclass P:\n    x: int\n    tags: list = field(default_factory=list)\n\
         def f():\n    return str(P(1) < P(2)) + repr(P(3)) + C.RED.name",
        "TrueP(x=3, tags=[])RED",
    );
}

#[test]
fn regular_expressions_work() {
    check_text(
        "import re\ndef f():\n    return re.sub(r'(?P<w>\\w+)-(\\d+)', r'\\2:\\g<w>', 'ab-12 żółw-7') + str(re.findall(r'\\d', 'a1b2'))",
        "12:ab 7:żółw['1', '2']",
    );
}

#[test]
fn collections_and_itertools_work() {
    check_text(
        "from collections import Counter, defaultdict, deque, OrderedDict, namedtuple\nimport itertools, functools, heapq, bisect, math, string\n\
         P = namedtuple('P', 'x y')\n\
         @functools.lru_cache(maxsize=None)\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\n\
         def f():\n    d = defaultdict(list); d['a'].append(1)\n    q = deque([1, 2, 3], maxlen=2)\n    h = [3, 1, 2]; heapq.heapify(h)\n    return ' '.join(map(str, [Counter('aab').most_common(1), dict(d), list(q), heapq.heappop(h), bisect.bisect([1, 3], 2), list(itertools.accumulate([1, 2, 3])), fib(80), math.gcd(12, 18), math.comb(5, 2), P(1, 2).y, string.ascii_lowercase[:3]]))",
        "[('a', 2)] {'a': [1]} [2, 3] 1 1 [1, 3, 6] 23416728348467685 6 10 2 abc",
    );
}

#[test]
fn exact_numbers_and_dates_work() {
    check_text(
        "from decimal import Decimal, ROUND_HALF_UP\nfrom fractions import Fraction\nfrom datetime import date, timedelta, datetime\nimport calendar, statistics, json, random\n\
         def f():\n    random.seed(1); random.random()\n    return ' '.join(map(str, [Decimal('1.10') + Decimal('2.205').quantize(Decimal('0.01'), ROUND_HALF_UP), Fraction(1, 3) + Fraction(1, 6), date(2024, 2, 28) + timedelta(days=2), date(2024, 3, 1).strftime('%A'), calendar.isleap(1900), statistics.median([3, 1, 2]), json.dumps({'a': [1, None]}), datetime.strptime('2024-05-06', '%Y-%m-%d').day]))",
        "3.31 1/2 2024-03-01 Friday False 2 {\"a\": [1, null]} 6",
    );
}

#[test]
fn match_statements_and_exceptions_work() {
    check_text(
        "def k(x):\n    match x:\n        case {'t': [a, *rest]}: return f'{a}{rest}'\n        case int() | float(): return 'n'\n        case _: return '?'\n\
         class E(ValueError): pass\n\
         def f():\n    try:\n        try: raise E('x')\n        except KeyError: pass\n        finally: out = 'fin'\n    except ValueError as e:\n        out += str(e)\n    return out + k({'t': [1, 2]}) + k(2) + k('s')",
        "finx1[2]n?",
    );
}

#[test]
fn recursion_as_deep_as_pythons_works() {
    assert_eq!(
        returned(
            "def d(n):\n    return 0 if n == 0 else 1 + d(n - 1)\ndef f():\n    return d(900)"
        ),
        int(900)
    );
}

#[test]
fn what_is_printed_is_kept_apart() {
    let report = run(
        "import sys\ndef f():\n    print('hello', 1)\n    sys.stdout.write('there')\n    return 1",
        vec![vec![]],
    );
    assert_eq!(report.results, [CaseResult::Returned(int(1))]);
    assert_eq!(report.output, "hello 1\nthere");
}

#[test]
fn a_program_that_is_no_python_is_told() {
    let report = run("def f(:\n    return 1", vec![vec![]]);
    assert!(
        matches!(&report.ending, Ending::SyntaxError(why) if why.starts_with("line 1")),
        "{report:?}"
    );
}

#[test]
fn a_missing_function_is_told() {
    check_ending("def g():\n    return 1", &Ending::NoFunction);
    check_ending("f = 3", &Ending::NoFunction);
}

#[test]
fn an_exception_while_loading_is_told() {
    let want = Ending::Raised {
        kind: "NameError".to_owned(),
        message: "name 'nothing' is not defined".to_owned(),
    };
    check_ending("nothing\ndef f():\n    return 1", &want);
}

#[test]
fn a_module_that_python_has_and_the_sandbox_lacks_is_a_gap() {
    let report = run("import hashlib\ndef f():\n    return 1", vec![vec![]]);
    assert!(matches!(&report.ending, Ending::Gap(why) if why.contains("hashlib")), "{report:?}");
}

#[test]
fn a_module_that_python_does_not_have_is_the_programs_fault() {
    let report = run("import numpy\ndef f():\n    return 1", vec![vec![]]);
    assert!(
        matches!(&report.ending, Ending::Raised { kind, .. } if kind == "ModuleNotFoundError"),
        "{report:?}"
    );
}

#[test]
fn an_exception_of_the_programs_own_is_named() {
    check_raised("class Mine(Exception):\n    pass\ndef f():\n    raise Mine('x')", "Mine");
}
