//! Reads single keys of an architecture: their types, their ranges, what holds where one is missing.
//! Never looks at tensors.

use karat_gguf::{Array, Metadata, Value};

use super::MemoryError;
use super::shape::FeedForward;

/// Longest row of any tensor that makes sense; the largest models have 2^17.
pub(super) const MOST_ROW: u64 = 1 << 24;
/// Largest vocabulary that makes sense; the largest models have 2^18.
pub(super) const MOST_VOCAB: u64 = 1 << 28;
/// `LLAMA_MAX_EXPERTS` of llama.cpp.
const MOST_EXPERTS: u64 = 1024;
/// Layers that keep K and V of their own, at least: the last sliding one and the last full one are
/// read by those that share (llama.cpp refuses fewer).
const FEWEST_KV_LAYERS: u64 = 2;
/// Default of gemma2 where the header does not say (llama.cpp, `gemma2.cpp`).
const GEMMA2_WINDOW: u64 = 4096;

/// The metadata, by keys without the architecture in front.
pub(super) struct Keys<'m> {
    pub(super) metadata: &'m Metadata,
    pub(super) architecture: &'m str,
}

impl Keys<'_> {
    pub(super) fn full(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    pub(super) fn needed(&self, key: &str, most: u64) -> Result<u64, MemoryError> {
        let full = self.full(key);
        let value = self.metadata.get_u64(&full).ok_or(MemoryError::Missing(full.clone()))?;
        in_range(&full, value, 1, most)
    }

    pub(super) fn optional(&self, key: &str, default: u64, most: u64) -> Result<u64, MemoryError> {
        let full = self.full(key);
        match self.metadata.get(&full) {
            None => Ok(default),
            Some(value) => {
                let value = value.as_u64().ok_or(MemoryError::Missing(full.clone()))?;
                in_range(&full, value, default.min(1), most)
            }
        }
    }

    /// One value for all layers, or a list of them.
    pub(super) fn per_layer(
        &self,
        key: &str,
        n_layers: usize,
    ) -> Result<Option<Vec<u64>>, MemoryError> {
        let full = self.full(key);
        let values = match self.metadata.get(&full) {
            None => return Ok(None),
            Some(Value::Array(array)) => {
                numbers(array).ok_or_else(|| MemoryError::Missing(full.clone()))?
            }
            Some(value) => {
                let value = value.as_u64().ok_or_else(|| MemoryError::Missing(full.clone()))?;
                vec![value; n_layers]
            }
        };
        if values.len() != n_layers {
            return Err(MemoryError::Layers { key: full, got: values.len(), want: n_layers });
        }
        for &value in &values {
            in_range(&full, value, 1, MOST_ROW)?;
        }
        Ok(Some(values))
    }

    /// Refuses counts of experts that the engine aborts at, whether or not a layer has any: it asserts
    /// that some are used where there are some, and none where there are none (`llama-model.cpp`).
    pub(super) fn check_experts(&self) -> Result<(), MemoryError> {
        let n_expert = self.optional("expert_count", 0, MOST_EXPERTS)?;
        let full = self.full("expert_used_count");
        // Where layers differ, the engine looks at the most.
        let n_used = match self.metadata.get(&full) {
            Some(Value::Array(array)) => numbers(array).and_then(|each| each.into_iter().max()),
            Some(value) => value.as_u64(),
            None => Some(0),
        };
        let n_used = n_used.ok_or_else(|| MemoryError::Missing(full.clone()))?;
        in_range(&full, n_used, n_expert.min(1), n_expert)?;
        Ok(())
    }

    /// Tokens that sliding layers see; `None` for architectures and files without such layers.
    pub(super) fn window(&self) -> Result<Option<u64>, MemoryError> {
        let window = match self.architecture {
            "gemma2" => self.optional("attention.sliding_window", GEMMA2_WINDOW, MOST_VOCAB)?,
            "gemma3" => self.optional("attention.sliding_window", 0, MOST_VOCAB)?,
            "gemma4" => self.needed("attention.sliding_window", MOST_VOCAB)?,
            _ => 0,
        };
        Ok((window > 0).then_some(window))
    }

    /// Layers that read an earlier one's K and V; of the architectures here only gemma4 has them.
    pub(super) fn shared_kv_layers(&self, n_layers: u64) -> Result<u64, MemoryError> {
        let most = n_layers.saturating_sub(FEWEST_KV_LAYERS);
        match self.architecture {
            "gemma4" => self.optional("attention.shared_kv_layers", 0, most),
            _ => Ok(0),
        }
    }

    /// Which layers slide: listed, or all but every n-th.
    pub(super) fn sliding(&self, n_layers: usize) -> Result<Vec<bool>, MemoryError> {
        let full = self.full("attention.sliding_window_pattern");
        let default = if self.architecture == "gemma2" { 2 } else { 6 };
        let period = match self.metadata.get(&full) {
            Some(Value::Array(array)) => {
                let flags = match array {
                    Array::Bool(flags) => flags.clone(),
                    other => numbers(other)
                        .ok_or_else(|| MemoryError::Missing(full.clone()))?
                        .into_iter()
                        .map(|flag| flag != 0)
                        .collect(),
                };
                if flags.len() != n_layers {
                    let got = flags.len();
                    return Err(MemoryError::Layers { key: full, got, want: n_layers });
                }
                return Ok(flags);
            }
            None if self.architecture == "gemma4" => return Err(MemoryError::Missing(full)),
            None => default,
            Some(value) => value.as_u64().ok_or(MemoryError::Missing(full))?,
        };
        Ok((0..n_layers as u64).map(|i| period == 0 || i % period < period - 1).collect())
    }

    pub(super) fn feed_forward(
        &self,
        width: Option<u64>,
        routed: bool,
        merged: bool,
    ) -> Result<FeedForward, MemoryError> {
        let missing = || MemoryError::Missing(self.full("feed_forward_length"));
        if !routed {
            return Ok(FeedForward::Dense { n_ff: width.ok_or_else(missing)? });
        }
        let n_expert = self.needed("expert_count", MOST_EXPERTS)?;
        let n_ff = match self.metadata.get(&self.full("expert_feed_forward_length")) {
            None => width.ok_or_else(missing)?,
            Some(_) => self.needed("expert_feed_forward_length", MOST_ROW)?,
        };
        Ok(FeedForward::Experts {
            n_expert,
            n_used: self.needed("expert_used_count", n_expert)?,
            n_ff,
            merged,
            shared: if self.architecture == "gemma4" { width } else { None },
        })
    }
}

pub(super) fn in_range(key: &str, value: u64, least: u64, most: u64) -> Result<u64, MemoryError> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(MemoryError::Range { key: key.to_owned(), value, least, most })
    }
}

/// The numbers of an array; `None` where one is negative or none.
fn numbers(array: &Array) -> Option<Vec<u64>> {
    match array {
        Array::U8(v) => Some(v.iter().map(|&v| v.into()).collect()),
        Array::U16(v) => Some(v.iter().map(|&v| v.into()).collect()),
        Array::U32(v) => Some(v.iter().map(|&v| v.into()).collect()),
        Array::U64(v) => Some(v.clone()),
        Array::I8(v) => v.iter().map(|&v| v.try_into().ok()).collect(),
        Array::I16(v) => v.iter().map(|&v| v.try_into().ok()).collect(),
        Array::I32(v) => v.iter().map(|&v| v.try_into().ok()).collect(),
        Array::I64(v) => v.iter().map(|&v| v.try_into().ok()).collect(),
        _ => None,
    }
}
