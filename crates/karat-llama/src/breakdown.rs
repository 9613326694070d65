//! What the engine itself says that its buffers take, to the byte. Never estimates.

use std::ffi::{CStr, c_char};

use llama_cpp_sys_2 as sys;

use crate::Context;

/// More kinds of buffers than any machine has: one or two per device.
const MOST_BUFFERS: usize = 64;

/// The engine's buffers of one kind: of one device, allocated in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferBytes {
    /// Engine's name of the kind, e.g. `CPU`, `CPU_REPACK`, `CUDA0`, `CUDA_Host`.
    pub buffer: String,
    /// Device it serves, e.g. `CUDA0`.
    pub device: String,
    /// Whether the processor can address it. Repacked weights are in host memory too, yet only
    /// their own kernels can read them: the engine says `false`.
    pub on_host: bool,
    /// Bytes of weights. A mapped file counts from the first tensor used to the last.
    pub weights: u64,
    /// Bytes of KV cache and recurrent state.
    pub context: u64,
    /// Bytes of the graph's intermediate results.
    pub compute: u64,
}

/// As `breakdown.cpp` fills it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Row {
    buffer: *const c_char,
    device: *const c_char,
    on_host: bool,
    model: usize,
    context: usize,
    compute: usize,
}

unsafe extern "C" {
    fn karat_memory_breakdown(
        ctx: *const sys::llama_context,
        rows: *mut Row,
        capacity: usize,
    ) -> usize;
}

impl Context {
    /// The buffers of this context and of its model, in bytes: as allocated or, for a model loaded
    /// with [`crate::ModelParams::no_alloc`], as they would be. The buffer that logits are handed
    /// out in is not among them; see [`Context::output_bytes`].
    ///
    /// Source: `llama_get_memory_breakdown` of llama.cpp.
    pub fn buffers(&self) -> Vec<BufferBytes> {
        let empty = Row {
            buffer: std::ptr::null(),
            device: std::ptr::null(),
            on_host: false,
            model: 0,
            context: 0,
            compute: 0,
        };
        let mut rows = [empty; MOST_BUFFERS];
        // SAFETY: the context is valid, and at most `MOST_BUFFERS` rows are written.
        let count = unsafe { karat_memory_breakdown(self.raw(), rows.as_mut_ptr(), MOST_BUFFERS) };
        let text = |pointer| {
            // SAFETY: the engine's names are NUL-terminated and static.
            unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
        };
        rows.iter()
            .take(count)
            .map(|row| BufferBytes {
                buffer: text(row.buffer),
                device: text(row.device),
                on_host: row.on_host,
                weights: row.model as u64,
                context: row.context as u64,
                compute: row.compute as u64,
            })
            .collect()
    }

    /// Bytes of the host buffer that `n_rows` rows of logits are handed out in: f32, one entry per
    /// token of the vocabulary.
    pub fn output_bytes(&self, n_rows: usize) -> u64 {
        (n_rows.max(1) * self.model().vocab().n_tokens() * size_of::<f32>()) as u64
    }
}
