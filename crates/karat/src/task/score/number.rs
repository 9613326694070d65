//! `number`: one exact decimal number, alone on its line.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Answer, Checked, Means, Score, Scorer, Written, check, failed, held, shown, whole};
use crate::task::Outcome;

/// The expected number, e.g. `"1007.5"`, and the language whose way of writing numbers counts.
///
/// Passes where the last line that is a number alone is the expected one. In English a comma groups
/// thousands; in the other languages it is the decimal mark, spaces group thousands, and in German dots
/// do (a dot that groups nothing is read as a decimal mark, because models write it). Right, but not
/// alone on a line: partial, unless another number stands alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Number {
    expected: Written,
    #[serde(default = "english")]
    language: String,
}

fn english() -> String {
    "en".to_owned()
}

impl Checked for Number {
    fn checked(&self) -> Result<(), String> {
        let number = self.expected.0.parse::<Decimal>();
        number
            .map(drop)
            .map_err(|_| format!("`expected` is `{}`, no decimal number", self.expected.0))
    }
}

impl Number {
    fn is_right(&self, number: Decimal) -> bool {
        self.expected.0.parse() == Ok(number)
    }

    /// The numbers that stand in running text.
    fn numbers(&self, text: &str) -> Vec<Decimal> {
        let is_part = |character: char| {
            character.is_ascii_digit()
                || matches!(character, '.' | ',' | '-' | '−' | '\u{a0}' | '\u{202f}')
        };
        let mut numbers: Vec<Decimal> = text
            .split(|character| !is_part(character))
            .filter_map(|piece| parse(piece.trim_matches(['.', ',']), &self.language))
            .collect();
        // Thousands may be grouped by spaces that also part words.
        let words: Vec<&str> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            let joined = pair.join(" ");
            let piece = joined.trim_matches(|character: char| !character.is_ascii_digit());
            numbers.extend(parse(piece, &self.language));
        }
        numbers
    }
}

impl Scorer for Number {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        const ALONE: &str = "the number stands alone on its line";
        const RIGHT: &str = "the number is right";
        let mut alone = answer
            .visible
            .lines()
            .filter_map(|line| Some((parse(line.trim(), &self.language)?, line)));
        match alone.next_back() {
            Some((number, _)) if self.is_right(number) => {
                whole(Outcome::Pass, vec![held(ALONE), held(RIGHT)])
            }
            Some((_, line)) => {
                let why = format!("{} instead of {}", shown(line), self.expected.0);
                whole(Outcome::Fail, vec![held(ALONE), failed(RIGHT, why)])
            }
            None => {
                let is_right = self.stands_in(&answer.visible) == Some(true);
                let last = answer
                    .visible
                    .lines()
                    .rfind(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                let checks = vec![
                    failed(
                        ALONE,
                        format!(
                            "no line is a number and nothing else; the last is {}",
                            shown(last)
                        ),
                    ),
                    check(RIGHT, is_right, || {
                        format!("{} does not stand in the answer", self.expected.0)
                    }),
                ];
                whole(if is_right { Outcome::Partial } else { Outcome::Fail }, checks)
            }
        }
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        Some(self.numbers(text).into_iter().any(|number| self.is_right(number)))
    }

    fn reference(&self) -> Option<Answer> {
        let mark = if self.language == "en" { "." } else { "," };
        Some(Answer::text(self.expected.0.replace('.', mark)))
    }
}

/// A text that is a number and nothing else, as the language writes numbers.
fn parse(text: &str, language: &str) -> Option<Decimal> {
    let is_english = language == "en";
    let (sign, digits) = match text.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let decimal_mark = match (is_english, digits.contains(',')) {
        (false, true) => ',',
        (false, false) if language == "de" && is_grouped(digits, '.') => ',',
        _ => '.',
    };
    let (whole, fraction) = digits.split_once(decimal_mark).unwrap_or((digits, ""));
    if digits.ends_with(decimal_mark) || !fraction.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let marks: &[char] = match language {
        "en" => &[',', ' ', '\u{a0}', '\u{202f}', '\''],
        "de" => &['.', ' ', '\u{a0}', '\u{202f}', '\''],
        _ => &[' ', '\u{a0}', '\u{202f}', '\u{2009}'],
    };
    let mark = whole.chars().find(|character| !character.is_ascii_digit());
    let whole = match mark {
        None => whole.to_owned(),
        Some(mark) if marks.contains(&mark) && is_grouped(whole, mark) => whole.replace(mark, ""),
        Some(_) => return None,
    };
    if whole.is_empty() {
        return None;
    }
    format!("{sign}{whole}.{fraction}0").parse().ok()
}

/// Whether digits stand in groups of three between marks, the first group of one to three.
fn is_grouped(text: &str, mark: char) -> bool {
    let mut groups = text.split(mark);
    let are_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first =
        groups.next().is_some_and(|group| (1..=3).contains(&group.len()) && are_digits(group));
    let rest: Vec<&str> = groups.collect();
    first && !rest.is_empty() && rest.iter().all(|group| group.len() == 3 && are_digits(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_parse(text: &str, language: &str, want: Option<&str>) {
        assert_eq!(
            parse(text, language),
            want.map(|want| want.parse().unwrap()),
            "{text} in {language}"
        );
    }

    #[test]
    fn numbers_are_read_as_the_language_writes_them() {
        check_parse("1007.5", "en", Some("1007.5"));
        check_parse("1,007.50", "en", Some("1007.5"));
        check_parse("1,007", "en", Some("1007"));
        check_parse("1007,5", "en", None);
        check_parse("1 007,50", "pl", Some("1007.5"));
        check_parse("1\u{a0}007,50", "pl", Some("1007.5"));
        check_parse("1\u{202f}007,5", "fr", Some("1007.5"));
        check_parse("1007.5", "pl", Some("1007.5"));
        check_parse("1.007,50", "de", Some("1007.5"));
        check_parse("1.007", "de", Some("1007"));
        check_parse("1.07", "de", Some("1.07"));
        check_parse("1.007", "pl", Some("1.007"));
        check_parse("−3,5", "pl", Some("-3.5"));
    }

    #[test]
    fn what_is_more_or_less_than_a_number_is_none() {
        for text in
            ["", "-", ".", "5.", ".5", "1,00,7", "12 zł", "$5", "1e3", "1 07", "0x1f", "1.2.3"]
        {
            check_parse(text, "en", None);
        }
    }
}
