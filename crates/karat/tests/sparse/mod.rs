//! Writes model files of real shapes with holes instead of weights: a right header and tensor table,
//! and no data on the disk.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs::File;
use std::io::Write;
use std::path::Path;

use karat_gguf::GgmlType;

/// A file to write.
pub struct SparseFile {
    architecture: String,
    pairs: Vec<u8>,
    n_pairs: u64,
    tensors: Vec<(String, GgmlType, Vec<u64>)>,
}

impl SparseFile {
    pub fn new(architecture: &str) -> Self {
        let mut file = Self {
            architecture: architecture.to_owned(),
            pairs: Vec::new(),
            n_pairs: 0,
            tensors: Vec::new(),
        };
        file.raw("general.architecture", 8, &string(architecture));
        file
    }

    /// A model without a tokenizer, with this many entries.
    pub fn without_tokens(mut self, n_vocab: u32) -> Self {
        self.raw("tokenizer.ggml.model", 8, &string("none"));
        self.number("vocab_size", n_vocab)
    }

    /// Token strings, so that karat takes the file for a language model.
    pub fn with_tokens(mut self, n_vocab: u32) -> Self {
        let mut tokens =
            [8_u32.to_le_bytes().as_slice(), &u64::from(n_vocab).to_le_bytes()].concat();
        tokens.extend((0..n_vocab).flat_map(|id| string(&format!("t{id}"))));
        self.raw("tokenizer.ggml.model", 8, &string("none"));
        self.raw("tokenizer.ggml.tokens", 9, &tokens);
        self
    }

    pub fn number(mut self, key: &str, value: u32) -> Self {
        let key = format!("{}.{key}", self.architecture);
        self.raw(&key, 4, &value.to_le_bytes());
        self
    }

    pub fn wide_number(mut self, key: &str, value: u64) -> Self {
        let key = format!("{}.{key}", self.architecture);
        self.raw(&key, 10, &value.to_le_bytes());
        self
    }

    pub fn float(mut self, key: &str, value: f32) -> Self {
        let key = format!("{}.{key}", self.architecture);
        self.raw(&key, 6, &value.to_le_bytes());
        self
    }

    pub fn numbers(mut self, key: &str, values: &[u32]) -> Self {
        let key = format!("{}.{key}", self.architecture);
        let mut data =
            [4_u32.to_le_bytes().as_slice(), &(values.len() as u64).to_le_bytes()].concat();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.raw(&key, 9, &data);
        self
    }

    pub fn flags(mut self, key: &str, values: &[bool]) -> Self {
        let key = format!("{}.{key}", self.architecture);
        let mut data =
            [7_u32.to_le_bytes().as_slice(), &(values.len() as u64).to_le_bytes()].concat();
        data.extend(values.iter().map(|&value| u8::from(value)));
        self.raw(&key, 9, &data);
        self
    }

    pub fn tensor(mut self, name: &str, ty: GgmlType, dims: &[u64]) -> Self {
        self.add(name, ty, dims);
        self
    }

    fn add(&mut self, name: &str, ty: GgmlType, dims: &[u64]) {
        self.tensors.push((name.to_owned(), ty, dims.to_vec()));
    }

    fn raw(&mut self, key: &str, ty: u32, value: &[u8]) {
        self.pairs.extend(string(key));
        self.pairs.extend(ty.to_le_bytes());
        self.pairs.extend(value);
        self.n_pairs += 1;
    }

    /// Writes the header and makes the file as long as its tensors say.
    pub fn write(&self, path: &Path) {
        let mut head = b"GGUF".to_vec();
        head.extend(3_u32.to_le_bytes());
        head.extend((self.tensors.len() as u64).to_le_bytes());
        head.extend(self.n_pairs.to_le_bytes());
        head.extend(&self.pairs);
        let mut offset = 0_u64;
        for (name, ty, dims) in &self.tensors {
            head.extend(string(name));
            head.extend((dims.len() as u32).to_le_bytes());
            head.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
            head.extend(ty.id().to_le_bytes());
            head.extend(offset.to_le_bytes());
            let bytes = dims.iter().product::<u64>() / ty.block_len() * ty.block_bytes();
            offset = (offset + bytes).next_multiple_of(32);
        }
        let start = (head.len() as u64).next_multiple_of(32);
        let mut file = File::create(path).unwrap();
        file.write_all(&head).unwrap();
        file.set_len(start + offset).unwrap();
    }
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

/// A decoder as published configurations describe it.
#[derive(Clone)]
pub struct Published {
    pub architecture: &'static str,
    pub n_layers: u32,
    pub n_embd: u32,
    pub n_ff: u32,
    pub n_head: u32,
    /// Of full layers.
    pub n_head_kv: u32,
    pub head: u32,
    pub n_vocab: u32,
    pub tied: bool,
    pub sliding: Option<Sliding>,
    /// Experts, experts used, width of one.
    pub experts: Option<(u32, u32, u32)>,
    /// Full layers have no V projection of their own.
    pub k_is_v: bool,
    /// Layers at the end that read an earlier layer's cache.
    pub n_shared: u32,
    /// Width of the embedding of each layer.
    pub per_layer: u32,
}

/// Sliding layers: all but every `period`-th.
#[derive(Clone)]
pub struct Sliding {
    pub window: u32,
    pub period: u32,
    pub n_head_kv: u32,
    pub head: u32,
}

impl Published {
    fn is_sliding(&self, layer: u32) -> bool {
        self.sliding.as_ref().is_some_and(|s| layer % s.period < s.period - 1)
    }

    /// As [`Published::file`], with token strings, so that karat takes it for a language model.
    pub fn file_with_tokens(&self, ty: GgmlType, embedding: GgmlType) -> SparseFile {
        self.tensors(
            self.keys(SparseFile::new(self.architecture).with_tokens(self.n_vocab)),
            ty,
            embedding,
        )
    }

    /// A file of this shape: matrices of type `ty`, the embedding of type `embedding`, norms in f32.
    pub fn file(&self, ty: GgmlType, embedding: GgmlType) -> SparseFile {
        let file = SparseFile::new(self.architecture).without_tokens(self.n_vocab);
        self.tensors(self.keys(file), ty, embedding)
    }

    fn tensors(&self, mut file: SparseFile, ty: GgmlType, embedding: GgmlType) -> SparseFile {
        let f32 = GgmlType::F32;
        let (d, ff) = (u64::from(self.n_embd), u64::from(self.n_ff));
        let vocab = u64::from(self.n_vocab);
        file = file.tensor("token_embd.weight", embedding, &[d, vocab]);
        if self.per_layer > 0 {
            let all = u64::from(self.per_layer * self.n_layers);
            file = file
                .tensor("per_layer_token_embd.weight", embedding, &[all, vocab])
                .tensor("per_layer_model_proj.weight", GgmlType::BF16, &[d, all])
                .tensor("per_layer_proj_norm.weight", f32, &[u64::from(self.per_layer)]);
        }
        if self.architecture == "gemma4" {
            file = file.tensor("rope_freqs.weight", f32, &[u64::from(self.head / 2)]);
        }
        for layer in 0..self.n_layers {
            let sliding = self.sliding.as_ref().filter(|_| self.is_sliding(layer));
            let (head, n_kv) =
                sliding.map_or((self.head, self.n_head_kv), |s| (s.head, s.n_head_kv));
            let (q, kv) = (u64::from(head * self.n_head), u64::from(head * n_kv));
            let name = |part: &str| match part.strip_suffix("_bias") {
                Some(part) => format!("blk.{layer}.{part}.bias"),
                None => format!("blk.{layer}.{part}.weight"),
            };
            let mut add = |part: &str, ty: GgmlType, dims: &[u64]| file.add(&name(part), ty, dims);
            add("attn_norm", f32, &[d]);
            add("attn_q", ty, &[d, q]);
            if layer + self.n_shared < self.n_layers {
                add("attn_k", ty, &[d, kv]);
                if !self.k_is_v || sliding.is_some() {
                    add("attn_v", ty, &[d, kv]);
                }
            }
            add("attn_output", ty, &[q, d]);
            if self.architecture == "qwen2" {
                add("attn_q_bias", f32, &[q]);
                add("attn_k_bias", f32, &[kv]);
                add("attn_v_bias", f32, &[kv]);
            }
            if !matches!(self.architecture, "llama" | "gemma2" | "qwen2") {
                add("attn_q_norm", f32, &[u64::from(head)]);
                add("attn_k_norm", f32, &[u64::from(head)]);
            }
            if self.architecture.starts_with("gemma") {
                add("post_attention_norm", f32, &[d]);
                add("post_ffw_norm", f32, &[d]);
            }
            add("ffn_norm", f32, &[d]);
            match self.experts {
                None => {
                    add("ffn_gate", ty, &[d, ff]);
                    add("ffn_up", ty, &[d, ff]);
                    add("ffn_down", ty, &[ff, d]);
                }
                Some((n, _, width)) => {
                    let (n, width) = (u64::from(n), u64::from(width));
                    add("ffn_gate_inp", f32, &[d, n]);
                    add("ffn_gate_exps", ty, &[d, width, n]);
                    add("ffn_up_exps", ty, &[d, width, n]);
                    add("ffn_down_exps", ty, &[width, d, n]);
                }
            }
            if self.per_layer > 0 {
                let width = u64::from(self.per_layer);
                add("inp_gate", f32, &[d, width]);
                add("proj", f32, &[width, d]);
                add("post_norm", f32, &[d]);
            }
        }
        file = file.tensor("output_norm.weight", f32, &[d]);
        if !self.tied {
            file = file.tensor("output.weight", embedding, &[d, vocab]);
        }
        file
    }

    fn keys(&self, file: SparseFile) -> SparseFile {
        let heads_kv: Vec<u32> = (0..self.n_layers)
            .map(|layer| match &self.sliding {
                Some(sliding) if self.is_sliding(layer) => sliding.n_head_kv,
                _ => self.n_head_kv,
            })
            .collect();
        let mut file = file
            .number("block_count", self.n_layers)
            .number("context_length", 131_072)
            .number("embedding_length", self.n_embd)
            .number("feed_forward_length", self.n_ff)
            .number("attention.head_count", self.n_head)
            .numbers("attention.head_count_kv", &heads_kv)
            .number("attention.key_length", self.head)
            .number("attention.value_length", self.head)
            .float("attention.layer_norm_rms_epsilon", 1e-6);
        if let Some(sliding) = &self.sliding {
            file = file.number("attention.sliding_window", sliding.window);
            if self.architecture == "gemma4" {
                let flags: Vec<bool> = (0..self.n_layers).map(|l| self.is_sliding(l)).collect();
                file = file
                    .flags("attention.sliding_window_pattern", &flags)
                    .number("attention.key_length_swa", sliding.head)
                    .number("attention.value_length_swa", sliding.head)
                    .number("attention.shared_kv_layers", self.n_shared)
                    .number("embedding_length_per_layer_input", self.per_layer)
                    .number("rope.dimension_count", self.head)
                    .number("rope.dimension_count_swa", sliding.head)
                    .float("final_logit_softcapping", 30.0);
            }
        }
        if let Some((n, used, width)) = self.experts {
            file = file
                .number("expert_count", n)
                .number("expert_used_count", used)
                .number("expert_feed_forward_length", width);
        }
        file
    }
}
