//! The plan of a fidelity run: models, texts, ruler, and the identity of every result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Member, Pair, Part, Purpose, TrackOf};
use crate::digest::hex;
use crate::record::{EngineRecord, Finding, MachineRecord, ModelRecord, ModelRole, TextRecord};
use crate::settings::{Kv, RulerSpec};
use crate::store::{TrackKey, TrackKind};
use crate::units::count;

/// Raised when the way per-token results are computed changes, so that old ones are not mixed in.
/// 2: the softcap of gemma4's logits is the kernel's.
const SCORING_VERSION: u32 = 2;

/// Raised when conversations become other tokens, or others of them are scored.
const CHAT_VERSION: u32 = 1;

/// Everything a fidelity run depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FidelityPlan {
    /// One or two references, then candidates in the order given.
    pub models: Vec<ModelRecord>,
    /// Weights of each model.
    pub n_params: Vec<u64>,
    /// Entries of the vocabulary.
    pub n_vocab: u64,
    /// What each member is expected to add to a worker's memory, in bytes, in the order of
    /// [`FidelityPlan::members`].
    #[serde(default)]
    pub member_bytes: Vec<MemberBytes>,
    /// Texts; `windows` is what is to be scored.
    pub texts: Vec<TextRecord>,
    /// Positions scored in all planned windows of each text.
    #[serde(default)]
    pub n_scored: Vec<u64>,
    /// How texts are scored.
    pub ruler: RulerSpec,
    /// KV cache types of the candidates; the references always have f16.
    #[serde(default = "f16_only")]
    pub kv: Vec<Kv>,
    /// Whether the original is run again on a few windows, to show the noise floor.
    #[serde(default)]
    pub noise_floor: bool,
    /// Whether the windows' first halves are scored as well, apart.
    #[serde(default)]
    pub first_half: bool,
    /// Worst tokens to report per candidate and text.
    #[serde(default = "ten")]
    pub worst: u32,
    /// Engine threads; does not change results.
    pub n_threads: u32,
    /// What was noticed about the models.
    pub findings: Vec<Finding>,
    /// End a text as soon as its questions are answered; `None` reads all windows.
    #[serde(default)]
    pub until: Option<Until>,
    /// Where it runs.
    pub machine: MachineRecord,
    /// On what engine.
    pub engine: EngineRecord,
    /// Weights times tokens per second, once measured.
    pub throughput: Option<f64>,
}

/// What a member adds to a worker's memory, in bytes, as expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberBytes {
    /// Its model's weights and vocabulary; members of one model share them.
    pub model: u64,
    /// Its own context: KV cache, compute buffers, logits.
    pub context: u64,
}

/// When enough is read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Until {
    /// Probability that any answer of the run is ever wrong.
    pub error: f64,
    /// Ask on which side of this KLD mean (nats) each candidate is; `None` asks for their order.
    pub margin: Option<f64>,
    /// Seed of the random order of windows.
    pub seed: u64,
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

    /// Who takes part, in the order that tracks index: references, then candidates with each KV type,
    /// then the original again for the noise floor.
    pub fn members(&self) -> Vec<Member> {
        let n_ubatch = self.ruler.n_ubatch;
        let member = |model, kv, purpose| Member { model, kv, n_ubatch, purpose };
        let mut members: Vec<Member> =
            self.references().map(|model| member(model, Kv::F16, Purpose::Reference)).collect();
        for model in self.candidates() {
            members.extend(self.kv.iter().map(|&kv| member(model, kv, Purpose::Candidate)));
        }
        if self.noise_floor {
            members.push(member(0, Kv::F16, Purpose::Rerun));
            let other = Member {
                n_ubatch: (n_ubatch / 4).max(1),
                ..member(0, Kv::F16, Purpose::OtherUbatch)
            };
            members.push(other);
        }
        members
    }

    /// Every comparison: the second reference against the first, each candidate against each
    /// reference, the original against itself.
    pub fn pairs(&self) -> Vec<Pair> {
        let members = self.members();
        let of = |wanted: fn(Purpose) -> bool| -> Vec<usize> {
            (0..members.len()).filter(|&member| wanted(members[member].purpose)).collect()
        };
        let candidates = of(|purpose| purpose == Purpose::Candidate);
        let references: Vec<usize> = self.references().collect();
        let mut pairs = Vec::new();
        if let [reference, candidate] = references[..] {
            pairs.push(Pair { reference, candidate });
        }
        for &reference in &references {
            pairs.extend(candidates.iter().map(|&candidate| Pair { reference, candidate }));
        }
        pairs.extend(
            of(Purpose::is_noise).into_iter().map(|candidate| Pair { reference: 0, candidate }),
        );
        pairs
    }

    /// Every track of a text: each member's own scores (but for the noise floor), and each
    /// comparison; where they are wanted, the same for the first halves, without the noise floor.
    pub fn tracks(&self) -> Vec<TrackOf> {
        let members = self.members();
        let is_noise = |member: usize| members[member].purpose.is_noise();
        let own = (0..members.len()).filter(|&member| !is_noise(member));
        let pairs = self.pairs();
        let mut tracks: Vec<TrackOf> = own.clone().map(TrackOf::Own).collect();
        tracks.extend(pairs.iter().copied().map(TrackOf::Pair));
        if self.first_half {
            tracks.extend(own.map(TrackOf::OwnFirstHalf));
            let pairs = pairs.into_iter().filter(|pair| !is_noise(pair.candidate));
            tracks.extend(pairs.map(TrackOf::PairFirstHalf));
        }
        tracks
    }

    /// The windows of a text that a track is scored on: all, or a twentieth of them (at least four)
    /// spread over the text for the noise floor.
    pub fn planned_windows(&self, text: usize, of: TrackOf) -> Vec<u32> {
        let n_windows = self.texts[text].windows as u32;
        let members = self.members();
        if of.members().any(|member| members[member].purpose.is_noise()) {
            let wanted = n_windows.div_ceil(20).max(4).min(n_windows);
            return (0..wanted).map(|i| i * n_windows / wanted).collect();
        }
        (0..n_windows).collect()
    }

    /// Windows of a text on which the original is run again; none without a noise floor.
    pub fn noise_windows(&self, text: usize) -> u64 {
        let members = self.members();
        let is_noise = |of: &TrackOf| of.members().any(|member| members[member].purpose.is_noise());
        let track = self.tracks().into_iter().find(is_noise);
        track.map_or(0, |of| self.planned_windows(text, of).len() as u64)
    }

    /// Scored positions of a text per planned window, on average; `None` for plans that do not say.
    pub fn mean_scored(&self, text: usize) -> Option<f64> {
        let n_scored = *self.n_scored.get(text)?;
        Some(n_scored as f64 / self.texts[text].windows as f64)
    }

    /// Identity of a track's results: contents of models and text, ruler, engine.
    pub fn track_key(&self, text: usize, of: TrackOf) -> TrackKey {
        let members = self.members();
        let sha256 = |member: usize| self.models[members[member].model].sha256.clone();
        let (kind, member, reference) = match of {
            TrackOf::Own(member) | TrackOf::OwnFirstHalf(member) => {
                (TrackKind::Model, member, None)
            }
            TrackOf::Pair(pair) | TrackOf::PairFirstHalf(pair) => {
                (TrackKind::Pair, pair.candidate, Some(sha256(pair.reference)))
            }
        };
        let mut setting = self.full_setting(&members[member]);
        if of.part() == Part::FirstHalf {
            setting.extend([first_half_setting()]);
        }
        TrackKey {
            kind,
            text_sha256: self.texts[text].sha256.clone(),
            candidate_sha256: sha256(member),
            reference_sha256: reference,
            setting,
        }
    }

    /// Name of a member, unique in the run: the model's, with the KV type where it is not f16.
    pub fn label(&self, member: &Member) -> String {
        let name = &self.models[member.model].name;
        match member.kv {
            Kv::F16 => name.clone(),
            kv => format!("{name} kv {kv}"),
        }
    }

    /// The ruler as a member's rows show it.
    pub fn setting(&self, member: &Member) -> BTreeMap<String, String> {
        let mut setting = self.shown_ruler();
        if self.kv != [Kv::F16] {
            setting.insert("kv".to_owned(), member.kv.to_string());
        }
        let proxies: Vec<&str> = self
            .models
            .iter()
            .filter(|model| model.proxy_reference)
            .map(|model| model.name.as_str())
            .collect();
        if !proxies.is_empty() {
            setting.insert("proxy_reference".to_owned(), proxies.join(", "));
        }
        setting
    }

    fn shown_ruler(&self) -> BTreeMap<String, String> {
        let mut setting = BTreeMap::from([("n_ctx".to_owned(), self.ruler.n_ctx.to_string())]);
        if self.ruler.gpu_layers != Some(0) {
            let layers = self.ruler.gpu_layers.map_or("all".to_owned(), |n| n.to_string());
            setting.insert("gpu_layers".to_owned(), layers);
        }
        if self.ruler.chat {
            setting.insert("text".to_owned(), "chat".to_owned());
        }
        if self.ruler.parse_special {
            setting.insert("parse_special".to_owned(), "yes".to_owned());
        }
        setting
    }

    /// The ruler with everything that can move a logit.
    fn full_setting(&self, member: &Member) -> BTreeMap<String, String> {
        let mut setting = self.shown_ruler();
        let mut add = |name: &str, value: String| setting.insert(name.to_owned(), value);
        add("n_ubatch", member.n_ubatch.to_string());
        add("kv", member.kv.to_string());
        if member.purpose == Purpose::Rerun {
            add("rerun", "1".to_owned());
        }
        add("flash_attention", "auto".to_owned());
        add("repack", "on".to_owned());
        add("engine", format!("{} {}", self.engine.crate_version, self.engine.tree_sha256));
        add("system", self.engine.system_info.clone());
        if self.ruler.gpu_layers != Some(0) {
            add("devices", self.machine.devices.join(", "));
        }
        if self.ruler.chat {
            add("chat", CHAT_VERSION.to_string());
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
        let of = |noise| self.members().iter().filter(|m| m.purpose.is_noise() == noise).count();
        let mut title = format!(
            "fidelity on {name}: {} of {} tokens, {}",
            count(*windows, "window"),
            self.ruler.n_ctx,
            count(of(false) as u64, "model")
        );
        if of(true) > 0 {
            title += ", the original again on a few";
        }
        Step { id, title, text }
    }
}

/// What rows and identities of the first halves have besides the ruler.
pub fn first_half_setting() -> (String, String) {
    ("positions".to_owned(), "first_half".to_owned())
}

/// Plans stored before the worst tokens were.
fn ten() -> u32 {
    10
}

/// Plans stored before the KV type was a setting.
fn f16_only() -> Vec<Kv> {
    vec![Kv::F16]
}
