//! The plan of a behaviour run: models, tasks, terms, and the identity of every attempt. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::sha256_hex;
use crate::generation::{Sampling, Terms, Thinking};
use crate::record::{EngineRecord, Finding, MachineRecord, ModelRecord};
use crate::settings::{RERUN_EVERY, SuiteName, SuiteSpec};
use crate::task::Instance;

/// Raised when asking changes, so that old answers are not mixed in.
const ASKING_VERSION: u32 = 3;

/// Everything a behaviour run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BehaviourPlan {
    /// Models in the order given.
    pub models: Vec<ModelRecord>,
    /// The name of each that is on a server; none for a file, which the embedded engine runs.
    pub servers: Vec<Option<String>>,
    /// What each server said its model is; none for a file, and where a server tells nothing but the name.
    #[serde(default)]
    pub served: Vec<Option<String>>,
    /// Which tasks were asked for.
    pub suite: SuiteSpec,
    /// The tasks themselves.
    pub instances: Vec<Instance>,
    /// Tokens of each one's messages, counted in the first file's vocabulary, or as the first server
    /// counts.
    pub prompt_tokens: Vec<u64>,
    /// On what terms.
    pub terms: Terms,
    /// Budgets whose accuracy is read off the answers.
    pub budgets: Vec<u32>,
    /// Times that each instance is asked.
    pub repeats: u32,
    /// Engine threads.
    pub n_threads: u32,
    /// Layers on the GPU; `None` for all.
    pub gpu_layers: Option<u32>,
    /// Names the series of answers of servers that this run adds to: a server may have another model
    /// under the same name tomorrow.
    pub series: String,
    /// What was noticed while planning.
    pub findings: Vec<Finding>,
    /// Where it runs.
    pub machine: MachineRecord,
    /// On what engine.
    pub engine: EngineRecord,
}

/// One question to a model: an instance, and for which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TurnOf {
    /// Which repeat, from 0.
    pub repeat: u32,
    /// Index of the plan's instances.
    pub instance: usize,
}

impl BehaviourPlan {
    /// Every question to one model, in the order they are asked, reruns last.
    pub fn turns(&self) -> Vec<TurnOf> {
        let n = self.instances.len();
        let round = |repeat| (0..n).map(move |instance| TurnOf { repeat, instance });
        let again = self.reruns().into_iter().map(|instance| TurnOf { repeat: 1, instance });
        (0..self.repeats).flat_map(round).chain(again).collect()
    }

    /// Of a large suite that is asked once, the instances that are asked once more: a tenth, at least
    /// one, drawn by the seed, so the same for every build and whenever the run is gone on with. Each
    /// family has its share, because they are drawn from the families in turn at equal steps.
    fn reruns(&self) -> Vec<usize> {
        let is_large = self.suite.folder.is_some() || self.suite.name == SuiteName::Full;
        if self.repeats > 1 || !is_large || self.instances.is_empty() {
            return Vec::new();
        }
        let seed = self.suite.seed;
        let drawn = |word: &str| sha256_hex(format!("rerun\n{seed}\n{word}"));
        let mut order: Vec<usize> = (0..self.instances.len()).collect();
        order.sort_by_cached_key(|&index| {
            let Instance { family, id, .. } = &self.instances[index];
            (family.clone(), drawn(id))
        });
        let first = usize::from_str_radix(&drawn("first")[..7], 16).unwrap_or_default();
        let first = first % RERUN_EVERY.min(order.len());
        let mut reruns: Vec<usize> = order.into_iter().skip(first).step_by(RERUN_EVERY).collect();
        reruns.sort_unstable();
        reruns
    }

    /// Whether answers that go round in circles are heard to their limit of tokens: at a budget they
    /// would have cost all of it, and a server counts only what it ended itself.
    pub fn is_heard_to_the_end(&self) -> bool {
        !self.budgets.is_empty()
    }

    /// Under what the store keeps what a model replied to a question: one sample for each time that it
    /// was asked until it answered, of which the last counts. It depends on what the model sees, not on
    /// how it is judged.
    pub fn identity(&self, model: usize, turn: TurnOf) -> String {
        let of = match &self.servers[model] {
            // Threads and processor change no answer, but every time.
            None => serde_json::json!([
                self.models[model].sha256,
                self.engine,
                self.gpu_layers,
                self.n_threads,
                self.machine.cpu,
                self.machine.devices,
            ]),
            Some(server) => serde_json::json!([server, self.served.get(model), self.series]),
        };
        let question = self.instances[turn.instance].question_digest();
        let parts = serde_json::json!([
            ASKING_VERSION,
            of,
            question,
            self.terms,
            self.is_heard_to_the_end(),
            turn.repeat,
        ]);
        sha256_hex(format!("behaviour\n{parts}"))
    }

    /// Under what the store keeps how a reply was judged: one sample for each time, of which the last
    /// counts. `ask`: which of the samples under [`BehaviourPlan::identity`] the reply is. `budget`: the
    /// tokens after which it was cut off, for judging its beginning.
    pub fn judging(&self, model: usize, turn: TurnOf, ask: u32, budget: Option<u32>) -> String {
        let scorer = self.instances[turn.instance].scorer_digest();
        let parts = serde_json::json!([self.identity(model, turn), ask, scorer, budget]);
        sha256_hex(format!("judging\n{parts}"))
    }

    /// Hash of what answers depend on, but for the moment: runs of equal fingerprint can go on with
    /// each other's series.
    pub fn fingerprint(&self) -> String {
        let hashes: Vec<&str> = self.models.iter().map(|model| model.sha256.as_str()).collect();
        let questions: Vec<String> = self.instances.iter().map(Instance::question_digest).collect();
        let parts = serde_json::json!([
            ASKING_VERSION,
            hashes,
            self.servers,
            self.served,
            questions,
            self.terms,
            self.is_heard_to_the_end(),
            self.repeats,
        ]);
        sha256_hex(parts.to_string())
    }

    /// What the rows show as their setting.
    pub fn setting(&self) -> BTreeMap<String, String> {
        let thinking = match &self.terms.thinking {
            Thinking::Default => "default".to_owned(),
            Thinking::Off => "off".to_owned(),
            Thinking::On => "on".to_owned(),
            Thinking::Level(level) => level.clone(),
        };
        let sampling = match self.terms.sampling {
            Sampling::Greedy => "greedy",
            Sampling::Recommended { .. } => "recommended",
            Sampling::Values { .. } => "given",
        };
        BTreeMap::from([
            ("n_ctx".to_owned(), self.terms.n_ctx.to_string()),
            ("suite".to_owned(), self.suite_name().to_owned()),
            ("thinking".to_owned(), thinking),
            ("sampling".to_owned(), sampling.to_owned()),
        ])
    }

    /// What a report calls the suite.
    pub fn suite_name(&self) -> &str {
        match (&self.suite.folder, self.suite.name) {
            (Some(_), _) => "own",
            (None, SuiteName::Quick) => "quick",
            (None, SuiteName::Full) => "full",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ModelRole;

    /// A plan of one file and `n` tasks of each family.
    fn plan(families: &[(&str, usize)], seed: u64, folder: bool) -> BehaviourPlan {
        let instance = |family: &str, index: usize| Instance {
            family: family.to_owned(),
            id: format!("{family}/en/{index}"),
            language: "en".to_owned(),
            messages: Vec::new(),
            tools: Vec::new(),
            max_tokens: 100 + index as u32,
            scorer: serde_json::json!({ "kind": "text", "accept": ["yes"] }),
        };
        let of_family = |&(family, n): &(&str, usize)| -> Vec<Instance> {
            (0..n).map(|index| instance(family, index)).collect()
        };
        let instances: Vec<Instance> = families.iter().flat_map(of_family).collect();
        BehaviourPlan {
            models: vec![ModelRecord {
                name: "m".to_owned(),
                role: ModelRole::Candidate,
                path: "m.gguf".to_owned(),
                sha256: "0".to_owned(),
                bytes: 1,
                architecture: "llama".to_owned(),
                tensor_types: BTreeMap::new(),
                bits_per_weight: 4.5,
                proxy_reference: false,
                lineage: Vec::new(),
                template_sha256: None,
                served: None,
                recommended_sampling: None,
            }],
            servers: vec![None],
            served: vec![None],
            suite: SuiteSpec {
                name: if folder { SuiteName::Quick } else { SuiteName::Full },
                folder: folder.then(|| "mine".into()),
                only: Vec::new(),
                fixed: BTreeMap::new(),
                max_tokens: None,
                seed,
            },
            prompt_tokens: vec![1; instances.len()],
            instances,
            terms: Terms { n_ctx: 64, thinking: Thinking::Default, sampling: Sampling::Greedy },
            budgets: Vec::new(),
            repeats: 1,
            n_threads: 1,
            gpu_layers: Some(0),
            series: "s".to_owned(),
            findings: Vec::new(),
            machine: MachineRecord {
                os: String::new(),
                cpu: String::new(),
                cores: 1,
                memory_bytes: 1,
                devices: Vec::new(),
            },
            engine: EngineRecord {
                crate_version: String::new(),
                tree_sha256: String::new(),
                system_info: String::new(),
            },
        }
    }

    /// Instances that are asked a second time.
    fn reruns(plan: &BehaviourPlan) -> Vec<usize> {
        let again = plan.turns().into_iter().filter(|turn| turn.repeat == 1);
        again.map(|turn| turn.instance).collect()
    }

    #[test]
    fn a_seeded_tenth_of_every_family_is_asked_again() {
        let families = [("a", 40), ("b", 30), ("c", 30)];
        let mut drawn = Vec::new();
        for seed in 0..8 {
            let again = reruns(&plan(&families, seed, false));
            let of = |family: std::ops::Range<usize>| {
                again.iter().filter(|index| family.contains(*index)).count()
            };
            assert_eq!([of(0..40), of(40..70), of(70..100)], [4, 3, 3], "{again:?}");
            assert_eq!(again, reruns(&plan(&families, seed, false)), "the same every time");
            drawn.push(again);
        }
        drawn.sort();
        drawn.dedup();
        assert_eq!(drawn.len(), 8, "another seed draws others");
    }

    #[test]
    fn tasks_of_ones_own_are_asked_again_too_and_at_least_one_is() {
        for n in [1, 3, 7] {
            assert_eq!(reruns(&plan(&[("mine", n)], 0, true)).len(), 1, "of {n}");
        }
        let often = BehaviourPlan { repeats: 2, ..plan(&[("mine", 20)], 0, true) };
        assert_eq!(reruns(&often).len(), 20, "every task is asked twice anyway");
        let quick = BehaviourPlan {
            suite: SuiteSpec { folder: None, ..often.suite.clone() },
            repeats: 1,
            ..often
        };
        assert_eq!(reruns(&quick), [0; 0]);
    }

    #[test]
    fn an_answer_belongs_to_what_the_model_saw_and_a_score_to_the_scorer_too() {
        let plan = plan(&[("a", 2)], 0, false);
        let mut edited = plan.clone();
        edited.instances[0].scorer = serde_json::json!({ "kind": "text", "accept": ["no"] });
        let turn = TurnOf { repeat: 0, instance: 0 };
        assert_eq!(edited.identity(0, turn), plan.identity(0, turn));
        assert_eq!(edited.fingerprint(), plan.fingerprint());
        assert_ne!(edited.judging(0, turn, 0, None), plan.judging(0, turn, 0, None));
        // Each time it was asked, and each budget, is judged for itself.
        assert_ne!(plan.judging(0, turn, 1, None), plan.judging(0, turn, 0, None));
        assert_ne!(plan.judging(0, turn, 0, Some(9)), plan.judging(0, turn, 0, None));
        let mut asked = plan.clone();
        asked.instances[0].max_tokens += 1;
        assert_ne!(asked.identity(0, turn), plan.identity(0, turn));
        let sampled = Sampling::Recommended { seed: 0 };
        asked = plan.clone();
        asked.terms.sampling = sampled;
        assert_ne!(asked.identity(0, turn), plan.identity(0, turn));
        asked = BehaviourPlan { budgets: vec![8], ..plan.clone() };
        assert_ne!(asked.identity(0, turn), plan.identity(0, turn));
        assert_ne!(asked.fingerprint(), plan.fingerprint());
        let again = TurnOf { repeat: 1, ..turn };
        assert_ne!(plan.identity(0, again), plan.identity(0, turn));
    }
}
