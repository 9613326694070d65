//! `number`: one exact decimal number, alone on its line. Owns how languages write numbers.

use std::ops::Range;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::dress::{lines, undressed, unlisted};
use super::fold::{folded, is_word, words};
use super::{Answer, Checked, Means, Score, Scorer, Written, check, failed, held, shown, whole};
use crate::task::Outcome;

/// `expected`: the number, e.g. `"1007.5"`; `language`: whose way of writing numbers counts; `units`: what
/// may stand beside it, e.g. `["€", "euros"]`.
///
/// Passes where the last line that is a number alone is the expected one, whatever emphasis, quotes or
/// LaTeX stand around it. Right, but not alone on a line: partial, unless another number stands alone. An
/// answer that offers another number beside the right one ("1007.5 or 1008") fails.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Number {
    expected: Written,
    #[serde(default = "english")]
    language: String,
    #[serde(default)]
    units: Vec<String>,
}

fn english() -> String {
    "en".to_owned()
}

/// Words between two numbers that leave open which of them is meant.
const DOUBT: &[&str] = &[
    "or",
    "maybe",
    "perhaps",
    "possibly",
    "lub",
    "albo",
    "czy",
    "może",
    "bądź",
    "oder",
    "vielleicht",
    "ou",
    "peut-être",
];

/// Spaces that group thousands; the plain one does too.
const SPACES: &[char] = &[' ', '\u{a0}', '\u{202f}', '\u{2009}'];

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

    /// The number that a line consists of.
    fn alone(&self, line: &str) -> Option<Decimal> {
        let line = plain(line);
        let line = undressed(unlisted(undressed(&line)).0);
        let number = |text: &str| parse(undressed(text), &self.language);
        number(line).or_else(|| {
            self.units
                .iter()
                .filter_map(|unit| line.strip_suffix(unit).or_else(|| line.strip_prefix(unit)))
                .find_map(number)
        })
    }

    /// The numbers that stand in running text, and where.
    fn numbers(&self, text: &str) -> Vec<(Range<usize>, Decimal)> {
        let mut numbers = Vec::new();
        let mut from = 0;
        while let Some(at) = text[from..].find(|character: char| character.is_ascii_digit()) {
            let start = from + at;
            let end = start + extent(&text[start..]);
            let sign =
                text[from..start].chars().next_back().filter(|mark| matches!(mark, '-' | '−'));
            let before = sign.and_then(|sign| text[..start - sign.len_utf8()].chars().next_back());
            // A hyphen between two words or numbers is no minus.
            let is_minus = sign.is_some() && !before.is_some_and(is_word);
            if let Some(number) = parse(&text[start..end], &self.language) {
                numbers.push((start..end, if is_minus { -number } else { number }));
            }
            from = end;
        }
        numbers
    }

    /// Another number that the text offers beside the right one, where the right one stands last.
    fn alternative<'a>(&self, text: &'a str) -> Option<&'a str> {
        let numbers = self.numbers(text);
        let last = numbers.iter().rposition(|(_, number)| self.is_right(*number))?;
        let (before, rest) = numbers.split_at(last);
        let (right, after) = rest.split_first()?;
        let pairs = [
            before.last().map(|other| (other, other, right)),
            after.first().map(|other| (other, right, other)),
        ];
        pairs.into_iter().flatten().find_map(|(other, first, second)| {
            let between = text.get(first.0.end..second.0.start)?;
            let is_offered = !self.is_right(other.1) && is_choice(between);
            is_offered.then(|| text.get(other.0.clone())).flatten()
        })
    }
}

/// Whether what stands between two numbers makes a choice of them: marks of a list, or a few words with
/// one of doubt, of one sentence.
fn is_choice(between: &str) -> bool {
    const FEW: usize = 6;
    let is_list = |mark: char| matches!(mark, ',' | '/' | ';' | ' ');
    if between.chars().all(is_list) {
        return true;
    }
    let said = words(between);
    !between.contains(['.', '!', '?', ':'])
        && said.len() <= FEW
        && said.iter().any(|word| DOUBT.contains(&folded(word).as_str()))
}

impl Scorer for Number {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        const ALONE: &str = "the number alone on its line";
        const RIGHT: &str = "the right number";
        let text = plain(&answer.visible);
        let mut alone = lines(&text).filter_map(|line| Some((self.alone(line)?, line)));
        let last_alone = alone.next_back();
        let placed = check(ALONE, last_alone.is_some(), || {
            let last = lines(&text).next_back().unwrap_or_default();
            format!("no line is a number and nothing else; the last is {}", shown(last))
        });
        let right = match last_alone {
            Some((number, line)) if !self.is_right(number) => {
                failed(RIGHT, format!("{} instead of {}", shown(line), self.expected.0))
            }
            None if self.stands_in(&text) != Some(true) => {
                failed(RIGHT, format!("{} does not stand in the answer", self.expected.0))
            }
            _ => match self.alternative(&text) {
                Some(other) => failed(RIGHT, format!("{} is offered beside it", shown(other))),
                None => held(RIGHT),
            },
        };
        let outcome = match (right.held, placed.held) {
            (true, true) => Outcome::Pass,
            (true, false) => Outcome::Partial,
            (false, _) => Outcome::Fail,
        };
        whole(outcome, vec![placed, right])
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        Some(self.numbers(&plain(text)).into_iter().any(|(_, number)| self.is_right(number)))
    }

    fn reference(&self) -> Option<Answer> {
        let mark = if self.language == "en" { "." } else { "," };
        Some(Answer::text(self.expected.0.replace('.', mark)))
    }
}

/// A text with LaTeX's ways to write marks and spaces inside numbers undone.
fn plain(text: &str) -> String {
    text.replace("{,}", ",").replace("{.}", ".").replace("\\,", " ").replace("\\;", " ")
}

/// How far a number reaches that a text begins with, in bytes: over points, commas and apostrophes before
/// another digit, and over spaces before a group of three.
fn extent(text: &str) -> usize {
    let is_digit = |character: &char| character.is_ascii_digit();
    let mut end = 0;
    loop {
        end += text[end..].chars().take_while(is_digit).count();
        let Some(mark) = text[end..].chars().next() else { return end };
        let rest = &text[end + mark.len_utf8()..];
        let n_digits = rest.chars().take_while(is_digit).count();
        let goes_on = match mark {
            '.' | ',' | '\'' | '’' => n_digits > 0,
            mark if SPACES.contains(&mark) => n_digits == 3 && is_grouped(&text[..end], mark),
            _ => false,
        };
        if !goes_on {
            return end;
        }
        end += mark.len_utf8();
    }
}

/// A text that is a number and nothing else, as the language writes numbers.
///
/// Where both point and comma stand in it, the last of them is the decimal mark in every language. A
/// comma alone groups thousands in English and is the decimal mark elsewhere. A point alone is the decimal
/// mark, except in German before exactly three digits: `1.007` is 1007 there and 1.007 in Polish and
/// French, which group by spaces. A mark that stands several times groups.
pub(super) fn parse(text: &str, language: &str) -> Option<Decimal> {
    let (sign, digits) = match text.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = match decimal_mark(digits, language) {
        Some(mark) => digits.rsplit_once(mark)?,
        None => (digits, "0"),
    };
    let mark = whole.chars().find(|character| !character.is_ascii_digit());
    let whole = match mark {
        None => whole.to_owned(),
        Some(mark) if is_group_mark(mark) && is_grouped(whole, mark) => whole.replace(mark, ""),
        Some(_) => return None,
    };
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.is_empty() || !are_digits(fraction) {
        return None;
    }
    format!("{sign}{whole}.{fraction}").parse().ok()
}

fn is_group_mark(mark: char) -> bool {
    matches!(mark, '.' | ',' | '\'' | '’') || SPACES.contains(&mark)
}

/// Which mark parts the whole from the fraction.
fn decimal_mark(digits: &str, language: &str) -> Option<char> {
    let n = |mark: char| digits.matches(mark).count();
    match (n('.'), n(',')) {
        (1.., 1..) => digits.chars().rev().find(|mark| matches!(mark, '.' | ',')),
        (1, 0) if language == "de" && is_grouped(digits, '.') => None,
        (1, 0) => Some('.'),
        (0, 1) if language == "en" => None,
        (0, 1) => Some(','),
        // None at all, or marks that group.
        (_, _) => None,
    }
}

/// Whether digits stand in groups between marks: one to three, not beginning with 0, then three each.
fn is_grouped(text: &str, mark: char) -> bool {
    let mut groups = text.split(mark);
    let are_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let is_first = |group: &str| {
        (1..=3).contains(&group.len()) && are_digits(group) && !group.starts_with('0')
    };
    groups.next().is_some_and(is_first) && groups.all(|group| group.len() == 3 && are_digits(group))
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
    fn point_and_comma_together_leave_no_doubt() {
        for language in ["en", "pl", "de", "fr"] {
            check_parse("3.213,90", language, Some("3213.9"));
            check_parse("3,213.90", language, Some("3213.9"));
            check_parse("1.234.567,8", language, Some("1234567.8"));
            check_parse("1.234.567", language, Some("1234567"));
            check_parse("3.21,90", language, None);
            check_parse("1,2,3.4", language, None);
        }
        check_parse("0.750", "de", Some("0.75"));
        check_parse("0,750", "en", None);
        check_parse("1'007,50", "de", Some("1007.5"));
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
