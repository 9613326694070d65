//! Families whose answer is a number or a date.

use super::{check, check_all, instance};
use crate::task::Outcome;

#[test]
fn exact_arithmetic() {
    let english = instance("exact_arithmetic", "en", "40 lamps at 26.25");
    for right in [
        "1007.5",
        "40 × 26.25 = 1050\n5 % off: 997.50\nWith delivery:\n\n**1,007.50**",
        "The total is below.\n\n$$\\boxed{1007.5}$$",
        "\\[\n\\boxed{1{,}007.50}\n\\]",
        "Discounted: 997.5\n\n€1,007.50",
        "So it pays:\n1007.50 euros.",
        "`1007.50`",
        "The steps give 1050, 997.5, 1007.5.\n\n1007.5",
        "Delivery is 10.00, without discount or rounding.\n\n1007.5",
        "Is it 1007.5 or 1008? Delivery is not discounted, so:\n1007.5",
    ] {
        check(&english, right, Outcome::Pass);
    }
    check(&english, "The workshop pays 1007.50 euros (997.50 + 10.00).", Outcome::Partial);
    check(&english, "Total = 1007.5", Outcome::Partial);
    for wrong in [
        "1007",
        "1010.00",
        "1007.5\n1008",
        "1007.5 or 1008",
        "I think the answer is 1007.5, or maybe 1060.",
        "It is 1060 or\n1007.5",
        "1006.5, 1007.5, 1008.5",
        "- 997.5\n- 1007.5\n- 1060",
        "A) 997.5\nB) 1007.5\nC) 1060",
    ] {
        check(&english, wrong, Outcome::Fail);
    }
    for (language, answers) in [
        ("pl", ["1007,50 euro", "1 007,50", "**1.007,50**"]),
        ("de", ["1.007,50 €", "1007,5", "**1.007,50 Euro**"]),
        ("fr", ["1 007,50 €", "1\u{202f}007,50", "« 1007,5 »"]),
    ] {
        let instance = instance("exact_arithmetic", language, "26,25");
        check_all(&instance, &answers.map(str::to_owned), Outcome::Pass);
        check(&instance, "1007,5 / 1008", Outcome::Fail);
    }
    check(&instance("exact_arithmetic", "pl", "26,25"), "1007,5 albo 1008", Outcome::Fail);
    check(
        &instance("exact_arithmetic", "de", "26,25"),
        "Das sind 1007,5 oder 1008 Euro.",
        Outcome::Fail,
    );
    check(&instance("exact_arithmetic", "fr", "26,25"), "1007,5 ou peut-être 1008", Outcome::Fail);
}

#[test]
fn unit_arithmetic() {
    let mass = instance("unit_arithmetic", "pl", "Worek waży");
    let right = mass.scorer["expected"].as_str().unwrap().to_owned();
    let comma = right.replace('.', ",");
    let answers =
        [right.clone(), format!("27 kg to 27 000 g.\n\n**{comma}**"), format!("Razem:\n${comma}$")];
    check_all(&mass, &answers, Outcome::Pass);
    // Here the prompt wants no unit.
    check(&mass, &format!("{comma} kg"), Outcome::Partial);
    let wrong =
        [format!("{right}1"), format!("{comma} albo 9"), format!("{comma}\n9"), "kg".to_owned()];
    check_all(&mass, &wrong, Outcome::Fail);
}

#[test]
fn date_arithmetic() {
    let instance = instance("date_arithmetic", "en", "2024-02-10");
    let right = [
        "2024-03-11",
        "**2024-03-11**",
        "`2024-03-11`.",
        "\"2024-03-11\"",
        "2024\u{2011}03\u{2011}11",
    ];
    check_all(&instance, &right.map(str::to_owned), Outcome::Pass);
    check(&instance, "30 days after 2024-02-10 is 2024-03-11.", Outcome::Partial);
    for wrong in [
        "2024-03-12",
        "2024-03-11 or 2024-03-12",
        "2024-03-10\n2024-03-11\n2024-03-12",
        "I think it is 2024-03-11, but it could be 2024-03-10.",
        "11 March",
    ] {
        check(&instance, wrong, Outcome::Fail);
    }
}
