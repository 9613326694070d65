//! A speed job inside a worker: loads one model and times its tests the way llama-bench does.
//!
//! As there: random tokens (or a text's) after BOS; each test in a context of its own, as long as the test needs;
//! a warm-up (the whole prompt, or one token) that is not timed; the depth is filled before the
//! clock starts and put back from a copy for further passes; one row of logits per batch; generation
//! submits random tokens and samples none. The threads are those of the runners.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use karat_llama::{Context, EngineError, Model, Threads, Token};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::backend::embedded::EmbeddedParams;
use crate::clock::Stopwatch;
use crate::instrument::fidelity::job::JobError;
use crate::instrument::fidelity::text::tokenize;
use crate::machine::{self, ProcessorTime};
use crate::plan::{Conditions, SpeedSample, SpeedTest, TestKind};
use crate::worker::{Channel, Message, SpeedJob};

/// How often a worker that computes says that it is alive.
const PULSE: Duration = Duration::from_millis(500);

/// Times every test of the job and sends the sample.
pub fn run(job: &SpeedJob, channel: &Channel) -> Result<(), JobError> {
    let threads = Threads::polling(job.ruler.n_threads)?;
    let pulse = Pulse::start(channel.clone());
    channel.send(&Message::Working { model: 0 });
    let watch = Stopwatch::start();
    let heart = channel.clone();
    let params = params(job, 0).model_params();
    let model = Model::load(&job.model, &params, |_| {
        heart.alive();
        true
    })?;
    let load_seconds = watch.elapsed().as_secs_f64();
    let tokens = Tokens::new(job, &model)?;
    let mut bench = Bench { job, model, threads, pulse, tokens };
    let before = (conditions(), ProcessorTime::now());
    let pass_ns = job.tests.iter().map(|test| bench.time(*test)).collect::<Result<Vec<_>, _>>()?;
    let others_share =
        ProcessorTime::now().zip(before.1).and_then(|(now, before)| now.others_since(&before));
    let conditions = [before.0, conditions()];
    channel.send(&Message::Speed(SpeedSample { pass_ns, load_seconds, conditions, others_share }));
    Ok(())
}

fn params(job: &SpeedJob, n_ctx: u32) -> EmbeddedParams {
    EmbeddedParams {
        n_ctx,
        n_batch: job.ruler.n_batch,
        n_ubatch: job.ruler.n_ubatch,
        kv: job.ruler.kv,
        gpu_layers: job.ruler.gpu_layers,
    }
}

fn conditions() -> Conditions {
    Conditions { clock_mhz: machine::clock_mhz(), celsius: machine::temperature_celsius() }
}

/// Signs of life at next to no cost: the engine counts, a thread looks now and then whether it did.
/// Speaking from the engine's callback itself would be part of what is timed.
#[derive(Clone)]
struct Pulse(Arc<AtomicU64>);

impl Pulse {
    fn start(channel: Channel) -> Self {
        let pulse = Self(Arc::new(AtomicU64::new(0)));
        let counter = pulse.0.clone();
        // Ends with the process.
        thread::spawn(move || {
            let mut last = 0;
            loop {
                thread::sleep(PULSE);
                let now = counter.load(Ordering::Relaxed);
                if now != last {
                    channel.alive();
                }
                last = now;
            }
        });
        pulse
    }

    fn beat(&self) {
        // There is one writer at a time, so no read-modify-write is needed.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

struct Bench<'j> {
    job: &'j SpeedJob,
    model: Model,
    threads: Threads,
    pulse: Pulse,
    tokens: Tokens,
}

impl Bench<'_> {
    /// Nanoseconds of each timed pass of a test.
    fn time(&mut self, test: SpeedTest) -> Result<Vec<u64>, EngineError> {
        let n_ctx = u32::try_from(test.n_ctx()).unwrap_or(u32::MAX);
        let params = params(self.job, n_ctx).context_params();
        let mut context = Context::new(&self.model, &params, &self.threads)?;
        let pulse = self.pulse.clone();
        context.set_watch(move || {
            pulse.beat();
            false
        });
        match test.kind {
            TestKind::Pp => self.prompt(&mut context, test.n_tokens)?,
            TestKind::Tg => self.generate(&mut context, 1)?,
        }
        context.clear();
        self.prompt(&mut context, test.depth)?;
        // Where the engine cannot copy its kind of cache, the depth is filled again.
        let is_wanted = test.depth > 0 && self.job.ruler.reps > 1;
        let filled = if is_wanted { context.save().ok() } else { None };
        let mut passes = Vec::new();
        for pass in 0..self.job.ruler.reps {
            let is_back =
                pass == 0 || filled.as_ref().is_some_and(|it| context.restore(it).is_ok());
            if !is_back {
                context.clear();
                self.prompt(&mut context, test.depth)?;
            }
            let watch = Stopwatch::start();
            match test.kind {
                TestKind::Pp => self.prompt(&mut context, test.n_tokens)?,
                TestKind::Tg => self.generate(&mut context, test.n_tokens)?,
            }
            passes.push(watch.elapsed().as_nanos() as u64);
            self.pulse.beat();
        }
        Ok(passes)
    }

    /// Processes tokens, a batch at a time.
    fn prompt(&mut self, context: &mut Context, n_tokens: u32) -> Result<(), EngineError> {
        let mut left = n_tokens as usize;
        let mut first = true;
        while left > 0 {
            let n = left.min(context.n_batch());
            let mut tokens: Vec<Token> = (0..n).map(|_| self.tokens.following()).collect();
            if first {
                tokens[0] = self.tokens.first();
            }
            context.decode(&tokens, &[n - 1])?;
            (left, first) = (left - n, false);
        }
        Ok(())
    }

    /// Submits tokens one by one, each after the one before is computed.
    fn generate(&mut self, context: &mut Context, n_tokens: u32) -> Result<(), EngineError> {
        let mut token = self.tokens.first();
        for _ in 0..n_tokens {
            context.decode(&[token], &[0])?;
            token = self.tokens.following();
        }
        Ok(())
    }
}

/// What is submitted.
struct Tokens {
    bos: Option<Token>,
    n_vocab: usize,
    rng: ChaCha8Rng,
    /// A text's tokens; random ones are drawn where there are none.
    text: Vec<Token>,
    next: usize,
}

impl Tokens {
    fn new(job: &SpeedJob, model: &Model) -> Result<Self, JobError> {
        let vocab = model.vocab();
        let bos = if vocab.adds_bos() { vocab.bos() } else { None };
        let text = match &job.prompt {
            Some(path) => tokenize(&vocab, path, false)?,
            None => Vec::new(),
        };
        let rng = ChaCha8Rng::seed_from_u64(job.seed);
        Ok(Self { bos, n_vocab: vocab.n_tokens(), rng, text, next: 0 })
    }

    /// What a sequence begins with.
    fn first(&mut self) -> Token {
        self.bos.unwrap_or_else(|| self.following())
    }

    fn following(&mut self) -> Token {
        if self.text.is_empty() {
            return ((u64::from(self.rng.next_u32()) * self.n_vocab as u64) >> 32) as Token;
        }
        self.next += 1;
        self.text[(self.next - 1) % self.text.len()]
    }
}
