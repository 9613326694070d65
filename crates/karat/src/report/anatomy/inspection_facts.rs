//! The names and values on the page of `karat inspect`.

use super::count;
use crate::anatomy::{
    Anatomy, ChatTemplate, Mix, NamedTensor, Origin, PerLayer, Shape, SpecialToken, Tokenizer,
};
use crate::report::number::{file_size, short_hash};

type Facts = Vec<(String, String)>;

/// Most runs of equal numbers that are listed.
const MAX_RUNS: usize = 6;

fn add(facts: &mut Facts, name: &str, value: Option<String>) {
    facts.extend(value.map(|value| (name.to_owned(), value)));
}

pub(super) fn identity_facts(model: &Anatomy) -> Facts {
    let identity = &model.identity;
    let mut facts = Facts::new();
    add(&mut facts, "path", Some(identity.path.clone()));
    if identity.parts.len() > 1 {
        add(&mut facts, "parts", Some(identity.parts.len().to_string()));
    }
    let size = format!("{} ({} bytes)", file_size(identity.bytes), identity.bytes);
    add(&mut facts, "size", Some(size));
    add(&mut facts, "sha256", Some(identity.sha256.clone()));
    let format = format!(
        "GGUF {}, {}, {}, data aligned to {} bytes",
        identity.gguf_version,
        count(identity.keys, "key"),
        count(model.mix.tensors, "tensor"),
        identity.alignment
    );
    add(&mut facts, "format", Some(format));
    facts
}

pub(super) fn architecture_facts(shape: &Shape) -> Facts {
    let mut facts = Facts::new();
    let Some(architecture) = &shape.architecture else { return facts };
    let known = if shape.known { "" } else { " (unknown to the engine)" };
    add(&mut facts, "architecture", Some(format!("{architecture}{known}")));
    add(&mut facts, "layers", shape.layers.map(|layers| layer_text(layers, shape)));
    add(&mut facts, "heads", heads(shape));
    add(&mut facts, "head length", head_length(shape));
    add(&mut facts, "embedding length", shape.embedding_length.map(|n| n.to_string()));
    add(&mut facts, "feed forward", shape.feed_forward_length.as_ref().map(per_layer));
    add(&mut facts, "experts", experts(shape));
    add(&mut facts, "context", shape.context_length.map(|n| count(n, "token")));
    add(&mut facts, "sliding window", window(shape));
    add(&mut facts, "RoPE", rope(shape));
    add(&mut facts, "logit softcap", shape.final_logit_softcapping.map(|cap| cap.to_string()));
    facts
}

fn layer_text(layers: u64, shape: &Shape) -> String {
    let kinds = shape
        .sliding_layers
        .map(|(sliding, marked)| format!(", {sliding} sliding and {} full", marked - sliding));
    let shared = shape.shared_kv_layers.filter(|&shared| shared > 0);
    let shared = shared.map(|n| format!(", {n} with the keys and values of another"));
    format!("{layers}{}{}", kinds.unwrap_or_default(), shared.unwrap_or_default())
}

fn heads(shape: &Shape) -> Option<String> {
    let heads = per_layer(shape.heads.as_ref()?);
    let kv_heads = shape.kv_heads.as_ref().map(|kv_heads| format!(", {} KV", per_layer(kv_heads)));
    Some(heads + &kv_heads.unwrap_or_default())
}

fn head_length(shape: &Shape) -> Option<String> {
    let (key, value) = (shape.key_length, shape.value_length);
    let Some(key) = key else {
        // What engines take where the key is missing.
        let (Some(length), Some(PerLayer::All(heads))) = (shape.embedding_length, &shape.heads)
        else {
            return None;
        };
        return Some(format!("{} (embedding length over heads)", length.checked_div(*heads)?));
    };
    let value = value.filter(|&value| value != key);
    let value = value.map_or(String::new(), |value| format!(", {value} of values"));
    let sliding = shape.key_length_swa.filter(|&sliding| sliding != key);
    let sliding = sliding.map_or(String::new(), |n| format!(", {n} in sliding layers"));
    Some(format!("{key}{value}{sliding}"))
}

fn experts(shape: &Shape) -> Option<String> {
    let experts = shape.experts.filter(|&experts| experts > 0)?;
    let used = shape.experts_used.map(|used| format!(", {used} used by each token"));
    let shared = shape.experts_shared.filter(|&shared| shared > 0);
    let shared = shared.map(|shared| format!(", {shared} shared by all"));
    Some(format!("{experts}{}{}", used.unwrap_or_default(), shared.unwrap_or_default()))
}

fn window(shape: &Shape) -> Option<String> {
    shape.sliding_window.filter(|&window| window > 0).map(|window| count(window, "token"))
}

fn rope(shape: &Shape) -> Option<String> {
    let base = shape.rope_freq_base?;
    let sliding = shape.rope_freq_base_swa.filter(|sliding| sliding.to_bits() != base.to_bits());
    let sliding = sliding.map(|sliding| format!(", {sliding} in sliding layers"));
    let scaling = shape.rope_scaling.as_ref().map(|kind| {
        let factor = shape.rope_scaling_factor.map(|factor| format!(" by {factor}"));
        format!(", {kind} scaling{}", factor.unwrap_or_default())
    });
    Some(format!("base {base}{}{}", sliding.unwrap_or_default(), scaling.unwrap_or_default()))
}

/// `8`, or `4 in 20 layers, 8 in 5, 4 in 20`: runs of equal numbers in the order of the layers.
fn per_layer(numbers: &PerLayer) -> String {
    let numbers = match numbers {
        PerLayer::All(number) => return number.to_string(),
        PerLayer::Each(numbers) => numbers,
    };
    let runs: Vec<&[u64]> = numbers.chunk_by(|a, b| a == b).collect();
    let text = |(idx, run): (usize, &&[u64])| {
        let layers = if idx == 0 { " layers" } else { "" };
        format!("{} in {}{layers}", run[0], run.len())
    };
    let mut parts: Vec<String> = runs.iter().take(MAX_RUNS).enumerate().map(text).collect();
    if runs.len() > MAX_RUNS {
        parts.push("…".to_owned());
    }
    if parts.is_empty() { "none listed".to_owned() } else { parts.join(", ") }
}

pub(super) fn storage_facts(mix: &Mix) -> Facts {
    let mut facts = Facts::new();
    add(&mut facts, "embedding", mix.embedding.as_ref().map(named_tensor));
    let output = match &mix.output {
        Some(output) => Some(named_tensor(output)),
        None => mix.output_is_tied.then(|| "the embedding, tied".to_owned()),
    };
    add(&mut facts, "output", output);
    let file_type = mix.file_type.as_ref().map(|file_type| match file_type.name {
        Some(name) => format!("{name}, as general.file_type says"),
        None => format!("{}, no known type", file_type.id),
    });
    add(&mut facts, "file type", file_type);
    facts
}

fn named_tensor(tensor: &NamedTensor) -> String {
    let dims: Vec<String> = tensor.dims.iter().map(ToString::to_string).collect();
    format!("{}, {}, {}", tensor.r#type, dims.join(" x "), file_size(tensor.bytes))
}

pub(super) fn tokenizer_facts(tokenizer: &Tokenizer) -> Facts {
    let mut facts = Facts::new();
    let pre = tokenizer.pre.as_ref().map(|pre| format!(", pre-tokenizer {pre}"));
    let model = tokenizer.model.as_deref().unwrap_or("not named");
    add(&mut facts, "model", Some(format!("{model}{}", pre.unwrap_or_default())));
    let merges = tokenizer.merges.map(|merges| format!(", {}", count(merges, "merge")));
    let size = count(tokenizer.tokens, "token") + &merges.unwrap_or_default();
    add(&mut facts, "vocabulary", Some(size));
    let types: Vec<String> =
        tokenizer.types.iter().map(|of| format!("{} {}", of.r#type, of.tokens)).collect();
    add(&mut facts, "token types", (!types.is_empty()).then(|| types.join(", ")));
    let special: Vec<String> = tokenizer.special.iter().map(special_token).collect();
    add(&mut facts, "special tokens", (!special.is_empty()).then(|| special.join(", ")));
    let adds = [(tokenizer.add_bos, "BOS"), (tokenizer.add_eos, "EOS")];
    let adds = adds.into_iter().filter_map(|(adds, what)| {
        adds.map(|adds| if adds { what.to_owned() } else { format!("no {what}") })
    });
    let adds: Vec<String> = adds.collect();
    add(&mut facts, "adds", (!adds.is_empty()).then(|| adds.join(", ")));
    facts
}

fn special_token(token: &SpecialToken) -> String {
    match &token.text {
        Some(text) => format!("{} {} `{text}`", token.role, token.id),
        None => format!("{} {} (not in the vocabulary)", token.role, token.id),
    }
}

pub(super) fn origin_facts(origin: &Origin) -> Facts {
    let mut facts = Facts::new();
    let templates = origin.chat_templates.iter().map(|template| {
        let name = template.name.as_ref().map(|name| format!(" `{name}`"));
        (format!("chat template{}", name.unwrap_or_default()), template_text(template))
    });
    facts.extend(templates);
    if origin.chat_templates.is_empty() {
        add(&mut facts, "chat template", Some("none".to_owned()));
    }
    for pair in origin.imatrix.iter().chain(&origin.provenance) {
        let name = pair.key.trim_start_matches("general.").trim_start_matches("quantize.");
        facts.push((name.to_owned(), pair.value.text.clone()));
    }
    if origin.imatrix.is_empty() {
        add(&mut facts, "imatrix", Some("none named".to_owned()));
    }
    facts
}

fn template_text(template: &ChatTemplate) -> String {
    let (bytes, lines) = (count(template.bytes, "byte"), count(template.lines, "line"));
    format!("{bytes}, {lines}, sha256 {}", short_hash(&template.sha256))
}
