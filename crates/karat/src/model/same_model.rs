//! Whether two files are builds of one model: same vocabulary, same tensors, same shapes.

use std::collections::BTreeSet;

use crate::record::{Finding, Severity};

use super::ModelFile;

/// Why two files cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another architecture.
    #[error(
        "`{candidate}` is a {got} model, `{reference}` a {want} model: they are not builds of one model"
    )]
    Architecture {
        /// Under test.
        candidate: String,
        /// Yardstick.
        reference: String,
        /// The candidate's.
        got: String,
        /// The reference's.
        want: String,
    },
    /// Another number of tokens.
    #[error(
        "`{candidate}` has {got} vocabulary entries, `{reference}` has {want}: they are not builds of one model"
    )]
    VocabSize {
        /// Under test.
        candidate: String,
        /// Yardstick.
        reference: String,
        /// The candidate's.
        got: usize,
        /// The reference's.
        want: usize,
    },
    /// Another string at an id.
    #[error(
        "`{candidate}` has token {token} as {got:?}, `{reference}` as {want:?}: their vocabularies differ, so their distributions cannot be compared"
    )]
    Token {
        /// Under test.
        candidate: String,
        /// Yardstick.
        reference: String,
        /// First id that differs.
        token: usize,
        /// The candidate's string.
        got: String,
        /// The reference's string.
        want: String,
    },
    /// A tensor is missing or has another shape.
    #[error(
        "tensor `{tensor}` is {got} in `{candidate}` and {want} in `{reference}`: they are not builds of one model"
    )]
    Tensor {
        /// Under test.
        candidate: String,
        /// Yardstick.
        reference: String,
        /// Name of the tensor.
        tensor: String,
        /// The candidate's shape.
        got: String,
        /// The reference's shape.
        want: String,
    },
}

/// Checks that `candidate` is a build of the same model as `reference`. What differs without making
/// the comparison meaningless comes back as findings.
pub fn check_same_model(
    (reference_name, reference): (&str, &ModelFile),
    (candidate_name, candidate): (&str, &ModelFile),
) -> Result<Vec<Finding>, Mismatch> {
    let names = || (candidate_name.to_owned(), reference_name.to_owned());
    if candidate.architecture != reference.architecture {
        let (candidate_name, reference_name) = names();
        return Err(Mismatch::Architecture {
            candidate: candidate_name,
            reference: reference_name,
            got: candidate.architecture.clone(),
            want: reference.architecture.clone(),
        });
    }
    check_vocabulary((reference_name, reference), (candidate_name, candidate))?;
    check_tensors((reference_name, reference), (candidate_name, candidate))?;
    Ok(findings((reference_name, reference), (candidate_name, candidate)))
}

fn check_vocabulary(
    (reference_name, reference): (&str, &ModelFile),
    (candidate_name, candidate): (&str, &ModelFile),
) -> Result<(), Mismatch> {
    let (got, want) = (candidate.n_vocab(), reference.n_vocab());
    if got != want {
        return Err(Mismatch::VocabSize {
            candidate: candidate_name.to_owned(),
            reference: reference_name.to_owned(),
            got,
            want,
        });
    }
    let (Some(ours), Some(theirs)) = (candidate.gguf.vocabulary(), reference.gguf.vocabulary())
    else {
        return Ok(());
    };
    let differing = ours.iter().zip(theirs.iter()).enumerate().find(|(_, (got, want))| got != want);
    match differing {
        None => Ok(()),
        Some((token, (got, want))) => Err(Mismatch::Token {
            candidate: candidate_name.to_owned(),
            reference: reference_name.to_owned(),
            token,
            got: String::from_utf8_lossy(got).into_owned(),
            want: String::from_utf8_lossy(want).into_owned(),
        }),
    }
}

fn check_tensors(
    (reference_name, reference): (&str, &ModelFile),
    (candidate_name, candidate): (&str, &ModelFile),
) -> Result<(), Mismatch> {
    let shape = |file: &ModelFile, name: &str| {
        let tensor = file.gguf.tensor(name)?;
        Some(tensor.dims.iter().map(u64::to_string).collect::<Vec<_>>().join(" x "))
    };
    let both = reference.gguf.tensors().iter().chain(candidate.gguf.tensors());
    for tensor in both.map(|tensor| tensor.name.as_str()) {
        // A tied embedding may be written out as an output tensor, and the RoPE factors are derived.
        if matches!(tensor, "output.weight" | "rope_freqs.weight") {
            continue;
        }
        let (got, want) = (shape(candidate, tensor), shape(reference, tensor));
        if got != want {
            let missing = || "missing".to_owned();
            return Err(Mismatch::Tensor {
                candidate: candidate_name.to_owned(),
                reference: reference_name.to_owned(),
                tensor: tensor.to_owned(),
                got: got.unwrap_or_else(missing),
                want: want.unwrap_or_else(missing),
            });
        }
    }
    Ok(())
}

/// Metadata whose difference the reader has to know of.
const WATCHED: [(&str, &str); 6] = [
    ("tokenizer.ggml.token_type", "token types"),
    ("tokenizer.ggml.scores", "token scores"),
    ("tokenizer.ggml.bos_token_id", "BOS token"),
    ("tokenizer.ggml.eos_token_id", "EOS token"),
    ("tokenizer.ggml.add_bos_token", "the rule for BOS"),
    ("tokenizer.chat_template", "chat templates"),
];

fn findings(
    (reference_name, reference): (&str, &ModelFile),
    (candidate_name, candidate): (&str, &ModelFile),
) -> Vec<Finding> {
    let (ours, theirs) = (candidate.gguf.metadata(), reference.gguf.metadata());
    let watched =
        WATCHED.iter().filter(|(key, _)| ours.get(key) != theirs.get(key)).map(|(key, what)| {
            format!(
                "{candidate_name} and {reference_name} differ in {what} (`{key}`); \
                 texts are tokenized with the reference's"
            )
        });
    let prefix = format!("{}.", reference.architecture);
    let keys: BTreeSet<&str> = ours.iter().chain(theirs.iter()).map(|(key, _)| key).collect();
    let computed = keys
        .into_iter()
        .filter(|key| key.starts_with(&prefix) && ours.get(key) != theirs.get(key))
        .map(|key| {
            format!(
                "{candidate_name} and {reference_name} differ in `{key}`, which says how the \
                 engine computes: not only the weights differ between them"
            )
        });
    let warning = |message| Finding { severity: Severity::Warning, message };
    watched.chain(computed).map(warning).collect()
}
