//! Token by token generation, greedy or sampled, streamed to the caller.

use std::ptr::NonNull;

use llama_cpp_sys_2 as sys;

use crate::{Context, EngineError, Special, Token};

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampling {
    /// The most likely one; the lowest id on ties.
    Greedy,
    /// Drawn after top-k, top-p, min-p and temperature, in that order (the engine's default order).
    Random {
        /// Divides the logits; above 0.
        temperature: f32,
        /// Keep the `top_k` most likely; 0 keeps all.
        top_k: u32,
        /// Keep the smallest set that holds this much probability.
        top_p: f32,
        /// Drop what is less likely than this share of the most likely.
        min_p: f32,
        /// Seed of the draw.
        seed: u32,
    },
}

/// Why generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model ended its turn.
    End,
    /// The token limit or the context was reached.
    Length,
    /// The caller asked to stop.
    Stopped,
}

/// What was generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Every generated token, the end token not included.
    pub tokens: Vec<Token>,
    /// Why it ended.
    pub finish: Finish,
}

/// Continues `prompt` from an empty cache by at most `max_tokens`. `emit` gets each token with its
/// bytes (possibly part of a UTF-8 character) as soon as it is known, and returns whether to go on.
pub fn generate(
    context: &mut Context,
    prompt: &[Token],
    max_tokens: usize,
    sampling: Sampling,
    mut emit: impl FnMut(Token, &[u8]) -> bool,
) -> Result<Generated, EngineError> {
    let vocab = context.model().vocab();
    let mut sampler = Sampler::new(sampling);
    context.clear();
    let mut last = prefill(context, prompt, &mut sampler)?;
    let mut tokens = Vec::new();
    let finish = loop {
        if vocab.is_end(last) {
            break Finish::End;
        }
        if tokens.len() == max_tokens {
            break Finish::Length;
        }
        tokens.push(last);
        if !emit(last, &vocab.piece(last, Special::Parsed)?) {
            break Finish::Stopped;
        }
        if tokens.len() == max_tokens || context.position() == context.n_ctx() as usize {
            break Finish::Length;
        }
        last = sampler.pick(context.decode(&[last], &[0])?.row(0));
    };
    Ok(Generated { tokens, finish })
}

/// Decodes the prompt in pieces and picks the first token after it.
fn prefill(
    context: &mut Context,
    prompt: &[Token],
    sampler: &mut Sampler,
) -> Result<Token, EngineError> {
    let n_ctx = context.n_ctx();
    if prompt.is_empty() || prompt.len() > n_ctx as usize {
        return Err(EngineError::ContextFull { want: prompt.len(), n_ctx });
    }
    let mut pieces = prompt.chunks(context.n_batch()).peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_some() {
            context.decode(piece, &[])?;
        } else {
            return Ok(sampler.pick(context.decode(piece, &[piece.len() - 1])?.row(0)));
        }
    }
    Err(EngineError::ContextFull { want: 0, n_ctx })
}

enum Sampler {
    Greedy,
    Chain(NonNull<sys::llama_sampler>, Vec<sys::llama_token_data>),
}

impl Sampler {
    fn new(sampling: Sampling) -> Self {
        let Sampling::Random { temperature, top_k, top_p, min_p, seed } = sampling else {
            return Self::Greedy;
        };
        // SAFETY: plain values in; the chain takes ownership of what is added.
        let chain = unsafe {
            let chain = sys::llama_sampler_chain_init(sys::llama_sampler_chain_default_params());
            if top_k > 0 {
                let k = i32::try_from(top_k).unwrap_or(i32::MAX);
                sys::llama_sampler_chain_add(chain, sys::llama_sampler_init_top_k(k));
            }
            sys::llama_sampler_chain_add(chain, sys::llama_sampler_init_top_p(top_p, 1));
            sys::llama_sampler_chain_add(chain, sys::llama_sampler_init_min_p(min_p, 1));
            sys::llama_sampler_chain_add(chain, sys::llama_sampler_init_temp(temperature));
            sys::llama_sampler_chain_add(chain, sys::llama_sampler_init_dist(seed));
            chain
        };
        NonNull::new(chain).map_or(Self::Greedy, |chain| Self::Chain(chain, Vec::new()))
    }

    fn pick(&mut self, logits: &[f32]) -> Token {
        match self {
            Self::Greedy => argmax(logits),
            Self::Chain(chain, candidates) => {
                candidates.clear();
                candidates.extend(
                    logits.iter().enumerate().map(|(id, &logit)| sys::llama_token_data {
                        id: id as Token,
                        logit,
                        p: 0.0,
                    }),
                );
                let mut array = sys::llama_token_data_array {
                    data: candidates.as_mut_ptr(),
                    size: candidates.len(),
                    selected: -1,
                    sorted: false,
                };
                // SAFETY: `array` describes `candidates`, which outlives the call; the last sampler
                // of the chain selects an index below `size`.
                unsafe {
                    sys::llama_sampler_apply(chain.as_ptr(), &raw mut array);
                    let selected = usize::try_from(array.selected).unwrap_or(0);
                    let token = (*array.data.add(selected.min(array.size - 1))).id;
                    sys::llama_sampler_accept(chain.as_ptr(), token);
                    token
                }
            }
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        if let Self::Chain(chain, _) = self {
            // SAFETY: freed once; the chain owns its members.
            unsafe { sys::llama_sampler_free(chain.as_ptr()) };
        }
    }
}

fn argmax(logits: &[f32]) -> Token {
    let mut best = 0;
    for (id, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = id;
        }
    }
    best as Token
}
