//! What one generated token moves: weights and KV cache, from a model's header alone. Pure.
//!
//! Counted is what the arithmetic needs, not what caches and prefetchers make of it: activations,
//! padding of the cache and writes are left out.

use std::collections::{BTreeMap, BTreeSet};

use karat_gguf::{Array, GgmlType, Header, Tensor, Value};

use crate::plan::{KvLayers, KvTraffic};
use crate::settings::Kv;

/// Tables of which one row is read per token.
const LOOKED_UP: [&str; 4] = [
    "token_embd.weight",
    "per_layer_token_embd.weight",
    "position_embd.weight",
    "token_types.weight",
];

/// Period of sliding layers where the file does not tell: every `n`-th layer attends to all
/// positions, the last of each `n`, or the first where `dense_first`.
///
/// Source: `load_swa_pattern` in the models of llama.cpp, as vendored in llama-cpp-sys-2 0.1.161.
const PERIODS: [(&str, u64, bool); 12] = [
    ("afmoe", 4, false),
    ("cohere2", 4, false),
    ("cohere2moe", 4, true),
    ("exaone-moe", 4, false),
    ("exaone4", 4, false),
    ("gemma2", 2, false),
    ("gemma3", 6, false),
    ("gemma3n", 5, false),
    ("gpt-oss", 2, false),
    ("olmo2", 4, false),
    ("plamo3", 8, false),
    ("smallthinker", 4, true),
];

/// Bytes of weights read for one generated token.
///
/// Every tensor once, but: of the embedding tables one row; a tied embedding (no `output.weight`)
/// once whole, because it is the output matrix; of stacked experts the used share; nothing of
/// layers that only predict further tokens. `None` where there are stacked experts and the header does
/// not say how many of them a token uses.
pub fn weight_bytes_per_token(header: &Header) -> Option<u64> {
    let layers = Layers::of(header);
    let is_tied = header.tensor("output.weight").is_none();
    let bytes = |tensor: &Tensor| {
        let name = tensor.name.as_str();
        if layer_of(name).is_some_and(|layer| layer >= layers.end) {
            Some(0)
        } else if is_tied && name == "token_embd.weight" {
            Some(tensor.bytes)
        } else if LOOKED_UP.contains(&name) {
            Some(tensor.bytes / tensor.rows().max(1))
        } else if name.contains("_exps.") {
            layers.used_share(tensor.bytes)
        } else {
            Some(tensor.bytes)
        }
    };
    header.tensors().iter().map(bytes).sum()
}

/// What one token leaves in a KV cache of type `kv`; `None` where the header does not say how its
/// layers cache: state-space layers, latent attention, sliding windows without a pattern.
pub fn kv_traffic(header: &Header, kv: Kv) -> Option<KvTraffic> {
    let layers = Layers::of(header);
    let ty = GgmlType::from_name(kv.name())?;
    let mut by_window: BTreeMap<Option<u64>, u64> = BTreeMap::new();
    for layer in layers.indexes() {
        let window = if layers.slides(layer)? { layers.window() } else { None };
        let (k, v) = layers.kv_widths(layer)?;
        let bytes = ty.row_bytes(k)?.checked_add(ty.row_bytes(v)?)?;
        let sum = by_window.entry(window).or_default();
        *sum = sum.checked_add(bytes)?;
    }
    let kinds = by_window.into_iter();
    let kinds: Vec<KvLayers> =
        kinds.map(|(window, bytes_per_position)| KvLayers { bytes_per_position, window }).collect();
    (!kinds.is_empty()).then_some(KvTraffic(kinds))
}

/// The type that holds most weights of the layers' matrices: embedding and output are left out,
/// because builds of one nominal format differ in them.
pub fn main_type(header: &Header) -> String {
    let mut weights: BTreeMap<GgmlType, u64> = BTreeMap::new();
    for tensor in header.tensors() {
        let name = tensor.name.as_str();
        if tensor.rows() > 1 && !LOOKED_UP.contains(&name) && name != "output.weight" {
            let sum = weights.entry(tensor.ty).or_default();
            *sum = sum.saturating_add(tensor.elements());
        }
    }
    let most = weights.into_iter().max_by_key(|(_, weights)| *weights);
    most.map_or_else(|| "unknown".to_owned(), |(ty, _)| ty.name().to_owned())
}

/// The layers of a header.
struct Layers<'h> {
    header: &'h Header,
    architecture: &'h str,
    /// Layers from here on only predict further tokens.
    end: u64,
}

impl<'h> Layers<'h> {
    fn of(header: &'h Header) -> Self {
        let architecture = header.architecture().unwrap_or_default();
        let layers = Self { header, architecture, end: u64::MAX };
        let count = layers.number("block_count").unwrap_or(u64::MAX);
        let further = layers.number("nextn_predict_layers").unwrap_or(0);
        Self { end: count.saturating_sub(further), ..layers }
    }

    fn value(&self, key: &str) -> Option<&'h Value> {
        self.header.metadata().get(&format!("{}.{key}", self.architecture))
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.value(key)?.as_u64()
    }

    /// Layers that the tensor table really has.
    fn indexes(&self) -> BTreeSet<u64> {
        let named = self.header.tensors().iter().filter_map(|tensor| layer_of(&tensor.name));
        named.filter(|layer| *layer < self.end).collect()
    }

    fn tensor(&self, layer: u64, name: &str) -> Option<&'h Tensor> {
        self.header.tensor(&format!("blk.{layer}.{name}.weight"))
    }

    /// The share of stacked experts that one token uses, rounded down to whole bytes.
    fn used_share(&self, bytes: u64) -> Option<u64> {
        let all = self.number("expert_count").filter(|&all| all > 0)?;
        let used = self.number("expert_used_count")?.min(all);
        Some((u128::from(bytes) * u128::from(used) / u128::from(all)) as u64)
    }

    /// How far back sliding layers look; `None` where no layer slides.
    fn window(&self) -> Option<u64> {
        // The engine has switched its window off.
        let is_off = self.architecture == "phi3";
        self.number("attention.sliding_window").filter(|&n| n > 0 && !is_off)
    }

    /// Whether a layer slides; `None` where the header does not tell.
    fn slides(&self, layer: u64) -> Option<bool> {
        // Chunks instead of a sliding window: how far back a token looks depends on where it is.
        if self.number("attention.chunk_size").is_some() {
            return None;
        }
        if self.window().is_none() {
            return Some(false);
        }
        let known = PERIODS.iter().find(|(architecture, ..)| *architecture == self.architecture);
        let dense_first = known.is_some_and(|(.., dense_first)| *dense_first);
        let period = match self.value("attention.sliding_window_pattern") {
            Some(Value::Array(pattern)) => return element(pattern, layer as usize),
            Some(value) => value.as_u64()?,
            None => known?.1,
        };
        Some(match (period, dense_first) {
            (0, _) => true,
            (_, true) => !layer.is_multiple_of(period),
            (_, false) => layer % period < period - 1,
        })
    }

    /// Elements of K and V that one position leaves in a layer's cache, or in that of the layer it
    /// shares.
    fn kv_widths(&self, layer: u64) -> Option<(u64, u64)> {
        if let Some(k) = self.tensor(layer, "attn_k") {
            let v = self.tensor(layer, "attn_v").unwrap_or(k);
            return Some((k.rows(), v.rows()));
        }
        if self.tensor(layer, "attn_qkv").is_some() {
            return self.fused_widths();
        }
        // The last layers may read what an earlier one of their kind has cached.
        let shared = self.number("attention.shared_kv_layers").filter(|&n| n > 0)?;
        let first = self.end.checked_sub(shared)?;
        let slides = self.slides(layer)?;
        let mut earlier =
            self.indexes().into_iter().filter(|&other| other < first.min(layer)).rev();
        let source = earlier.find(|&other| self.slides(other) == Some(slides))?;
        let k = self.tensor(source, "attn_k")?;
        Some((k.rows(), self.tensor(source, "attn_v").unwrap_or(k).rows()))
    }

    fn fused_widths(&self) -> Option<(u64, u64)> {
        // State-space layers have a fused matrix of that name as well.
        if self.value("ssm.inner_size").is_some() || self.value("ssm.state_size").is_some() {
            return None;
        }
        let heads = self.number("attention.head_count").filter(|&n| n > 0)?;
        // A list of them, one per layer, says more than a fused matrix can be told apart by.
        let kv_heads = match self.value("attention.head_count_kv") {
            None => heads,
            Some(_) => self.number("attention.head_count_kv")?,
        };
        let usual = self.number("embedding_length")? / heads;
        let length = |key| self.number(key).unwrap_or(usual);
        let k = kv_heads.checked_mul(length("attention.key_length"))?;
        Some((k, kv_heads.checked_mul(length("attention.value_length"))?))
    }
}

/// `blk.7.attn_k.weight` is of layer 7.
fn layer_of(name: &str) -> Option<u64> {
    name.strip_prefix("blk.")?.split_once('.')?.0.parse().ok()
}

/// Whether a list of flags, or of numbers that stand for them, is set at `index`.
fn element(list: &Array, index: usize) -> Option<bool> {
    match list {
        Array::Bool(flags) => flags.get(index).copied(),
        Array::U8(flags) => flags.get(index).map(|&flag| flag != 0),
        Array::I8(flags) => flags.get(index).map(|&flag| flag != 0),
        Array::U32(flags) => flags.get(index).map(|&flag| flag != 0),
        Array::I32(flags) => flags.get(index).map(|&flag| flag != 0),
        _ => None,
    }
}
