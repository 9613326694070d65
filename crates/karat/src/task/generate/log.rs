//! A log of a server's services, as long as asked in tokens of the model under test, with one line at a
//! chosen depth that is asked for and others that look like it.

use serde::Deserialize;
use serde_json::Value;

use super::{Draw, Generate, Means};

/// Longest log, in tokens.
const LONGEST: usize = 2_000_000;

const SERVICES: &[&str] = &[
    "auth", "billing", "cache", "cron", "db", "gateway", "mail", "proxy", "queue", "search", "web",
];

const LEVELS: &[&str] = &["INFO", "INFO", "INFO", "INFO", "DEBUG", "DEBUG", "WARN"];

/// What services say; `#` stands for a number.
const EVENTS: &[&str] = &[
    "request served status=200 ms=#",
    "request served status=304 ms=#",
    "connection opened from 10.0.#.#",
    "connection closed after # s",
    "cache hit ratio 0.# over # keys",
    "cache miss for key user:#",
    "retry # scheduled in # s",
    "user # logged in",
    "session # expired",
    "backup of # files finished in # s",
    "slow query took # ms, # rows",
    "queue length # below threshold",
    "configuration reloaded, # entries",
    "health check passed in # ms",
    "certificate valid for # more days",
    "garbage collection freed # MB",
    "worker # started",
    "worker # stopped after # jobs",
    "timeout after # ms, attempt #",
    "index segment # merged",
];

/// `{ kind = "log", tokens = 12000, depth = 50, fact = "...", distractors = ["..."] }`: `depth` is
/// where the fact stands, from 0 (first line) to 100 (last line). Each line gets a time and a level; the
/// fact and the distractors bring the rest of theirs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    tokens: usize,
    depth: f64,
    fact: String,
    #[serde(default)]
    distractors: Vec<String>,
}

impl Generate for Log {
    fn generate(&self, means: &mut Means<'_>) -> Result<Value, String> {
        if self.tokens > LONGEST {
            return Err(format!("{} tokens are too many; at most {LONGEST}", self.tokens));
        }
        if !(0.0..=100.0).contains(&self.depth) {
            return Err(format!("`depth` is {}, not a percentage", self.depth));
        }
        let plan = Plan::draw(self, means);
        // The most lines that fit.
        let fits = |n: usize| (means.count_tokens)(&plan.text(self, n)) <= self.tokens;
        if !fits(0) {
            return Err(format!("{} tokens do not hold the fact and its distractors", self.tokens));
        }
        let (mut fitting, mut too_many) = (0, plan.filler.len() + 1);
        while fitting + 1 < too_many {
            let middle = usize::midpoint(fitting, too_many);
            if fits(middle) { fitting = middle } else { too_many = middle }
        }
        Ok(Value::from(plan.text(self, fitting)))
    }
}

/// Everything drawn, for any number of lines.
struct Plan {
    filler: Vec<String>,
    /// Where the distractors stand, in parts of a million.
    places: Vec<u64>,
    /// Seconds between lines and what levels they have, taken in turn.
    beats: Vec<(i64, &'static str)>,
    start_s: i64,
}

impl Plan {
    fn draw(log: &Log, means: &mut Means<'_>) -> Self {
        let start_s = means.draw.between(0, 20_000);
        let places = log.distractors.iter().map(|_| means.draw.below(1_000_000)).collect();
        let beats = (0..101)
            .map(|_| {
                (means.draw.between(0, 9), means.draw.one(LEVELS).copied().unwrap_or_default())
            })
            .collect();
        let mut filler = Vec::new();
        let mut n_tokens = 0;
        // No tokenizer makes a single token of such a line, so this ends.
        while n_tokens <= log.tokens && filler.len() <= log.tokens {
            let lines: Vec<String> = (0..64).map(|_| event(means.draw)).collect();
            n_tokens += (means.count_tokens)(&lines.join("\n"));
            filler.extend(lines);
        }
        Self { filler, places, beats, start_s }
    }

    /// The log with `n` lines around the fact and the distractors.
    fn text(&self, log: &Log, n: usize) -> String {
        let mut lines: Vec<&str> = self.filler.iter().take(n).map(String::as_str).collect();
        for (distractor, place) in log.distractors.iter().zip(&self.places) {
            lines.insert((lines.len() as u64 * place / 1_000_000) as usize, distractor);
        }
        // Last, so that no distractor moves it.
        let place = (lines.len() as f64 * log.depth / 100.0).round() as usize;
        lines.insert(place.min(lines.len()), &log.fact);
        let mut second = self.start_s;
        let stamped: Vec<String> = lines
            .into_iter()
            .zip(self.beats.iter().cycle())
            .map(|(line, (pause, level))| {
                second += pause;
                let (h, m, s) = (second / 3600 % 24, second / 60 % 60, second % 60);
                format!("2026-03-14T{h:02}:{m:02}:{s:02}Z {level:<5} {line}")
            })
            .collect();
        stamped.join("\n")
    }
}

fn event(draw: &mut Draw) -> String {
    let service = draw.one(SERVICES).copied().unwrap_or_default();
    let pattern = draw.one(EVENTS).copied().unwrap_or_default();
    let mut line = format!("{service:<8}");
    for character in pattern.chars() {
        if character == '#' {
            line.push_str(&draw.between(1, 250).to_string());
        } else {
            line.push(character);
        }
    }
    line
}
