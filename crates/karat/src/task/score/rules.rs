//! `rules`: a text by rules that are checked one by one, and by whether the model made up its mind where
//! rules contradict each other.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::dress::unlisted;
use super::fold::{folded, has_form, words};
use super::{Answer, Check, Checked, Means, Score, Scorer, by_share, failed, held, shown, told};
use crate::units::count;

/// `answer`: what a text has to do to be an answer to the task at all; where it does not, nothing counts,
/// because who refuses breaks no prohibition. `rules`: each has a `name` and what it asks. `readings`: lists
/// of names of rules that cannot all hold, because the instructions contradict each other. A model commits
/// where exactly one reading holds altogether; which one is told. Rules of no reading count one by one, and
/// so does the commitment. `example`: an answer that has to pass.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    answer: Asks,
    #[serde(rename = "rules")]
    all: Vec<Rule>,
    #[serde(default)]
    readings: Vec<Vec<String>>,
    example: String,
}

/// A table with a `name` and one key of [`Asks`].
#[derive(Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
struct Rule {
    name: String,
    asks: Asks,
}

impl TryFrom<Map<String, Value>> for Rule {
    type Error = String;

    fn try_from(mut keys: Map<String, Value>) -> Result<Self, String> {
        let Some(Value::String(name)) = keys.remove("name") else {
            return Err("a rule needs a `name`".to_owned());
        };
        match serde_json::from_value(Value::Object(keys)) {
            Ok(asks) => Ok(Self { name, asks }),
            Err(error) => Err(format!("rule `{name}`: {error}")),
        }
    }
}

/// Most words of an entry of a list.
const ENTRY: usize = 6;

/// What a rule asks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asks {
    /// Words.
    Words(Range),
    /// Lines that are not empty.
    Lines(Range),
    /// Lines that are entries of a list: with a mark or number before at most [`ENTRY`] words, or of at
    /// most half as many without one.
    Entries(Range),
    /// Sentences: pieces that end with a full stop, question or exclamation mark.
    Sentences(Range),
    /// Forms that have to stand in it.
    Has(Vec<String>),
    /// Forms that must not.
    HasNo(Vec<String>),
    /// A letter, or any text, that must not stand anywhere.
    Without(String),
    /// How it begins.
    StartsWith(String),
    /// How it ends.
    EndsWith(String),
    /// How each line that is not empty begins.
    EachLineStartsWith(String),
    /// Words of each line that is not empty.
    EachLineWords(Range),
    /// Whether all letters are small (`"lower"`) or capital (`"upper"`).
    Case(Case),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    #[serde(default)]
    min: usize,
    #[serde(default = "any")]
    max: usize,
}

fn any() -> usize {
    usize::MAX
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Case {
    Lower,
    Upper,
}

impl Range {
    fn holds(&self, n: usize, noun: &str) -> Result<(), String> {
        if (self.min..=self.max).contains(&n) {
            Ok(())
        } else {
            Err(format!("it has {}", count(n as u64, noun)))
        }
    }
}

impl Asks {
    /// Whether a text does as asked, or why not.
    fn holds(&self, text: &str) -> Result<(), String> {
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        match self {
            Self::Words(range) => range.holds(words(text).len(), "word"),
            Self::Lines(range) => range.holds(lines().count(), "line"),
            Self::Entries(range) => {
                range.holds(lines().filter(|line| is_entry(line)).count(), "list item")
            }
            Self::Sentences(range) => {
                let has_words = |piece: &&str| !words(piece).is_empty();
                range.holds(text.split(['.', '!', '?', '…']).filter(has_words).count(), "sentence")
            }
            Self::Has(forms) => match forms.iter().find(|form| !has_form(text, form)) {
                Some(form) => Err(format!("`{form}` does not stand in it")),
                None => Ok(()),
            },
            Self::HasNo(forms) => match forms.iter().find(|form| has_form(text, form)) {
                Some(form) => Err(format!("`{form}` stands in it")),
                None => Ok(()),
            },
            Self::Without(piece) => {
                let word =
                    text.split_whitespace().find(|word| folded(word).contains(&folded(piece)));
                word.map_or(Ok(()), |word| Err(format!("`{piece}` stands in `{word}`")))
            }
            Self::StartsWith(start) => {
                let is_so = folded(text).starts_with(&folded(start));
                if is_so { Ok(()) } else { Err(format!("it does not begin with `{start}`")) }
            }
            Self::EndsWith(end) => {
                let is_so = folded(text).ends_with(&folded(end));
                if is_so { Ok(()) } else { Err(format!("it does not end with `{end}`")) }
            }
            Self::EachLineStartsWith(start) => {
                // A space that does not break is a space.
                let starts = |line: &&str| !line.replace('\u{a0}', " ").starts_with(start);
                match lines().find(starts) {
                    Some(line) => Err(format!("{} does not begin with `{start}`", shown(line))),
                    None => Ok(()),
                }
            }
            Self::EachLineWords(range) => {
                let why = |line| range.holds(words(line).len(), "word").map_err(|why| (line, why));
                match lines().find_map(|line| why(line).err()) {
                    Some((line, why)) => Err(format!("of {}, {why}", shown(line))),
                    None => Ok(()),
                }
            }
            Self::Case(case) => {
                let is_other = |letter: &char| match case {
                    Case::Lower => letter.is_uppercase(),
                    // `ß` stands among capital letters, too.
                    Case::Upper => letter.is_lowercase() && *letter != 'ß',
                };
                match text.chars().find(is_other) {
                    Some(letter) => Err(format!("`{letter}` stands in it")),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Whether a line is an entry of a list.
fn is_entry(line: &str) -> bool {
    let (entry, is_marked) = unlisted(line);
    (1..=if is_marked { ENTRY } else { ENTRY / 2 }).contains(&words(entry).len())
}

impl Checked for Rules {
    fn checked(&self) -> Result<(), String> {
        if self.all.is_empty() {
            return Err("`rules` is empty".to_owned());
        }
        let unknown = self.readings.iter().flatten().find(|name| self.rule(name).is_none());
        if let Some(name) = unknown {
            return Err(format!("`readings` names `{name}`, which is no rule"));
        }
        let checks = self.checks(&self.example);
        match checks.iter().find(|check| !check.held) {
            Some(check) => Err(format!("`example` does not pass `{}`: {}", check.name, check.why)),
            None => Ok(()),
        }
    }
}

impl Rules {
    fn rule(&self, name: &str) -> Option<&Rule> {
        self.all.iter().find(|rule| rule.name == name)
    }

    /// What counts: that there is an answer, and then the rules of no reading and the commitment.
    fn checks(&self, text: &str) -> Vec<Check> {
        let text = text.trim();
        if let Err(why) = self.answer.holds(text) {
            return vec![failed("an answer to the task", why)];
        }
        let is_contested =
            |rule: &&Rule| self.readings.iter().any(|names| names.contains(&rule.name));
        let mut checks: Vec<Check> = self
            .all
            .iter()
            .filter(|rule| !is_contested(rule))
            .map(|Rule { name, asks }| match asks.holds(text) {
                Ok(()) => held(name),
                Err(why) => failed(name, why),
            })
            .collect();
        if !self.readings.is_empty() {
            checks.push(self.commitment(text));
        }
        checks
    }

    /// Which reading the text keeps to, told in either case.
    fn commitment(&self, text: &str) -> Check {
        const COMMITMENT: &str = "commitment";
        let broken = |names: &Vec<String>| {
            names.iter().filter_map(|name| self.rule(name)).find_map(|rule| {
                rule.asks.holds(text).err().map(|why| format!("not {}, {why}", rule.name))
            })
        };
        let (mut kept, mut broke) = (Vec::new(), Vec::new());
        for names in &self.readings {
            match broken(names) {
                None => kept.push(names.join(" and ")),
                Some(why) => broke.push(why),
            }
        }
        match kept.as_slice() {
            [reading] => told(COMMITMENT, reading),
            [] => failed(COMMITMENT, format!("to none: {}", broke.join("; "))),
            _ => failed(COMMITMENT, format!("to none: {} hold at once", kept.join(" and "))),
        }
    }
}

impl Scorer for Rules {
    fn judge(&self, answer: &Answer, _: Means<'_>) -> Score {
        by_share(self.checks(&answer.visible))
    }

    fn stands_in(&self, text: &str) -> Option<bool> {
        // Rules are about a whole text; in thinking, a paragraph may be a draft of it.
        let is_answer = |draft: &str| {
            !draft.trim().is_empty() && self.checks(draft).iter().all(|check| check.held)
        };
        Some(text.split("\n\n").any(is_answer))
    }

    fn reference(&self) -> Option<Answer> {
        Some(Answer::text(self.example.as_str()))
    }
}
