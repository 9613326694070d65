//! A vocabulary, its stated size and the rows of the embedding that do not agree.

use super::{Oddity, Subject, note, warning};
use crate::anatomy::NamedTensor;

const ID: &str = "vocabulary_rows";

pub(super) fn check(subject: &Subject) -> Vec<Oddity> {
    let n_vocab = match &subject.tokenizer {
        Some(tokenizer) if tokenizer.tokens > 0 => tokenizer.tokens,
        _ if subject.shape.is_model() => {
            let message = "the file holds no vocabulary: text can be neither read nor written \
                           with it alone";
            return vec![warning(ID, message.to_owned())];
        }
        _ => return Vec::new(),
    };
    let rows = |tensor: &Option<NamedTensor>| {
        tensor.as_ref().map(|tensor| tensor.dims[1..].iter().product::<u64>())
    };
    let measures = [
        ("the embedding", rows(&subject.mix.embedding)),
        ("the output matrix", rows(&subject.mix.output)),
    ];
    let mut oddities = Vec::new();
    for (what, n_rows) in measures {
        match n_rows {
            Some(n_rows) if n_rows < n_vocab => oddities.push(warning(
                ID,
                format!("the vocabulary has {n_vocab} tokens, {what} only {n_rows} rows"),
            )),
            Some(n_rows) if n_rows > n_vocab => oddities.push(warning(
                ID,
                format!(
                    "{what} has {n_rows} rows for {n_vocab} tokens: {} too many",
                    n_rows - n_vocab
                ),
            )),
            _ => {}
        }
    }
    if let Some(stated) = subject.shape.vocab_size.filter(|&stated| stated != n_vocab) {
        let message = format!("`vocab_size` states {stated} tokens, the vocabulary has {n_vocab}");
        oddities.push(note(ID, message));
    }
    oddities
}
