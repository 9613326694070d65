//! `karat demo`: makes five builds of the bundled lab model, looks into one, and judges all against both
//! references with every instrument.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::backends::Patient;
use super::compare::{memory_settings, models, said, speed_settings};
use super::measure::{Measurements, Telling, measure};
use super::plan_behaviour::{RunFiles, plan_behaviour};
use super::plan_fidelity::plan_fidelity;
use super::plan_memory::plan_memory;
use super::plan_speed::plan_speed;
use super::{Session, build, inspect, report};
use crate::cli::{DemoArgs, InspectArgs, ReportFormat};
use crate::exit::Exit;
use crate::generation::Thinking;
use crate::record::{Finding, Margins, Severity};
use crate::report::PageFormat;
use crate::settings::{
    BehaviourSettings, FidelitySettings, Kv, MemorySettings, ModelName, RulerSpec, SamplingChoice,
    SpeedSettings, SuiteName, SuiteSpec,
};
use crate::store::Store;
use crate::worker::{Job, QuantizeJob};

/// Builds the demo makes: checkpoint, file type, file name.
const BUILDS: [(&str, &str, &str); 5] = [
    (ORIGINAL, "Q8_0", "lab-base-Q8_0.gguf"),
    (ORIGINAL, "Q6_K", "lab-base-Q6_K.gguf"),
    (ORIGINAL, "Q4_K_M", "lab-base-Q4_K_M.gguf"),
    (ORIGINAL, "Q4_0", TWIN),
    (QAT, "Q4_0", QAT_BUILD),
];
/// Context of the memory table: the lab model's own.
const N_CTX: u32 = 2048;
/// Tokens of the log in which a fact has to be found, and of an answer at most: what the lab model was
/// trained for.
const LOG_TOKENS: u32 = 1000;
const ANSWER_TOKENS: u32 = 512;
/// A worker silent for this long hangs.
const TIMEOUT: Duration = Duration::from_mins(2);
const ORIGINAL: &str = "lab-base-bf16.gguf";
const QAT: &str = "lab-qat-bf16.gguf";
const TWIN: &str = "lab-base-Q4_0.gguf";
const QAT_BUILD: &str = "lab-qat-Q4_0.gguf";
/// Texts and their languages.
const TEXTS: [(&str, &str); 4] = [
    ("eval-english.txt", "en"),
    ("eval-code.txt", "code"),
    ("eval-polish.txt", "pl"),
    ("eval-wikitext2-test.txt", "en"),
];

pub(super) fn run(session: &Session, args: &DemoArgs) -> anyhow::Result<Exit> {
    report::check_target(&args.html)?;
    let lab = find_lab(session, args)?;
    let folder = args.builds.clone().unwrap_or_else(|| session.environment.home.join("demo"));
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create folder `{}`", folder.display()))?;
    let n_threads = args.threads.unwrap_or(session.environment.n_threads);
    session.ui.note("making builds of the lab model");
    let mut candidates = Vec::new();
    for (checkpoint, file_type, name) in BUILDS {
        let output = folder.join(name);
        let job = quantize_job(&lab.join(checkpoint), &output, file_type, n_threads);
        let exit = build::build(session, &Job::Quantize(job), &output, TIMEOUT)?;
        if exit != Exit::Ok {
            return Ok(exit);
        }
        candidates.push(output);
    }
    let shown = InspectArgs {
        models: vec![folder.join(QAT_BUILD)],
        check_data: true,
        format: PageFormat::Text,
    };
    inspect::inspect(session, &shown)?;
    session.ui.note("judging them against the original and the QAT checkpoint before rounding");
    let settings = FidelitySettings {
        references: vec![lab.join(ORIGINAL), lab.join(QAT)],
        texts: TEXTS.iter().map(|(text, _)| lab.join(text)).collect(),
        languages: TEXTS
            .iter()
            .map(|(text, language)| {
                (lab.join(text).to_string_lossy().into_owned(), (*language).to_owned())
            })
            .collect(),
        ruler: RulerSpec {
            n_ctx: 512,
            n_ubatch: 512,
            gpu_layers: Some(0),
            parse_special: false,
            chat: false,
        },
        kv: vec![Kv::F16],
        noise_floor: true,
        worst: 10,
        first_half: false,
        until_decided: false,
        margin: None,
        memory_budget: None,
        chunks: Some(args.chunks),
        qat: Some(folder.join(QAT_BUILD)),
        twin: Some(folder.join(TWIN)),
        naive: Some(folder.join(QAT_BUILD)),
        candidates,
        n_threads,
        worker_timeout: TIMEOUT,
        seed: 0,
        level: 0.95,
    }
    .checked()?;
    judge(session, &settings, &args.html)
}

/// One run of all instruments, told on the terminal and in a file for a browser.
fn judge(session: &Session, settings: &FidelitySettings, html: &Path) -> anyhow::Result<Exit> {
    let store = Store::open(&session.environment.home)?;
    let (mut fidelity, stamps) = plan_fidelity(session, &store, settings)?;
    fidelity.findings.push(same_file_finding());
    let memory_settings =
        MemorySettings { kv: vec![Kv::F16, Kv::Q8_0], ..memory_settings(settings, N_CTX) };
    let (memory, memory_stamps) = plan_memory(session, &store, &memory_settings)?;
    let speed_settings = SpeedSettings {
        pp: vec![256],
        tg: vec![64],
        reps: 1,
        ..speed_settings(settings, settings.n_threads)
    };
    let (speed, speed_stamps) = plan_speed(session, &store, &speed_settings.checked()?)?;
    let said = |path: &Path| said(settings, path);
    let of_run = models(settings);
    let files = RunFiles { paths: &of_run, said: &said, is_dry: false };
    let tasks = behaviour_settings(settings).checked()?;
    let (behaviour, behaviour_stamps) = plan_behaviour(session, &store, &tasks, &files)?;
    let patient = Patient { worker_timeout: TIMEOUT, answer_timeout: TIMEOUT };
    let work = Measurements {
        fidelity: Some((fidelity, stamps, settings.clone())),
        memory: Some((memory, memory_stamps, TIMEOUT)),
        speed: Some((speed, speed_stamps, TIMEOUT)),
        control: None,
        behaviour: Some((behaviour, behaviour_stamps, patient)),
        fits: None,
        margins: Margins::default(),
    };
    let telling = Telling {
        seed: settings.seed,
        level: settings.level,
        format: ReportFormat::Text,
        html: Some(html),
    };
    measure(session, store, work, &telling)
}

/// The quick suite, once, for the two builds that only the recipe tells apart.
fn behaviour_settings(settings: &FidelitySettings) -> BehaviourSettings {
    let builds = settings.qat.iter().chain(&settings.twin);
    BehaviourSettings {
        models: builds.cloned().map(ModelName::File).collect(),
        suite: SuiteSpec {
            name: SuiteName::Quick,
            folder: None,
            only: Vec::new(),
            fixed: [("log_tokens".to_owned(), LOG_TOKENS.into())].into(),
            max_tokens: Some(ANSWER_TOKENS),
            seed: settings.seed,
        },
        repeats: Some(1),
        n_ctx: Some(N_CTX),
        thinking: Thinking::Default,
        budgets: Vec::new(),
        sampling: SamplingChoice::Greedy,
        n_threads: settings.n_threads,
        gpu_layers: settings.ruler.gpu_layers,
        worker_timeout: TIMEOUT,
        answer_timeout: TIMEOUT,
        fresh: false,
        level: settings.level,
    }
}

/// Two of the five distances are the same file here.
fn same_file_finding() -> Finding {
    Finding {
        severity: Severity::Note,
        message: "in this demo the QAT file and the naive Q4_0 of the QAT checkpoint are one file \
                  by construction, so D(R1‖QAT file) and D(R1‖own naive Q4_0 of R1) are equal: \
                  nobody published a better conversion of the lab model"
            .to_owned(),
    }
}

fn quantize_job(input: &Path, output: &Path, file_type: &str, n_threads: u32) -> QuantizeJob {
    QuantizeJob {
        input: input.to_path_buf(),
        output: output.to_path_buf(),
        file_type: file_type.to_owned(),
        imatrix: None,
        pure: false,
        tensor_types: Vec::new(),
        token_embedding_type: None,
        output_type: None,
        leave_output: false,
        allow_requantize: false,
        overwrite: true,
        n_threads,
    }
}

/// The lab's folder: as given, else `lab` here, else beside the program or above it.
fn find_lab(session: &Session, args: &DemoArgs) -> anyhow::Result<PathBuf> {
    let places: Vec<PathBuf> = if let Some(lab) = &args.lab {
        vec![lab.clone()]
    } else {
        let above = session.environment.program.ancestors().skip(1).take(4);
        std::iter::once(PathBuf::from("lab")).chain(above.map(|dir| dir.join("lab"))).collect()
    };
    match places.iter().find(|lab| lab.join(ORIGINAL).is_file()) {
        Some(lab) => Ok(lab.clone()),
        None => bail!(
            "the lab is not in `{}`; name its folder (the one with {ORIGINAL}) with --lab DIR",
            places[0].display()
        ),
    }
}
