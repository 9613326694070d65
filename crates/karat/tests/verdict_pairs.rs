//! Pairs that the answers are about: what differs within them, and which losses matter.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod behaviour_sample;
mod verdict_sample;

use behaviour_sample::{asked, family, model, with_cost};
use karat::instrument::behaviour::summarize;
use karat::record::{
    Answer, Estimate, Margins, ModelRecord, ModelRole, Question, Severity, Verdict,
};
use karat::task::Attempt;
use karat::verdict::{VerdictSettings, answers, changed_at_once};
use verdict_sample::{against, four, text_row, versus};

/// Everything that is said to have changed at once between builds with these rows.
fn changed(models: &[ModelRecord], rows: &[Estimate]) -> Vec<String> {
    let answers = answers(models, rows, &VerdictSettings::at_level(0.95));
    let findings = changed_at_once(models, rows, &answers);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Warning));
    findings.into_iter().map(|finding| finding.message).collect()
}

/// Rows of tasks that all models pass.
fn tasks(models: &[ModelRecord]) -> Vec<Estimate> {
    let attempts: Vec<_> = models.iter().map(|_| family("a", "pp")).collect();
    summarize(models, &attempts, &asked()).estimates
}

fn typed(mut model: ModelRecord, kind: &str) -> ModelRecord {
    model.tensor_types.insert(kind.to_owned(), 100);
    model
}

/// Original, bigger build, QAT file, twin, each with its tensor types.
fn typed_four() -> Vec<ModelRecord> {
    let kinds = ["BF16", "Q8_0", "Q4_0", "Q4_0"];
    four().into_iter().zip(kinds).map(|(model, kind)| typed(model, kind)).collect()
}

#[test]
fn a_qat_file_of_another_format_changes_two_things_and_its_twin_none_but_training() {
    let models = typed_four();
    let said = changed(&models, &tasks(&models));
    let one = "changed at once: qat differs from Q8_0 and bf16 in training and tensor types; ";
    assert!(said.len() == 1 && said[0].starts_with(one), "{said:?}");
    // Without a twin the same is what there is to say of the recipe.
    let said = changed(&models[..3], &tasks(&models[..3]));
    assert!(said.len() == 1 && said[0].starts_with(one), "{said:?}");
    // Plain builds of one original differ in nothing but their types.
    let plain = [
        models[0].clone(),
        models[1].clone(),
        typed(model("q4", ModelRole::Candidate, 7.2, &[]), "Q4_0"),
    ];
    assert_eq!(changed(&plain, &tasks(&plain)), [""; 0]);
}

#[test]
fn templates_count_where_tasks_were_asked() {
    let mut models = typed_four();
    for (model, template) in models.iter_mut().zip(["a", "a", "a", "b"]) {
        model.template_sha256 = Some(template.to_owned());
    }
    let said = changed(&models, &tasks(&models));
    assert!(said.iter().any(|one| one.contains("twin in training and chat template")), "{said:?}");
    let texts = [versus("twin", text_row("ln_ppl_ratio", "qat", "english", 0.0, 0.01))];
    let said = changed(&models, &texts);
    assert!(said.iter().all(|one| !one.contains("template")), "{said:?}");
}

#[test]
fn another_server_is_another_thing() {
    let mut models = vec![
        model("q4", ModelRole::Candidate, 7.2, &[]),
        model("q8", ModelRole::Candidate, 12.7, &[]),
    ];
    "ollama:q4".clone_into(&mut models[0].path);
    models[0].tensor_types.insert("Q4_0".to_owned(), 1);
    models[1].tensor_types.insert("Q8_0".to_owned(), 1);
    let said = changed(&models, &tasks(&models));
    assert!(
        said[0].contains("q4 differs from q8 in tensor types and the engine or server"),
        "{said:?}"
    );
    "ollama:q8".clone_into(&mut models[1].path);
    assert_eq!(changed(&models, &tasks(&models)), [""; 0]);
}

#[test]
fn another_kv_cache_than_the_originals_is_another_thing() {
    let models = [typed_four()[0].clone(), typed_four()[1].clone()];
    let row = text_row("ln_ppl_ratio", "Q8_0 kv q8_0", "english", 0.0, 0.01);
    let said = changed(&models, &[against("bf16", row)]);
    assert!(
        said[0].contains("Q8_0 differs from bf16 in tensor types and KV cache type"),
        "{said:?}"
    );
}

#[test]
fn another_sampling_is_another_thing_where_each_build_has_its_own() {
    let mut models = [typed_four()[0].clone(), typed_four()[1].clone()];
    models[0].recommended_sampling = Some("temperature 1, top-k 64".to_owned());
    let mut rows = tasks(&models);
    assert_eq!(changed(&models, &rows), [""; 0], "greedy is the same for all");
    for row in &mut rows {
        row.setting.insert("sampling".to_owned(), "recommended".to_owned());
    }
    let said = changed(&models, &rows);
    assert!(said[0].contains("Q8_0 differs from bf16 in tensor types and sampling"), "{said:?}");
}

#[test]
fn sizes_that_no_server_tells_are_not_compared() {
    let served = |name| ModelRecord { bytes: 0, ..model(name, ModelRole::Candidate, 7.0, &[]) };
    let models = [served("http://a/v1#q4"), served("http://a/v1#q8")];
    let all = answers(&models, &tasks(&models), &VerdictSettings::at_level(0.95));
    let budget = all.iter().find(|answer| answer.question == Question::Budget).unwrap();
    assert_eq!((budget.verdict, &budget.candidate), (Verdict::NotAsked, &None), "{budget:?}");
    assert!(budget.sentence.contains("known size"), "{}", budget.sentence);
}

/// The answer on the recipe with these margins.
fn recipe(rows: &[Estimate], margins: Margins) -> Verdict {
    let settings = VerdictSettings { margins, ..VerdictSettings::at_level(0.95) };
    let all = answers(&four(), rows, &settings);
    all.into_iter().find(|answer| answer.question == Question::Recipe).unwrap().verdict
}

#[test]
fn a_loss_is_judged_by_the_margin_that_was_declared() {
    let margins = Margins::default();
    // A loss of 2 % of perplexity, give or take a half.
    let text = [versus("twin", text_row("ln_ppl_ratio", "qat", "english", 0.02, 0.005))];
    assert_eq!(recipe(&text, margins), Verdict::Worse);
    assert_eq!(recipe(&text, Margins { ln_ppl: 0.03, ..margins }), Verdict::NotWorse);
    // Of 400 tasks each alone passes ten.
    let one = |last: &str| -> Vec<_> {
        let outcomes = format!("{}{last}", "p".repeat(38));
        (0..10).flat_map(|i| family(&format!("family_{i}"), &outcomes)).collect()
    };
    let attempts = [Vec::new(), Vec::new(), one("pf"), one("fp")];
    let tasks = summarize(&four(), &attempts, &asked()).estimates;
    assert_eq!(recipe(&tasks, margins), Verdict::NotWorse);
    assert_eq!(recipe(&tasks, Margins { pass_rate: 0.005, ..margins }), Verdict::CannotTell);
}

#[test]
fn distance_has_a_margin_of_its_own() {
    let mut models = four();
    models[2].lineage.clear();
    models.truncate(3);
    let rows =
        [versus("Q8_0", against("bf16", text_row("kld_mean_diff", "qat", "english", 0.02, 0.005)))];
    let budget = |kld| {
        let margins = Margins { kld, ..Margins::default() };
        let settings = VerdictSettings { margins, ..VerdictSettings::at_level(0.95) };
        let all = answers(&models, &rows, &settings);
        all.into_iter().find(|answer| answer.question == Question::Budget).unwrap().verdict
    };
    assert_eq!([budget(0.01), budget(0.03)], [Verdict::Worse, Verdict::NotWorse]);
}

#[test]
fn the_text_that_decides_is_told_first_and_a_gain_is_no_loss_within_the_margin() {
    let text =
        |scope, value, half| versus("twin", text_row("ln_ppl_ratio", "qat", scope, value, half));
    let rows = [text("english", -0.002, 0.004), text("polish", -0.02, 0.004)];
    let all = answers(&four(), &rows, &VerdictSettings::at_level(0.95));
    let recipe = all.iter().find(|answer| answer.question == Question::Recipe).unwrap();
    assert_eq!(recipe.verdict, Verdict::Better);
    let told = "perplexity 1.98 % lower [-2.37, -1.59] on polish; \
                perplexity 0.20 % lower [-0.60, +0.20] (a loss of 1.0 % is excluded) on english.";
    assert!(recipe.sentence.ends_with(told), "{}", recipe.sentence);
}

/// The ceiling of one plain build, with perplexity rows that have no interval, each of so many windows.
#[track_caller]
fn check_without_interval(texts: &[(&str, u64)], stopped: &[&str], more: &[Estimate], said: &str) {
    let bare = |(scope, n): &(&str, u64)| Estimate {
        lo: None,
        hi: None,
        level: None,
        n: *n,
        ..against("bf16", text_row("ln_ppl_ratio", "q4", scope, 0.0188, 0.0))
    };
    let rows: Vec<Estimate> = texts.iter().map(bare).chain(more.iter().cloned()).collect();
    let models = [four()[0].clone(), model("q4", ModelRole::Candidate, 7.2, &[])];
    let settings = VerdictSettings {
        stopped_early: stopped.iter().map(|scope| (*scope).to_owned()).collect(),
        ..VerdictSettings::at_level(0.95)
    };
    let all = answers(&models, &rows, &settings);
    let ceiling = all.iter().find(|answer| answer.question == Question::Ceiling).unwrap();
    assert_eq!(ceiling.sentence, said);
    assert_eq!(ceiling.verdict, Verdict::CannotTell);
}

#[test]
fn a_figure_without_an_interval_is_not_judged_and_says_why() {
    let opening = "cannot tell q4 from the original bf16 on text: perplexity 1.90 % higher on";
    check_without_interval(
        &[("english", 60), ("polish", 60)],
        &["english", "polish"],
        &[],
        &format!(
            "{opening} english, and likewise on polish, which is not judged, because the run stopped \
             early; without --until decided it is."
        ),
    );
    check_without_interval(
        &[("english", 1), ("polish", 60)],
        &[],
        &[],
        &format!(
            "{opening} english, which is not judged, because one window has no interval; perplexity \
             1.90 % higher on polish, which is not judged, because it has no interval."
        ),
    );
}

#[test]
fn what_was_judged_and_not_decided_still_says_what_it_takes() {
    let judged = against("bf16", text_row("ln_ppl_ratio", "q4", "polish", 0.002, 0.02));
    check_without_interval(
        &[("english", 60)],
        &["english"],
        &[judged],
        "cannot tell q4 from the original bf16 on text: perplexity 0.2 % higher [-1.8, +2.2], which \
         tells nothing, on polish; perplexity 1.90 % higher on english, which is not judged, because \
         the run stopped early; without --until decided it is; about 928 windows of text would decide.",
    );
}

/// Ten families of tasks of one build, each with these outcomes.
fn ten(outcomes: &str) -> Vec<Attempt> {
    (0..10).flat_map(|i| family(&format!("family_{i}"), outcomes)).collect()
}

fn recipe_of(models: &[ModelRecord], rows: &[Estimate]) -> Answer {
    let all = answers(models, rows, &VerdictSettings::at_level(0.95));
    all.into_iter().find(|answer| answer.question == Question::Recipe).unwrap()
}

#[test]
fn no_loss_is_excluded_beside_a_build_that_passes_hardly_anything() {
    let ten = |outcome: &str| ten(&outcome.repeat(8));
    let models = four();
    let answer = |qat, twin| {
        let rows = summarize(&models, &[vec![], vec![], qat, twin], &asked()).estimates;
        recipe_of(&models, &rows)
    };
    let none = answer(ten("f"), ten("f"));
    assert_eq!(
        none.sentence,
        "cannot tell qat from its twin twin: it passes 0 of 80 tasks, the other 0 of 80: as many [-4.6, \
         +4.6]; its twin twin passes only 0 of 80 of these tasks, so a loss of 5 points could not show; \
         more of the same would hardly decide."
    );
    assert_eq!((none.verdict, none.needed_n), (Verdict::CannotTell, None));
    // The same difference where both pass all of it.
    assert_eq!(answer(ten("p"), ten("p")).verdict, Verdict::NotWorse);
    // A lead can show beside nothing.
    assert_eq!(answer(ten("p"), ten("f")).verdict, Verdict::Better);
}

#[test]
fn times_of_different_moments_say_nothing_of_speed() {
    let slow = |attempts: Vec<Attempt>| -> Vec<Attempt> {
        attempts.into_iter().map(|one| with_cost(one, (60, 40), 40.0)).collect()
    };
    let models = four();
    let attempts = [vec![], vec![], ten("ppppf"), slow(ten("ppppf"))];
    let rows = summarize(&models, &attempts, &asked()).estimates;
    let of_times = |row: &&Estimate| row.versus.is_some() && row.metric.contains("seconds");
    assert_eq!(rows.iter().find(of_times), None);
    assert!(rows.iter().any(|row| row.metric == "tokens_ratio"));
    assert_eq!(
        recipe_of(&models, &rows).besides,
        ["Speed was not measured in turns, so nothing is said of it: karat probe."]
    );
}
