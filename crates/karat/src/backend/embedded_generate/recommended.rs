//! The sampling that a model file recommends. Reads metadata, samples nothing.

use karat_gguf::{Metadata, Value};

use crate::backend::SamplingValues;

const PREFIX: &str = "general.sampling.";
/// What is sampled with.
const READ: [&str; 4] = ["temp", "top_k", "top_p", "min_p"];

/// What a file recommends.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommended {
    /// What is sampled with. Values that the file does not give stay out of the draw.
    pub values: SamplingValues,
    /// Keys of what it recommends besides.
    pub ignored: Vec<String>,
}

/// Reads the recommendation, or says why there is none in words that follow the file's name.
///
/// Source: `general.sampling.*` as llama.cpp (`src/llama-arch.cpp`) names the keys.
pub fn read(metadata: &Metadata) -> Result<Recommended, String> {
    let number = |key: &str| {
        let value = metadata.get(&format!("{PREFIX}{key}"))?;
        value.as_f64().or_else(|| value.as_i64().map(|whole| whole as f64))
    };
    let share = |key| number(key).filter(|share| (0.0..=1.0).contains(share)).map(|n| n as f32);
    let values = SamplingValues {
        temperature: number("temp").filter(|t| t.is_finite() && *t >= 0.0).map(|t| t as f32),
        top_k: number("top_k").filter(|k| (0.0..=1e9).contains(k)).map(|k| k as u32),
        top_p: share("top_p"),
        min_p: share("min_p"),
    };
    if values == SamplingValues::default() {
        return Err(format!(
            "recommends no sampling (metadata keys {PREFIX}*); ask for --sampling greedy, or give \
             --temperature, --top-k, --top-p or --min-p"
        ));
    }
    let ignored = metadata.iter().filter(|(key, value)| {
        let name = key.strip_prefix(PREFIX);
        name.is_some_and(|name| !READ.contains(&name) && !is_neutral(name, value))
    });
    Ok(Recommended { values, ignored: ignored.map(|(key, _)| key.to_owned()).collect() })
}

/// Whether a value changes nothing.
fn is_neutral(name: &str, value: &Value) -> bool {
    let number = value.as_f64().or_else(|| value.as_i64().map(|whole| whole as f64));
    match name {
        "penalty_repeat" => number == Some(1.0),
        // Without a penalty it does not matter over how many tokens it holds.
        "penalty_last_n" | "mirostat_tau" | "mirostat_eta" | "xtc_threshold" => true,
        _ => number == Some(0.0),
    }
}
