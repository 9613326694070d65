//! The three answers put together. Owns their order and what each rests on.

use crate::record::{
    Answer, Estimate, Instrument, ModelRecord, NeededN, Question, SampleUnit, Verdict,
};

use super::asked::{Asked, asked};
use super::besides::besides;
use super::measurement::Measurement;
use super::sentence::{self, Names};
use super::settings::VerdictSettings;
use super::standing::{self, Decider};
use super::table::Table;
use super::{passes, texts};

/// The three answers from stored rows; none where neither tasks nor texts were measured.
///
/// One answer per question and pair, in the order recipe, budget, ceiling. All quality claims among them
/// share the error 1 - level by Holm's method. A question that nobody can answer here says what it takes.
pub fn answers(
    models: &[ModelRecord],
    estimates: &[Estimate],
    settings: &VerdictSettings,
) -> Vec<Answer> {
    let tells = [Instrument::Fidelity, Instrument::Behaviour];
    if !estimates.iter().any(|row| tells.contains(&row.instrument)) {
        return Vec::new();
    }
    let table = Table { rows: estimates };
    let questions = asked(models);
    let measured: Vec<Measured<'_>> =
        questions.iter().map(|asked| Measured::of(table, asked, settings)).collect();
    let all: Vec<&Measurement<'_>> = measured.iter().flat_map(Measured::all).collect();
    let mut levels = standing::levels(&all, 1.0 - settings.level).into_iter();
    let judged = questions.iter().zip(&measured).map(|(asked, measured)| {
        // As many levels as measurements, in the same order.
        let levels: Vec<f64> = levels.by_ref().take(measured.all().count()).collect();
        answer(table, asked, &measured.judged(&levels), settings)
    });
    judged.collect()
}

/// What was measured of one pair.
struct Measured<'a> {
    tasks: Option<Measurement<'a>>,
    texts: Vec<Measurement<'a>>,
}

impl<'a> Measured<'a> {
    fn of(table: Table<'a>, asked: &Asked<'a>, settings: &VerdictSettings) -> Self {
        let Ok((one, other)) = asked.about else { return Self { tasks: None, texts: Vec::new() } };
        let margin = settings.margins.pass_rate;
        Self {
            tasks: passes::measurement(table, (&one.name, &other.name), margin),
            texts: texts::measurements(table, asked.question, (one, other), settings),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Measurement<'a>> {
        self.tasks.iter().chain(&self.texts)
    }

    /// Each with its verdict and the level it was judged at.
    fn judged<'m>(&'m self, levels: &[f64]) -> Judged<'m, 'a> {
        let mut judged = self.all().zip(levels).map(|(measurement, level)| One {
            measurement,
            verdict: standing::standing(measurement, *level),
            level: *level,
        });
        let tasks = self.tasks.as_ref().and_then(|_| judged.next());
        Judged { tasks, texts: judged.collect() }
    }
}

struct One<'m, 'a> {
    measurement: &'m Measurement<'a>,
    verdict: Verdict,
    level: f64,
}

impl One<'_, '_> {
    fn needed(&self, unit: SampleUnit) -> Option<NeededN> {
        let n = self.measurement.needed_n(self.level)?;
        Some(NeededN { n, unit })
    }
}

struct Judged<'m, 'a> {
    tasks: Option<One<'m, 'a>>,
    texts: Vec<One<'m, 'a>>,
}

impl Judged<'_, '_> {
    fn texts(&self) -> Vec<(&Measurement<'_>, Verdict)> {
        self.texts.iter().map(|one| (one.measurement, one.verdict)).collect()
    }

    /// Whether all that is undecided has no interval to judge by, so that its size is not what is lacking.
    fn is_unjudged(&self) -> bool {
        let all = self.tasks.iter().chain(&self.texts);
        let mut undecided = all.filter(|one| one.verdict == Verdict::CannotTell).peekable();
        undecided.peek().is_some() && undecided.all(|one| one.measurement.unjudged().is_some())
    }

    /// The smallest sample that would decide, among what was not decided.
    fn needed(&self) -> Option<NeededN> {
        let tasks = self.tasks.iter().filter(|one| one.verdict == Verdict::CannotTell);
        let tasks = tasks.filter_map(|one| one.needed(SampleUnit::Instances));
        let texts = self.texts.iter().filter(|one| one.verdict == Verdict::CannotTell);
        let texts = texts.filter_map(|one| one.needed(SampleUnit::Windows));
        // Tasks are what people ask about; windows only where there are no tasks to add.
        tasks.chain(texts).next()
    }
}

fn answer(
    table: Table<'_>,
    asked: &Asked<'_>,
    judged: &Judged<'_, '_>,
    settings: &VerdictSettings,
) -> Answer {
    let question = asked.question;
    let (one, other) = match asked.about {
        Ok(pair) => pair,
        Err(why) => return unasked(question, why),
    };
    let is_proxy = other.proxy_reference;
    let names = Names { question, candidate: &one.name, versus: &other.name, is_proxy };
    let verdicts: Vec<Verdict> = judged.texts.iter().map(|one| one.verdict).collect();
    let tasks = judged.tasks.as_ref();
    let joined = standing::joined(tasks.map(|one| one.verdict), standing::of_texts(&verdicts));
    let (verdict, decider) = joined.unwrap_or((Verdict::NotAsked, Decider::Texts));
    let mut sentence = match (decider, tasks) {
        (Decider::Tasks, Some(tasks)) => sentence::of_tasks(names, verdict, tasks.measurement),
        _ if verdicts.is_empty() => sentence::nothing(names),
        _ => sentence::of_texts(names, verdict, &judged.texts()),
    };
    let needed_n = (verdict == Verdict::CannotTell).then(|| judged.needed()).flatten();
    if verdict == Verdict::CannotTell && !judged.is_unjudged() {
        sentence.push_str(&sentence::needed(needed_n.map(|needed| (needed.n, needed.unit))));
    }
    let mut said = Vec::new();
    match (decider, tasks) {
        (Decider::Tasks, _) if !judged.texts.is_empty() => {
            said.push(format!("texts: {}", sentence::texts_fact(&judged.texts(), &other.name)));
        }
        (Decider::Texts, Some(tasks)) => {
            let fact = sentence::tasks_fact(names, tasks.verdict, tasks.measurement);
            said.push(format!("tasks cannot tell: {fact}"));
        }
        _ => {}
    }
    let judged_rows = judged.tasks.iter().chain(&judged.texts);
    let mut evidence: Vec<usize> =
        judged_rows.flat_map(|one| one.measurement.rows.iter().copied()).collect();
    for (text, rows) in besides(table, question, (one, other), settings) {
        said.push(text);
        evidence.extend(rows);
    }
    Answer {
        question,
        candidate: Some(one.name.clone()),
        versus: Some(other.name.clone()),
        verdict,
        sentence: sentence + ".",
        besides: said.into_iter().map(|text| capitalized(&text)).collect(),
        evidence,
        needed_n,
    }
}

fn unasked(question: Question, why: &str) -> Answer {
    Answer {
        question,
        candidate: None,
        versus: None,
        verdict: Verdict::NotAsked,
        sentence: format!("not asked: {why}."),
        besides: Vec::new(),
        evidence: Vec::new(),
        needed_n: None,
    }
}

/// A sentence of its own.
fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
