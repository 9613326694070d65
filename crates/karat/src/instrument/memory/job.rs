//! A memory job inside a worker: loads one model, makes a context, computes one full micro-batch, and
//! says what that took.

use karat_llama::{
    Context, ContextParams, EngineError, FlashAttention, GpuLayers, Model, ModelParams, Threads,
};

use crate::machine;
use crate::worker::{BufferReply, Channel, MemoryJob, MemoryReply, Message};

/// Most tokens that one decode takes, as the runners have it.
const N_BATCH: u32 = 2048;

/// Runs the job; its figures are the last message but one.
pub fn run(job: &MemoryJob, channel: &Channel) -> Result<(), EngineError> {
    // Back ends, devices and threads are there; no model is.
    let threads = Threads::new(job.n_threads)?;
    let overhead_bytes = machine::resident_memory();
    let gpu_layers = match job.gpu_layers {
        None => GpuLayers::All,
        Some(0) => GpuLayers::None,
        Some(count) => GpuLayers::Count(count),
    };
    let model_params = ModelParams { gpu_layers, ..ModelParams::default() };
    let model = Model::load(&job.path, &model_params, |_| {
        channel.alive();
        true
    })?;
    let kv = crate::backend::embedded::kv_type(job.kv);
    let params = ContextParams {
        n_ctx: job.n_ctx,
        n_batch: N_BATCH.min(job.n_ctx),
        n_ubatch: job.n_ubatch.min(job.n_ctx),
        kv_k: kv,
        kv_v: kv,
        flash_attention: FlashAttention::Auto,
    };
    let mut context = Context::new(&model, &params, &threads)?;
    let alive = channel.clone();
    context.set_watch(move || {
        alive.alive();
        false
    });
    // Which tokens does not matter: what counts is that every page is touched.
    let n_tokens = params.n_ubatch.min(params.n_batch) as usize;
    let n_vocab = model.vocab().n_tokens().max(1);
    let tokens: Vec<i32> = (0..n_tokens).map(|i| (i % n_vocab) as i32).collect();
    context.decode(&tokens, &[n_tokens - 1])?;
    let buffers = context
        .buffers()
        .into_iter()
        .map(|buffer| BufferReply {
            device: if buffer.on_host || buffer.device == HOST {
                HOST.to_owned()
            } else {
                buffer.device
            },
            weights: buffer.weights,
            kv: buffer.context,
            compute: buffer.compute,
        })
        .collect();
    channel.send(&Message::Memory(MemoryReply {
        buffers,
        output_bytes: context.output_bytes(1),
        overhead_bytes,
        resident_bytes: machine::peak_memory(),
    }));
    Ok(())
}

/// The engine's name of the processor.
const HOST: &str = "CPU";
