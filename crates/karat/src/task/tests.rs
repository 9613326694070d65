//! The bundled families, what they give, and what is refused of a user's own.

use std::collections::BTreeSet;

use karat_sandbox::Sandbox;
use serde_json::json;

use super::score::{Answer, Means};
use super::{Drawing, Family, Instance, Outcome, Suite, TaskError, Values, bundled, read_folder};

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn instances(suite: &Suite, seed: u64, fixed: &Values) -> Vec<Instance> {
    suite.instances(Drawing { seed, count_tokens: &words, fixed }).unwrap()
}

/// Logs are shortened, because counting their tokens takes most of the time.
fn short_logs() -> Values {
    json!({"log_tokens": 600}).as_object().unwrap().clone()
}

#[test]
fn the_full_suite_has_twelve_families_and_288_instances_in_four_languages() {
    let suite = Suite::full().unwrap();
    let all = instances(&suite, 0, &short_logs());
    assert_eq!((suite.families().len(), suite.n_instances(), all.len()), (12, 288, 288));
    let of = |language: &str| all.iter().filter(|instance| instance.language == language).count();
    assert_eq!(["en", "pl", "de", "fr"].map(of), [81, 81, 63, 63]);
    let in_four = suite.families().into_iter().filter(|family| family.languages.len() == 4);
    assert_eq!(in_four.count(), 10, "the other two are of code");
}

#[test]
fn instances_differ_and_have_names_of_their_own() {
    for seed in [0, 1, 99] {
        let all = instances(&Suite::full().unwrap(), seed, &short_logs());
        let names: BTreeSet<&str> = all.iter().map(|instance| instance.id.as_str()).collect();
        let prompts: BTreeSet<String> =
            all.iter().map(|instance| format!("{:?}", instance.messages)).collect();
        assert_eq!((names.len(), prompts.len()), (all.len(), all.len()));
    }
}

#[test]
fn the_same_seed_gives_the_same_instances_and_another_gives_others() {
    let suite = Suite::full().unwrap();
    let digests = |seed| -> Vec<String> {
        instances(&suite, seed, &short_logs()).iter().map(Instance::question_digest).collect()
    };
    let first = digests(0);
    assert_eq!(first, digests(0));
    let others = digests(1);
    let n_same = first.iter().zip(&others).filter(|(first, other)| first == other).count();
    assert!(n_same < first.len() / 2, "{n_same}");
}

#[test]
fn more_instances_begin_with_the_same_ones() {
    let family =
        bundled().unwrap().into_iter().find(|family| family.name == "exact_arithmetic").unwrap();
    let fixed = Values::new();
    let drawing = Drawing { seed: 7, count_tokens: &words, fixed: &fixed };
    let (few, many) =
        (family.instances("de", 3, drawing).unwrap(), family.instances("de", 30, drawing).unwrap());
    assert_eq!(few, many[..3]);
}

#[test]
fn reference_answers_pass_and_empty_words_do_not() {
    // Code needs the sandbox's process: tests/task_code.rs runs it.
    let sandbox = Sandbox { program: "/nonexistent/sandbox".into(), args: Vec::new() };
    let means = Means { sandbox: &sandbox };
    let mut n = 0;
    for seed in [0, 5] {
        for instance in instances(&Suite::full().unwrap(), seed, &short_logs()) {
            if instance.scorer["kind"] == "code" {
                continue;
            }
            let scorer = instance.scorer().unwrap();
            let score = scorer.judge(&scorer.reference().unwrap(), means);
            assert_eq!(score.outcome, Outcome::Pass, "{}: {score:?}", instance.id);
            let score =
                scorer.judge(&Answer::text("I would rather not say anything about it."), means);
            assert_ne!(score.outcome, Outcome::Pass, "{}: {score:?}", instance.id);
            n += 1;
        }
    }
    assert!(n > 300, "{n}");
}

#[test]
fn the_quick_suite_is_the_original_six() {
    let suite = Suite::quick().unwrap();
    let quick = instances(&suite, 0, &short_logs());
    let ids: Vec<&str> = quick.iter().map(|instance| instance.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "code_from_spec/en/0",
            "strict_json/en/0",
            "multilingual/pl/0",
            "constraint_conflict/en/0",
            "exact_arithmetic/en/0",
            "long_context_recall/en/0",
        ]
    );
    assert_eq!(quick[0].scorer["function"], "merge_intervals");
    assert_eq!(
        quick[3].scorer["readings"],
        json!([["all capital letters"], ["all small letters"]])
    );
    assert_eq!(quick[4].scorer["expected"], "1007.5");
    let family = suite.families().into_iter().find(|family| family.name == "long_context_recall");
    let values = &family.unwrap().file;
    assert_eq!(values.values["log_tokens"].as_integer(), Some(12_000));
    assert_eq!(values.first.values["depth"].as_integer(), Some(50));
}

#[test]
fn a_few_prompts_as_they_are_asked() {
    let suite = Suite::full().unwrap();
    let all = instances(&suite, 0, &json!({"log_tokens": 120}).as_object().unwrap().clone());
    let mut shown = Vec::new();
    for family in suite.families() {
        for language in &family.languages {
            let id = format!("{}/{language}/1", family.name);
            let instance = all.iter().find(|instance| instance.id == id).unwrap();
            shown.push(format!("== {id}"));
            let messages = instance.messages.iter();
            shown.extend(messages.map(|message| format!("{}: {}", message.role, message.content)));
            shown.push(format!("-- {}\n", instance.scorer));
        }
    }
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn length_and_depth_of_the_log_can_be_chosen() {
    let suite = Suite::quick().unwrap().only(&["long_context_recall".to_owned()]).unwrap();
    for (depth, tokens) in [(0, 400), (50, 3000), (100, 400)] {
        let fixed = json!({"log_tokens": tokens, "depth": depth}).as_object().unwrap().clone();
        let all = instances(&suite, 0, &fixed);
        let text = &all[0].messages[0].content;
        let log: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        let answer = all[0].scorer["answer"].as_str().unwrap();
        let place = log.iter().position(|line| line.contains(answer)).unwrap();
        let want = (log.len() - 1) * depth / 100;
        assert!(place.abs_diff(want) <= 1, "{place} of {}", log.len());
        let n_words: usize = log.iter().map(|line| words(line)).sum();
        assert!(n_words <= tokens && n_words + 20 > tokens, "{n_words} of {tokens}");
    }
}

#[test]
fn instances_go_through_json_unchanged() {
    let suite = Suite::quick().unwrap();
    for instance in instances(&suite, 3, &short_logs()) {
        let text = serde_json::to_string(&instance).unwrap();
        assert_eq!(serde_json::from_str::<Instance>(&text).unwrap(), instance);
    }
}

const OWN: &str = r#"
name = "own"
title = "Own"
probes = "nothing"
max_tokens = 10
instances = 3

[values]
n = { kind = "int", min = 1, max = 9 }

[scorer]
kind = "number"
expected = "{{ n }}"

[language.en]
prompt = "Say {{ n }}."
"#;

/// The error of a changed file.
#[track_caller]
fn check_refused(from: &str, to: &str, want: &str) {
    assert!(OWN.contains(from));
    let error = match Family::parse("own.toml", &OWN.replace(from, to)) {
        Err(error) => error,
        Ok(family) => Suite::of("own", vec![family])
            .instances(Drawing { seed: 0, count_tokens: &words, fixed: &Values::new() })
            .unwrap_err(),
    };
    let text = error.to_string();
    assert!(text.contains(want), "{text}");
    assert!(text.starts_with("own.toml") && !text.contains('\n'), "{text}");
}

#[test]
fn a_users_own_file_works_and_its_mistakes_are_told_in_a_line() {
    check_refused("max_tokens = 10", "max_token = 10", "line 5: unknown field `max_token`");
    check_refused("max_tokens = 10", "max_tokens = -1", "line 5: invalid value");
    check_refused("max_tokens = 10", "max_tokens = 0", "`max_tokens` is 0");
    check_refused("title = \"Own\"\n", "", "missing field `title`");
    check_refused("name = \"own\"", "name = \"mine\"", "the file has to be mine.toml");
    check_refused("name = \"own\"", "name = \"Own tasks\"", "small letters");
    check_refused("\"int\"", "\"integer\"", "`values.n` of en: `integer` is no kind of generator");
    check_refused("min = 1", "min = 10", "nothing between 10 and 9");
    check_refused("\"number\"", "\"nmber\"", "`scorer` of en: `nmber` is no kind of scorer");
    check_refused("\"{{ n }}\"", "\"{{ m }}\"", "`scorer` of en: `m` has no value");
    check_refused("Say {{ n }}", "Say {{ n", "`prompt` of en: syntax error");
    check_refused(
        "Say {{ n }}",
        "Say {% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "fuel",
    );
    check_refused("prompt =", "pompt =", "language.en: unknown field `pompt`");
    check_refused("[language.en]\nprompt = \"Say {{ n }}.\"", "", "missing field `language`");
    check_refused(
        "instances = 3",
        "instances = 10",
        "en gives only 9 different instances, 10 were asked for",
    );
    check_refused("kind = \"int\"", "kind = int", "line 9");
}

#[test]
fn a_folder_of_tasks_is_read() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read_folder(folder.path()), Err(TaskError::Empty { .. })));
    assert!(matches!(read_folder(&folder.path().join("none")), Err(TaskError::Read { .. })));
    std::fs::write(folder.path().join("own.toml"), OWN).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not a task").unwrap();
    let families = read_folder(folder.path()).unwrap();
    let all = instances(&Suite::of("own", families), 0, &Values::new());
    assert_eq!(all.len(), 3);
    assert_eq!(all[2].id, "own/en/2");
    assert!(all[0].messages[0].content.contains(&all[0].scorer["expected"].to_string()));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("x.toml")).unwrap();
    let error = read_folder(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("x.toml`: it is no regular file"), "{error}");
}

#[test]
fn values_that_double_are_refused_before_they_take_the_memory() {
    let doubled = (1..40).map(|n| format!("v{n} = \"{{{{ [v{0}, v{0}] }}}}\"\n", n - 1));
    let first = "v0 = \"{{ range(1000) | list }}\"\n".to_owned();
    let values: String = std::iter::once(first).chain(doubled).collect();
    let text = OWN.replace("[values]\n", &format!("[values]\n{values}"));
    let family = Family::parse("own.toml", &text).unwrap();
    let drawing = Drawing { seed: 0, count_tokens: &str::len, fixed: &Values::new() };
    let error = family.instances("en", 1, drawing).unwrap_err().to_string();
    // The first has 3,891 bytes, the twelfth 2,048 times as many: with those before it too much.
    assert!(
        error.starts_with("own.toml: `values.v11` of en: the values of a task take"),
        "{error}"
    );
}

#[test]
fn a_family_named_twice_is_asked_once() {
    let names = ["strict_json", "bug_fix", "strict_json"].map(str::to_owned);
    let suite = Suite::full().unwrap().only(&names).unwrap();
    let once = Suite::full().unwrap().only(&names[..2]).unwrap();
    assert_eq!(suite.n_instances(), once.n_instances());
}

#[test]
fn unknown_families_are_told_with_the_known_ones() {
    let error = Suite::full().unwrap().only(&["arithmetic".to_owned()]).unwrap_err().to_string();
    assert!(
        error.contains("no task family `arithmetic`; there are bug_fix, code_from_spec"),
        "{error}"
    );
}
