//! The engine's worker threads, shared by all contexts of a process.

use std::ptr::NonNull;
use std::sync::Arc;

use llama_cpp_sys_2 as sys;

use crate::EngineError;

/// A pool of engine threads. Clones share it; contexts keep it alive.
#[derive(Clone, Debug)]
pub struct Threads(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    raw: NonNull<sys::ggml_threadpool>,
    count: u32,
}

// SAFETY: the pool is internally synchronised; contexts that share it are used from one host thread
// at a time, which `Context: !Sync` and `&mut` decoding enforce per context.
unsafe impl Send for Pool {}
// SAFETY: as above; no method hands out access to the pool's state.
unsafe impl Sync for Pool {}

/// What threads do while they wait for the next graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Sleep,
    Poll,
}

impl Threads {
    /// Starts `count` threads (the calling thread included) that sleep between graphs, so that a
    /// lock-step pass over several models, or anything else on the machine, gets the processor.
    pub fn new(count: u32) -> Result<Self, EngineError> {
        Self::start(count, Waiting::Sleep)
    }

    /// Starts `count` threads that look out for the next graph for a while before they sleep, as
    /// those of llama.cpp's own runners do. Waking up is a good part of a token's time in small
    /// models, so rates are measured with these.
    pub fn polling(count: u32) -> Result<Self, EngineError> {
        Self::start(count, Waiting::Poll)
    }

    fn start(count: u32, waiting: Waiting) -> Result<Self, EngineError> {
        crate::init();
        let too_many = || EngineError::Threads(count);
        if count == 0 || count > 512 {
            return Err(too_many());
        }
        // SAFETY: plain values in, a pool or null out; `params` lives through the call.
        let raw = unsafe {
            let mut params = sys::ggml_threadpool_params_default(count as i32);
            // Otherwise the engine's default, which is its runners' as well (50 in 0.1.161).
            if waiting == Waiting::Sleep {
                params.poll = 0;
            }
            sys::ggml_threadpool_new(&raw mut params)
        };
        let raw = NonNull::new(raw).ok_or_else(too_many)?;
        Ok(Self(Arc::new(Pool { raw, count })))
    }

    /// Threads in the pool.
    pub fn count(&self) -> u32 {
        self.0.count
    }

    pub(crate) fn raw(&self) -> *mut sys::ggml_threadpool {
        self.0.raw.as_ptr()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // SAFETY: every context that was attached holds a clone of the `Arc`, so none is left.
        unsafe { sys::ggml_threadpool_free(self.raw.as_ptr()) };
    }
}
