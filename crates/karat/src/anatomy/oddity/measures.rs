//! Measures that no model has, or that contradict each other or the table of tensors.

use super::{Oddity, Subject, warning};
use crate::anatomy::keys::PerLayer;
use crate::anatomy::shape::Shape;
use crate::anatomy::tensor_pattern::layer;

/// Most tokens of a context or a window that make sense; the longest contexts have 2^24.
const MOST_TOKENS: u64 = 1 << 28;
/// Source: `LLAMA_MAX_EXPERTS` of llama.cpp.
const MOST_EXPERTS: u64 = 1024;

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let shape = &subject.shape;
    if shape.architecture.is_none() || !shape.is_model() {
        return Vec::new();
    }
    let said = zeros(shape).into_iter().chain(excesses(shape)).chain(contradictions(shape));
    let said = said.chain(layer_count(subject)).chain(embedding_length(subject));
    said.map(|message| warning("measures", message)).collect()
}

/// Measures of zero, of which nothing can be built.
fn zeros(shape: &Shape) -> Vec<String> {
    let heads = shape.heads.as_ref().and_then(PerLayer::largest);
    let measures = [
        ("number of layers", shape.layers),
        ("number of heads", heads),
        ("context length", shape.context_length),
        ("embedding length", shape.embedding_length),
    ];
    let zero = measures.into_iter().filter(|(_, measure)| *measure == Some(0));
    zero.map(|(what, _)| format!("the {what} is 0: no engine can build this model")).collect()
}

/// Measures that no engine or machine is made for.
fn excesses(shape: &Shape) -> Vec<String> {
    let measures = [
        ("context length", shape.context_length, MOST_TOKENS),
        ("sliding window", shape.sliding_window, MOST_TOKENS),
        ("number of experts", shape.experts, MOST_EXPERTS),
    ];
    let said = measures.into_iter().filter_map(|(what, measure, most)| {
        let measure = measure.filter(|&measure| measure > most)?;
        Some(format!("the {what} is {measure}: at most {most} can be true"))
    });
    said.collect()
}

fn contradictions(shape: &Shape) -> Vec<String> {
    let mut said = Vec::new();
    if let (Some(PerLayer::All(heads)), Some(PerLayer::All(kv_heads))) =
        (&shape.heads, &shape.kv_heads)
        && (*kv_heads == 0 || !heads.is_multiple_of(*kv_heads))
    {
        said.push(format!("{heads} heads cannot share {kv_heads} KV heads evenly"));
    }
    if let (Some(used), Some(experts)) = (shape.experts_used, shape.experts)
        && used > experts
    {
        said.push(format!("{used} experts are to be used of {experts}"));
    }
    if let (Some(0), Some(experts @ 1..)) = (shape.experts_used, shape.experts) {
        said.push(format!("none of {experts} experts is to be used"));
    }
    if let Some(epsilon) = shape.rms_epsilon.filter(|&epsilon| epsilon <= 0.0) {
        said.push(format!(
            "norms are to add {epsilon} to a variance: only more than 0 makes sense"
        ));
    }
    if let (Some(shared), Some(layers)) = (shape.shared_kv_layers, shape.layers)
        && shared > 0
        && shared.saturating_add(2) > layers
    {
        said.push(format!(
            "{shared} of {layers} layers are to use another one's keys and values: fewer than the 2 \
             that an engine needs have their own"
        ));
    }
    if let (Some(0), Some((sliding @ 1.., _))) = (shape.sliding_window, shape.sliding_layers) {
        said.push(format!("{sliding} layers are to see a sliding window of 0 tokens"));
    }
    let lists = [
        ("head_count", &shape.heads),
        ("head_count_kv", &shape.kv_heads),
        ("feed_forward_length", &shape.feed_forward_length),
    ];
    for (key, list) in lists {
        if let (Some(PerLayer::Each(numbers)), Some(layers)) = (list, shape.layers)
            && numbers.len() as u64 != layers
        {
            said.push(format!("`{key}` lists {} layers, there are {layers}", numbers.len()));
        }
    }
    said
}

/// The stated number of layers against the table of tensors.
fn layer_count(subject: &Subject) -> Option<String> {
    let stated = subject.shape.layers?;
    let last = subject.header.tensors().iter().filter_map(|tensor| layer(&tensor.name)).max()?;
    let n_found = last.saturating_add(1);
    (stated != n_found)
        .then(|| format!("the keys state {stated} layers, the table of tensors has {n_found}"))
}

/// The stated embedding length against the embedding's rows.
fn embedding_length(subject: &Subject) -> Option<String> {
    let stated = subject.shape.embedding_length?;
    let row_len = subject.mix.embedding.as_ref()?.dims[0];
    (stated != row_len).then(|| {
        format!(
            "the keys state an embedding length of {stated}, the embedding's rows have {row_len}"
        )
    })
}
