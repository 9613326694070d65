//! The three answers on constructed rows: each verdict reached, by tasks and by texts.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod behaviour_sample;
mod verdict_sample;

use std::collections::BTreeMap;

use behaviour_sample::{asked, family, model};
use karat::instrument::behaviour::summarize;
use karat::record::{
    Answer, Estimate, Instrument, ModelRecord, ModelRole, Question, SampleUnit, Verdict,
};
use karat::task::Attempt;
use karat::verdict::{VerdictSettings, answers};
use verdict_sample::{against, four, text_row, versus};

fn settings() -> VerdictSettings {
    VerdictSettings::at_level(0.95)
}

#[track_caller]
fn the(question: Question, answers: &[Answer]) -> &Answer {
    let mut found = answers.iter().filter(|answer| answer.question == question);
    let first = found.next().unwrap();
    assert!(found.next().is_none(), "more than one answer to {question:?}");
    first
}

/// Ten families of tasks of one build, each with these outcomes.
fn ten(outcomes: &str) -> Vec<Attempt> {
    (0..10).flat_map(|i| family(&format!("family_{i}"), outcomes)).collect()
}

/// The recipe question, with these attempts of the QAT file and of its twin.
#[track_caller]
fn check_tasks(qat: Vec<Attempt>, twin: Vec<Attempt>, want: Verdict, said: &str) {
    let models = four();
    let none = Vec::new;
    let rows = summarize(&models, &[none(), none(), qat, twin], &asked()).estimates;
    let all = answers(&models, &rows, &settings());
    let answer = the(Question::Recipe, &all);
    assert_eq!(answer.verdict, want, "{}", answer.sentence);
    assert!(answer.sentence.contains(said), "`{said}` is not in: {}", answer.sentence);
    assert!(!answer.evidence.is_empty());
    assert!(answer.evidence.iter().all(|row| *row < rows.len()));
    assert_eq!(answer.needed_n.is_some(), want == Verdict::CannotTell, "{:?}", answer.needed_n);
}

#[test]
fn tasks_show_a_better_build() {
    check_tasks(
        ten("pppppppppppppppppppp"),
        ten("pppppppppppppppppfff"),
        Verdict::Better,
        "qat is better than its twin twin: it passes 200 of 200 tasks, the other 170 of 200: 15.0 points more [+10.",
    );
}

#[test]
fn tasks_show_a_worse_build() {
    check_tasks(
        ten("pppppppppppppppppfff"),
        ten("pppppppppppppppppppp"),
        Verdict::Worse,
        "qat is worse than its twin twin: it passes 170 of 200 tasks, the other 200 of 200: 15.0 points fewer [-20.",
    );
}

#[test]
fn tasks_show_that_a_build_is_not_worse() {
    // Of 400 tasks each alone passes ten.
    let [one, other] = ["f", "p"].map(|last| {
        let first = if last == "f" { "p" } else { "f" };
        ten(&format!("{}{first}{last}", "p".repeat(38)))
    });
    check_tasks(one, other, Verdict::NotWorse, "a loss of less than 5 points");
}

#[test]
fn few_tasks_cannot_tell() {
    check_tasks(
        family("a", "ppppff"),
        family("a", "pppfff"),
        Verdict::CannotTell,
        "cannot tell qat from its twin twin: it passes 4 of 6 tasks, the other 3 of 6: 16.7 points more [-",
    );
}

#[test]
fn a_lead_in_one_family_alone_is_no_lead() {
    let mut twin = ten("pppppppppppppppppppp");
    for attempt in &mut twin[..20] {
        *attempt =
            Attempt { reply: attempt.reply.clone(), ..family(&attempt.family, "f").remove(0) };
    }
    for (index, attempt) in twin[..20].iter_mut().enumerate() {
        attempt.instance = format!("{}/{index}", attempt.family);
    }
    let models = four();
    let rows = summarize(&models, &[vec![], vec![], ten("pppppppppppppppppppp"), twin], &asked());
    let all = answers(&models, &rows.estimates, &settings());
    assert_eq!(the(Question::Recipe, &all).verdict, Verdict::NotWorse);
}

/// The recipe question on one text: ln perplexity of the QAT file less its twin's.
#[track_caller]
fn check_text(value: f64, half: f64, want: Verdict, said: &str) {
    let rows = [versus("twin", text_row("ln_ppl_ratio", "qat", "english", value, half))];
    let all = answers(&four(), &rows, &settings());
    let answer = the(Question::Recipe, &all);
    assert_eq!(answer.verdict, want, "{}", answer.sentence);
    assert!(answer.sentence.contains(said), "`{said}` is not in: {}", answer.sentence);
    assert_eq!(answer.evidence, [0]);
}

#[test]
fn texts_reach_every_verdict() {
    check_text(
        -0.02,
        0.005,
        Verdict::Better,
        "qat is better than its twin twin on text: perplexity 1.98 % lower",
    );
    check_text(
        0.02,
        0.005,
        Verdict::Worse,
        "qat is worse than its twin twin on text: perplexity 2.02 % higher",
    );
    check_text(0.002, 0.004, Verdict::NotWorse, "less than the margin of 1.0 % on english");
    check_text(0.002, 0.02, Verdict::CannotTell, "windows of text would decide");
}

#[test]
fn a_loss_that_is_sure_and_small_is_not_worse() {
    check_text(0.004, 0.001, Verdict::NotWorse, "perplexity 0.40 % higher");
}

#[test]
fn the_needed_number_of_windows_is_more_than_there_were() {
    let rows = [versus("twin", text_row("ln_ppl_ratio", "qat", "english", 0.002, 0.02))];
    let all = answers(&four(), &rows, &settings());
    let needed = the(Question::Recipe, &all).needed_n.unwrap();
    assert_eq!(needed.unit, SampleUnit::Windows);
    // To exclude a loss of 1 % from a gain of -0.2 %: 60 × (2.8 × 0.0102 / 0.008)².
    assert!((700..900).contains(&needed.n), "{needed:?}");
}

#[test]
fn the_pair_is_turned_round_where_it_was_subtracted_the_other_way() {
    let rows = [versus("qat", text_row("ln_ppl_ratio", "twin", "english", 0.02, 0.005))];
    let all = answers(&four(), &rows, &settings());
    assert_eq!(the(Question::Recipe, &all).verdict, Verdict::Better);
}

#[test]
fn texts_that_disagree_cannot_tell() {
    let rows = [
        versus("twin", text_row("ln_ppl_ratio", "qat", "english", -0.02, 0.005)),
        versus("twin", text_row("ln_ppl_ratio", "qat", "polish", 0.03, 0.005)),
    ];
    let all = answers(&four(), &rows, &settings());
    let answer = the(Question::Recipe, &all);
    assert_eq!(answer.verdict, Verdict::CannotTell);
    assert!(answer.sentence.contains("on english") && answer.sentence.contains("on polish"));
    assert!(
        answer.sentence.contains("more of the same would hardly decide"),
        "{}",
        answer.sentence
    );
}

#[test]
fn distance_from_the_original_does_not_decide_about_training() {
    // Nearer to the original, and worse at the text.
    let rows = [
        against("bf16", versus("twin", text_row("kld_mean_diff", "qat", "english", -0.01, 0.001))),
        versus("twin", text_row("ln_ppl_ratio", "qat", "english", 0.02, 0.005)),
    ];
    let all = answers(&four(), &rows, &settings());
    assert_eq!(the(Question::Recipe, &all).verdict, Verdict::Worse);
}

/// Two plain builds, by distance from the original.
fn plain() -> Vec<ModelRecord> {
    let mut models = four();
    models.truncate(2);
    models.push(model("Q4_0", ModelRole::Candidate, 7.2, &[]));
    models
}

fn distances(value: f64, half: f64) -> Vec<Estimate> {
    vec![against("bf16", versus("Q8_0", text_row("kld_mean_diff", "Q4_0", "english", value, half)))]
}

#[track_caller]
fn check_distance(rows: &[Estimate], want: Verdict, said: &str) {
    let all = answers(&plain(), rows, &settings());
    let answer = the(Question::Budget, &all);
    assert_eq!(answer.verdict, want, "{}", answer.sentence);
    assert!(answer.sentence.contains(said), "`{said}` is not in: {}", answer.sentence);
}

#[test]
fn plain_builds_are_compared_by_distance() {
    check_distance(
        &distances(0.018, 0.001),
        Verdict::Worse,
        "Q4_0 is worse than the bigger Q8_0 on text: mean KLD 18.0·10⁻³ nats farther from the original than Q8_0",
    );
    check_distance(
        &distances(0.005, 0.001),
        Verdict::NotWorse,
        "farther from the original than Q8_0 [+4.0, +6.0], less than the margin of 10·10⁻³ nats",
    );
}

#[test]
fn differences_that_a_machine_makes_by_itself_are_not_claimed() {
    let mut rows = distances(0.018, 0.001);
    rows.push(text_row("noise_floor_kld_rerun", "bf16", "english", 0.02, 0.0));
    check_distance(&rows, Verdict::CannotTell, "cannot tell Q4_0 from the bigger Q8_0");
}

#[test]
fn a_quantized_yardstick_is_no_original() {
    let mut rows = distances(-0.018, 0.001);
    rows[0].setting.insert("proxy_reference".to_owned(), "bf16".to_owned());
    rows.push(versus("Q8_0", text_row("ln_ppl_ratio", "Q4_0", "english", 0.02, 0.005)));
    check_distance(&rows, Verdict::Worse, "perplexity 2.02 % higher");
}

#[test]
fn the_ceiling_is_perplexity_and_tells_the_distance() {
    let rows = [
        against("bf16", text_row("ln_ppl_ratio", "Q4_0", "english", 0.036, 0.004)),
        against("bf16", text_row("kld_mean", "Q4_0", "english", 0.0186, 0.0007)),
        against("bf16", text_row("same_top_p", "Q4_0", "english", 0.9, 0.005)),
    ];
    let all = answers(&plain(), &rows, &settings());
    let answer = all
        .iter()
        .find(|one| one.candidate.as_deref() == Some("Q4_0") && one.question == Question::Ceiling)
        .unwrap();
    assert_eq!(answer.verdict, Verdict::Worse);
    assert_eq!(
        answer.sentence,
        "Q4_0 is worse than the original bf16 on text: perplexity 3.67 % higher [+3.25, +4.08] on english."
    );
    assert_eq!(
        answer.besides,
        [
            "Distance on english: mean KLD 18.6·10⁻³ nats, the same likeliest token at 90.0 % of places."
        ]
    );
}

/// p of 0.03 is enough alone, and not for one of many.
#[test]
fn many_questions_share_one_error() {
    let row = |scope: &str| versus("twin", text_row("ln_ppl_ratio", "qat", scope, 0.022, 0.02));
    let alone = answers(&four(), &[row("a")], &settings());
    assert_eq!(the(Question::Recipe, &alone).verdict, Verdict::Worse);
    let together: Vec<Estimate> = ["a", "b", "c", "d"].map(row).to_vec();
    let all = answers(&four(), &together, &settings());
    assert_eq!(the(Question::Recipe, &all).verdict, Verdict::CannotTell);
}

#[test]
fn texts_decide_where_tasks_cannot_and_the_tasks_are_told() {
    let models = four();
    let mut rows =
        summarize(&models, &[vec![], vec![], family("a", "ppf"), family("a", "ppf")], &asked())
            .estimates;
    rows.push(versus("twin", text_row("ln_ppl_ratio", "qat", "english", -0.02, 0.005)));
    let all = answers(&models, &rows, &settings());
    let answer = the(Question::Recipe, &all);
    assert_eq!(answer.verdict, Verdict::Better);
    assert!(answer.sentence.contains("perplexity"), "{}", answer.sentence);
    assert!(
        answer.besides[0]
            .starts_with("Tasks cannot tell: it passes 2 of 3 tasks, the other 2 of 3: as many"),
        "{:?}",
        answer.besides
    );
}

#[test]
fn texts_that_show_no_difference_do_not_vouch_for_tasks() {
    let models = four();
    let tasks = [vec![], vec![], family("a", "pff"), family("a", "ppf")];
    let mut rows = summarize(&models, &tasks, &asked()).estimates;
    rows.push(versus("twin", text_row("ln_ppl_ratio", "qat", "english", 0.001, 0.002)));
    let all = answers(&models, &rows, &settings());
    let answer = the(Question::Recipe, &all);
    assert_eq!(answer.verdict, Verdict::CannotTell);
    assert_eq!(answer.needed_n.unwrap().unit, SampleUnit::Instances);
    assert!(
        answer.besides[0].starts_with("Texts: perplexity 0.10 % higher"),
        "{:?}",
        answer.besides
    );
}

#[test]
fn a_stand_in_is_called_no_original() {
    let mut models = plain();
    models[0].proxy_reference = true;
    let rows = [against("bf16", text_row("ln_ppl_ratio", "Q4_0", "english", 0.036, 0.004))];
    let all = answers(&models, &rows, &settings());
    let said: Vec<&str> = all.iter().map(|answer| answer.sentence.as_str()).collect();
    assert!(
        said.iter().any(|said| said.contains("bf16, itself quantized and no original")),
        "{said:?}"
    );
    assert!(said.iter().all(|said| !said.contains("the original")), "{said:?}");
}

#[test]
fn who_is_not_named_is_not_asked_about() {
    let rows = distances(0.018, 0.001);
    let models = vec![model("Q4_0", ModelRole::Candidate, 7.2, &[])];
    for answer in answers(&models, &rows, &settings()) {
        assert_eq!((answer.verdict, answer.candidate.as_deref()), (Verdict::NotAsked, None));
        assert!(answer.sentence.starts_with("not asked: "), "{}", answer.sentence);
    }
}

#[test]
fn speed_and_memory_alone_answer_nothing() {
    let row = Estimate {
        instrument: Instrument::Speed,
        ..versus("Q8_0", text_row("tg_rate_ratio", "qat", "tg128", 1.3, 0.01))
    };
    assert!(answers(&four(), &[row], &settings()).is_empty());
    assert!(answers(&four(), &[], &settings()).is_empty());
}

#[test]
fn the_budget_says_what_fits_and_how_fast_it_is() {
    let total = |build: &str, gib: f64| Estimate {
        instrument: Instrument::Memory,
        setting: BTreeMap::from(
            [("n_ctx", "32768"), ("kv", "f16"), ("basis", "predicted")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        ..text_row("total_bytes", build, "all", gib * f64::from(1 << 30), 0.0)
    };
    let mut rows = vec![
        versus("Q8_0", text_row("ln_ppl_ratio", "qat", "english", 0.002, 0.004)),
        total("qat", 7.5),
        total("Q8_0", 12.6),
        Estimate {
            instrument: Instrument::Speed,
            ..versus("qat", text_row("tg_rate_ratio", "Q8_0", "tg128", 0.8, 0.008))
        },
    ];
    rows[3].setting.insert("depth".to_owned(), "0".to_owned());
    let settings = VerdictSettings { vram: Some(8 << 30), n_ctx: Some(32_768), ..settings() };
    let all = answers(&four(), &rows, &settings);
    let answer = the(Question::Budget, &all);
    assert_eq!(answer.verdict, Verdict::NotWorse);
    assert_eq!(
        answer.besides,
        [
            "With 32768 tokens of context it takes 7.50 GiB, Q8_0 takes 12.60 GiB: the first fits 8.00 GiB, \
             the other does not fit.",
            "Speed apart: it generates 25.0 % faster [× 1.238, 1.263].",
        ]
    );
    assert_eq!(answer.evidence, [0, 1, 2, 3]);
}

/// A ratio whose own interval excludes 1, among others that nothing is in: with one error for all of them
/// it is told no more.
#[test]
fn a_ratio_that_is_not_told_among_all_is_not_told_here() {
    let rate = |metric: &str, candidate: &str, other: &str, value: f64| Estimate {
        instrument: Instrument::Speed,
        ..versus(other, text_row(metric, candidate, "t", value, 0.1))
    };
    // p = 0.043 alone.
    let near = rate("tg_rate_ratio", "Q8_0", "qat", 0.89);
    let others = ["pp_rate_ratio", "tg_rate_ratio"]
        .map(|metric| rate(metric, "twin", "Q4_0", 1.01))
        .into_iter();
    let said = |rows: Vec<Estimate>| {
        let all = answers(&four(), &rows, &settings());
        the(Question::Budget, &all).besides.last().unwrap().clone()
    };
    let ppl = versus("Q8_0", text_row("ln_ppl_ratio", "qat", "english", 0.002, 0.004));
    let alone = said(vec![ppl.clone(), near.clone()]);
    assert!(alone.contains("it generates 12.4 % faster"), "{alone}");
    let among = said([ppl, near].into_iter().chain(others).collect());
    assert!(among.contains("cannot tell, ratio 1.124"), "{among}");
}
