//! Texts that go round in circles, and ordinary ones that repeat themselves.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// Feeds a text in pieces of `n` characters; the first cycle that is found.
fn watched(text: &str, n: usize) -> Option<Cycle> {
    let mut runaway = Runaway::new(RunawayLimits::default());
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(n).find_map(|piece| runaway.observe(&piece.iter().collect::<String>()))
}

#[track_caller]
fn check(text: &str, n_chars: Option<usize>) {
    for n in [1, 5, 4096] {
        assert_eq!(watched(text, n).map(|cycle| cycle.n_chars), n_chars, "{n} at a time");
    }
}

#[test]
fn one_character_forever_is_a_cycle() {
    check(&"a".repeat(6000), Some(1));
    check(&format!("The answer is: {}", "żó".repeat(3000)), Some(2));
}

#[test]
fn a_paragraph_over_and_over_is_a_cycle() {
    let paragraph = (0..150).fold(String::new(), |mut text, n| {
        let _ = write!(text, "Wait, step {n} is wrong. ");
        text
    });
    let short = &paragraph[..700];
    check(&format!("Let me see. {}", short.repeat(8)), Some(700));
}

#[test]
fn a_table_is_none_even_with_many_equal_rows() {
    let mut table = String::from("| n | square | note |\n|---|---|---|\n");
    for n in 0..400 {
        let _ = writeln!(table, "| {n} | {} | - |", n * n);
    }
    check(&table, None);
    check(&format!("|---|\n{}", "| 0 | 0 | 0 | 0 |\n".repeat(100)), None);
    check(&"-".repeat(2000), None);
}

#[test]
fn code_with_equal_lines_is_none() {
    let mut code = String::new();
    for n in 0..200 {
        let _ = write!(code, "    case {n}:\n        return handle(x);\n        break;\n");
    }
    check(&code, None);
    check(&format!("{}]\n", "    [0, 0, 0, 0, 0, 0, 0, 0],\n".repeat(64)), None);
}

#[test]
fn numbers_that_count_up_are_none() {
    let counted: Vec<String> = (1..3000).map(|n| n.to_string()).collect();
    check(&counted.join(", "), None);
}

#[test]
fn a_cycle_that_ended_is_none() {
    let text = format!("{}and so it ends.", "round ".repeat(300));
    check(&text, None);
}

proptest! {
    #[test]
    fn a_cycle_is_what_repeats(
        stretch in "[a-z ]{1,40}", times in 1usize..200, before in "[A-Z]{0,9}",
    ) {
        let text: Vec<char> = format!("{before}{}", stretch.repeat(times)).chars().collect();
        let limits = RunawayLimits { n_chars: 100, n_cycles: 4, longest_cycle: 50 };
        match cycle(&text, limits) {
            Some(found) => {
                let n = found.n_chars * found.n_times;
                let tail = &text[text.len() - n..];
                prop_assert!(tail.chunks(found.n_chars).all(|part| part == &tail[..found.n_chars]));
                prop_assert!(found.n_chars <= stretch.len());
            }
            None => prop_assert!(stretch.len() * times < 100 || times < 4),
        }
    }
}
