//! Whose the difference in speed is: what is split, what is not, and what is said of it.

mod speed_builds;

use karat::instrument::speed::summary::summarize;
use karat::plan::SpeedTest;
use karat::record::{Claim, Estimate, Lineage};
use speed_builds::{around, check_value, jittered, plan, results, row};

/// The published control probe: QAT Q4_0 42.9 tok/s, another Q4_0 build 38.4, Q4_K_M 33.2. Single
/// figures support this much: format 57 % of the log ratio, the rest inseparable, no interval.
#[test]
fn the_original_experiment_s_figures_are_split_as_far_as_they_can_be() {
    let models: [(&str, &str, &[Lineage]); 3] =
        [("qat-Q4_0", "Q4_0", &[Lineage::Qat]), ("ptq-Q4_0", "Q4_0", &[]), ("Q4_K_M", "Q4_K", &[])];
    let summary = summarize(&plan(&models, 8), &results(&[&[42.9], &[38.4], &[33.2]]), 0.95);
    let format = row(&summary, "format_share", "qat-Q4_0");
    assert_eq!(format!("{:.0} %", 100.0 * format.value.unwrap()), "57 %");
    assert_eq!((format.lo, format.hi, format.n), (None, None, 1));
    let rest = row(&summary, "build_and_recipe_share", "qat-Q4_0");
    check_value(rest, 1.0 - (38.4_f64 / 33.2).ln() / (42.9_f64 / 33.2).ln());
    assert_eq!(rest.lo, None);
    // +16 % for the format, +12 % for build and recipe together.
    let ratio = |model, versus: &str| {
        let is_it = |row: &&Estimate| {
            (row.candidate.as_str(), row.versus.as_deref()) == (model, Some(versus))
                && row.metric == "tg_rate_ratio"
        };
        summary.estimates.iter().find(is_it).unwrap().value.unwrap()
    };
    assert_eq!(format!("{:.2}", 1.0 / ratio("Q4_K_M", "ptq-Q4_0")), "1.16");
    assert_eq!(format!("{:.2}", 1.0 / ratio("ptq-Q4_0", "qat-Q4_0")), "1.12");
    let claims: Vec<&str> = summary.claims.iter().map(|claim| claim.statement.as_str()).collect();
    assert_eq!(claims.len(), 1, "one block supports no comparison: {claims:?}");
    assert!(
        claims[0].contains("build and recipe cannot be separated without a twin"),
        "{claims:?}"
    );
    assert!(claims[0].contains("no intervals"), "{claims:?}");
}

#[test]
fn a_twin_separates_recipe_build_and_format() {
    let models: [(&str, &str, &[Lineage]); 4] = [
        ("qat", "Q4_0", &[Lineage::Qat]),
        ("twin", "Q4_0", &[Lineage::Twin]),
        ("build", "Q4_0", &[]),
        ("Q4_K_M", "Q4_K", &[]),
    ];
    let rates = [around(40.0), jittered(40.0), jittered(36.0), around(30.0), jittered(40.0)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let summary = summarize(&plan(&models, 8), &results(&rates), 0.95);
    let share = |metric| row(&summary, metric, "qat");
    let parts = ["recipe_share", "build_share", "format_share"].map(|m| share(m).value.unwrap());
    assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{parts:?}");
    assert!(
        parts[0].abs() < 0.01
            && (parts[2] - (36.0_f64 / 30.0).ln() / (4.0_f64 / 3.0).ln()).abs() < 0.01
    );
    for metric in ["recipe_share", "build_share", "format_share"] {
        let row = share(metric);
        assert!(row.lo.unwrap() < row.value.unwrap() && row.value.unwrap() < row.hi.unwrap());
        assert_eq!((row.versus.as_deref(), row.n), (Some("Q4_K_M"), 8));
    }
    assert!(!summary.claims.iter().any(|claim| claim.statement.contains("cannot be separated")));
}

#[test]
fn without_a_control_nothing_is_split() {
    let models: [(&str, &str, &[Lineage]); 2] =
        [("qat", "Q4_0", &[Lineage::Qat]), ("Q4_K_M", "Q4_K", &[])];
    let rates = [around(40.0), jittered(30.0), jittered(40.0)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let summary = summarize(&plan(&models, 8), &results(&rates), 0.95);
    assert!(
        !summary.estimates.iter().any(|row| row.metric.ends_with("_share") && row.versus.is_some())
    );
    let said = &summary.claims.last().unwrap().statement;
    assert!(said.contains("format, build and recipe cannot be separated"), "{said}");
}

/// The claims about a QAT file without a control against two builds, one much slower and one that
/// cannot be told from it, in two tests.
#[test]
fn what_lacks_a_control_is_said_once_per_pair_and_nothing_of_what_may_be_nothing() {
    let models: [(&str, &str, &[Lineage]); 3] =
        [("qat", "Q4_0", &[Lineage::Qat]), ("Q4_K_M", "Q4_K", &[]), ("Q5_0", "Q5_0", &[])];
    let mut plan = plan(&models, 8);
    plan.tests.push(SpeedTest { depth: 4096, ..plan.tests[0] });
    let noisy = [30.0, 45.0, 50.0, 38.0, 41.0, 36.0, 44.0, 39.0];
    let rates = [around(40.0), jittered(30.0), noisy.to_vec(), jittered(40.0)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let mut results = results(&rates);
    for (_, sample) in results.samples.iter_mut().flatten() {
        let same = sample.pass_ns[0].clone();
        sample.pass_ns.push(same);
    }
    let summary = summarize(&plan, &results, 0.95);
    let with = |words: &str| -> Vec<&Claim> {
        summary.claims.iter().filter(|claim| claim.statement.contains(words)).collect()
    };
    let alone = with("cannot be separated");
    assert_eq!(alone.len(), 1, "{:?}", summary.claims);
    let said = &alone[0].statement;
    assert!(said.starts_with("tg128, tg128 at depth 4096: qat runs at 1.333 ["), "{said}");
    assert!(said.contains("], 1.333 [") && said.contains("times Q4_K_M's rate;"), "{said}");
    let rests_on = alone[0].estimates.iter().map(|row| &summary.estimates[*row]);
    let rests_on: Vec<&str> = rests_on.map(|row| row.metric.as_str()).collect();
    assert_eq!(rests_on, ["tg_rate_ratio", "tg_rate_ratio"]);
    let open = with("there is no difference for format, build and recipe to share");
    assert_eq!(open.len(), 2, "one for each test: {:?}", summary.claims);
    assert!(
        open.iter().all(|claim| claim.statement.contains("] times Q5_0's; judged")),
        "{open:?}"
    );
    assert!(open.iter().all(|claim| !claim.statement.contains("Q4_K_M")), "{open:?}");
}

#[test]
fn what_may_be_nothing_has_no_rows_of_shares() {
    let models: [(&str, &str, &[Lineage]); 3] = [
        ("qat", "Q4_0", &[Lineage::Qat]),
        ("twin", "Q4_0", &[Lineage::Twin]),
        ("Q5_0", "Q5_0", &[]),
    ];
    let noisy = [30.0, 45.0, 50.0, 38.0, 41.0, 36.0, 44.0, 39.0];
    let rates = [around(40.0), jittered(40.0), noisy.to_vec(), jittered(40.0)];
    let rates: Vec<&[f64]> = rates.iter().map(Vec::as_slice).collect();
    let summary = summarize(&plan(&models, 8), &results(&rates), 0.95);
    let shares = summary.estimates.iter().filter(|row| row.metric.ends_with("_share"));
    let of_pairs: Vec<&Estimate> = shares.filter(|row| row.versus.is_some()).collect();
    assert!(of_pairs.is_empty(), "{of_pairs:?}");
    let said = &summary.claims.last().unwrap().statement;
    assert!(said.contains("no difference for format, build and recipe to share"), "{said}");
}
