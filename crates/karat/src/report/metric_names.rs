//! Names of the metrics that reports know by name.
//! Owns the spelling; a metric that is missing here still shows in `csv` and `json`.

/// Perplexity of one model; no reference.
pub const PPL: &str = "ppl";
/// ln(PPL of the candidate / PPL of the reference).
pub const LN_PPL_RATIO: &str = "ln_ppl_ratio";
/// Token mean of KL(reference‖candidate).
pub const KLD_MEAN: &str = "kld_mean";
/// Paired difference of two candidates' `kld_mean` against one reference: candidate - versus.
pub const KLD_MEAN_DIFF: &str = "kld_mean_diff";
/// How many times wider than with independent tokens the variance of the mean KLD is.
pub const KLD_DESIGN_EFFECT: &str = "kld_design_effect";
/// Median of the per-token KLD.
pub const KLD_MEDIAN: &str = "kld_median";
/// 99th percentile of the per-token KLD.
pub const KLD_P99: &str = "kld_p99";
/// 99.9th percentile of the per-token KLD.
pub const KLD_P99_9: &str = "kld_p99_9";
/// Largest per-token KLD.
pub const KLD_MAX: &str = "kld_max";
/// Share of tokens where both models' likeliest next token is the same.
pub const SAME_TOP_P: &str = "same_top_p";
/// Root mean square of the change in probability of the actual next token.
pub const DELTA_P_RMS: &str = "delta_p_rms";
/// Tokens of a prompt read per second.
pub const PP_RATE: &str = "pp_rate";
/// Tokens generated per second.
pub const TG_RATE: &str = "tg_rate";
/// Bytes of the weights.
pub const WEIGHTS_BYTES: &str = "weights_bytes";
/// Bytes of the KV cache.
pub const KV_BYTES: &str = "kv_bytes";
/// Bytes of the engine's compute buffers.
pub const COMPUTE_BYTES: &str = "compute_bytes";
/// Bytes of the buffers that logits are copied to.
pub const OUTPUT_BYTES: &str = "output_bytes";
/// The original against itself in a second context.
pub const NOISE_FLOOR_RERUN: &str = crate::record::NOISE_FLOOR_KLD;
/// The original against itself with another ubatch.
pub const NOISE_FLOOR_UBATCH: &str = "noise_floor_kld_ubatch";
/// Weights and KV cache read for one generated token.
pub const BYTES_PER_TOKEN: &str = "bytes_per_token";
/// The best of several sweeps that read this machine's memory.
pub const MEMORY_BANDWIDTH: &str = "memory_bandwidth";
/// Bytes per token times rate, over the memory bandwidth.
pub const BANDWIDTH_SHARE: &str = "bandwidth_share";
/// Share of tasks passed.
pub const PASS_RATE: &str = "pass_rate";
/// Paired difference of two builds' pass rates: candidate - versus.
pub const PASS_RATE_DIFF: &str = "pass_rate_diff";
/// Share of tasks whose budget was spent before anything visible was written.
pub const STARVED_RATE: &str = "starved_rate";
/// Tasks that the candidate passes and the other build does not.
pub const PASSED_ALONE: &str = "passed_alone";
/// Share of tasks that one of two builds alone passes; of a build against itself, of its reruns.
pub const FLIP_RATE: &str = "flip_rate";
/// McNemar's mid-p value, by task.
pub const PASS_P_MID: &str = "pass_p_mid";
/// P value of sign flips, by family.
pub const PASS_P_FAMILY: &str = "pass_p_family";
/// Seconds spent on all tasks, over the tasks passed.
pub const SECONDS_TO_CORRECT: &str = "seconds_to_correct";
