//! The plan of a fidelity run: models, texts, ruler, and the identity of every result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Pair, TrackOf};
use crate::digest::hex;
use crate::record::{EngineRecord, Finding, MachineRecord, ModelRecord, ModelRole, TextRecord};
use crate::settings::RulerSpec;
use crate::store::{TrackKey, TrackKind};

/// Raised when the way per-token results are computed changes, so that old ones are not mixed in.
const SCORING_VERSION: u32 = 1;

/// Everything a fidelity run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FidelityPlan {
    /// One or two references, then candidates in the order given.
    pub models: Vec<ModelRecord>,
    /// Weights of each model.
    pub n_params: Vec<u64>,
    /// Entries of the vocabulary.
    pub n_vocab: u64,
    /// Texts; `windows` is what is to be scored.
    pub texts: Vec<TextRecord>,
    /// How texts are scored.
    pub ruler: RulerSpec,
    /// Engine threads; does not change results.
    pub n_threads: u32,
    /// What was noticed about the models.
    pub findings: Vec<Finding>,
    /// Where it runs.
    pub machine: MachineRecord,
    /// On what engine.
    pub engine: EngineRecord,
    /// Weights times tokens per second, once measured.
    pub throughput: Option<f64>,
}

/// One step: a text, scored by all models in lock-step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Hash of everything its result depends on.
    pub id: String,
    /// For people.
    pub title: String,
    /// Index into the plan's texts.
    pub text: usize,
}

impl FidelityPlan {
    /// Indexes of the references: the original first.
    pub fn references(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.models.len()).filter(|&model| self.models[model].role == ModelRole::Reference)
    }

    /// Indexes of the candidates.
    pub fn candidates(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.models.len()).filter(|&model| self.models[model].role == ModelRole::Candidate)
    }

    /// Every comparison: the second reference against the first, then each candidate against each
    /// reference.
    pub fn pairs(&self) -> Vec<Pair> {
        let references: Vec<usize> = self.references().collect();
        let mut pairs = Vec::new();
        if let [reference, candidate] = references[..] {
            pairs.push(Pair { reference, candidate });
        }
        for &reference in &references {
            pairs.extend(self.candidates().map(|candidate| Pair { reference, candidate }));
        }
        pairs
    }

    /// Every track of a text: each model's own scores, and each comparison.
    pub fn tracks(&self) -> Vec<TrackOf> {
        let own = (0..self.models.len()).map(TrackOf::Own);
        own.chain(self.pairs().into_iter().map(TrackOf::Pair)).collect()
    }

    /// Identity of a track's results: contents of models and text, ruler, engine.
    pub fn track_key(&self, text: usize, of: TrackOf) -> TrackKey {
        let sha256 = |model: usize| self.models[model].sha256.clone();
        let (kind, candidate, reference) = match of {
            TrackOf::Own(model) => (TrackKind::Model, model, None),
            TrackOf::Pair(pair) => (TrackKind::Pair, pair.candidate, Some(sha256(pair.reference))),
        };
        TrackKey {
            kind,
            text_sha256: self.texts[text].sha256.clone(),
            candidate_sha256: sha256(candidate),
            reference_sha256: reference,
            setting: self.full_setting(),
        }
    }

    /// The ruler as rows show it.
    pub fn setting(&self) -> BTreeMap<String, String> {
        let mut setting = self.shown_ruler();
        if let Some(proxy) = self.models.iter().find(|model| model.proxy_reference) {
            setting.insert("proxy_reference".to_owned(), proxy.name.clone());
        }
        setting
    }

    fn shown_ruler(&self) -> BTreeMap<String, String> {
        let mut setting = BTreeMap::from([("n_ctx".to_owned(), self.ruler.n_ctx.to_string())]);
        if self.ruler.gpu_layers != Some(0) {
            let layers = self.ruler.gpu_layers.map_or("all".to_owned(), |n| n.to_string());
            setting.insert("gpu_layers".to_owned(), layers);
        }
        if self.ruler.parse_special {
            setting.insert("parse_special".to_owned(), "yes".to_owned());
        }
        setting
    }

    /// The ruler with everything that can move a logit.
    fn full_setting(&self) -> BTreeMap<String, String> {
        let mut setting = self.shown_ruler();
        let mut add = |name: &str, value: String| setting.insert(name.to_owned(), value);
        add("n_ubatch", self.ruler.n_ubatch.to_string());
        add("kv", "f16".to_owned());
        add("flash_attention", "auto".to_owned());
        add("repack", "on".to_owned());
        add("engine", format!("{} {}", self.engine.crate_version, self.engine.tree_sha256));
        add("system", self.engine.system_info.clone());
        if self.ruler.gpu_layers != Some(0) {
            add("devices", self.machine.devices.join(", "));
        }
        add("scoring", SCORING_VERSION.to_string());
        // The window rule begins each window with BOS, and the tokens come from the first model.
        add("vocabulary", self.models.first().map_or(String::new(), |m| m.sha256.clone()));
        setting
    }

    /// One step per text.
    pub fn steps(&self) -> Vec<Step> {
        (0..self.texts.len()).map(|text| self.step(text)).collect()
    }

    fn step(&self, text: usize) -> Step {
        let TextRecord { name, windows, .. } = &self.texts[text];
        let mut hash = Sha256::new();
        for of in self.tracks() {
            hash.update(self.track_key(text, of).identity());
        }
        hash.update(windows.to_le_bytes());
        let id = hex(&hash.finalize()[..8]);
        let title = format!(
            "fidelity on {name}: {windows} windows of {} tokens, {} models in lock-step",
            self.ruler.n_ctx,
            self.models.len()
        );
        Step { id, title, text }
    }
}
