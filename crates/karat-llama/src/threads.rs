//! The engine's worker threads, shared by all contexts of a process.

use std::ptr::NonNull;
use std::sync::Arc;

use llama_cpp_sys_2 as sys;

use crate::EngineError;

/// A pool of engine threads. Clones share it; contexts keep it alive.
///
/// Threads that wait for the next graph sleep instead of spinning, so that a lock-step pass over
/// several models, or anything else on the machine, gets the processor.
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

impl Threads {
    /// Starts `count` threads (the calling thread included).
    pub fn new(count: u32) -> Result<Self, EngineError> {
        crate::init();
        let too_many = || EngineError::Threads(count);
        if count == 0 || count > 512 {
            return Err(too_many());
        }
        // SAFETY: plain values in, a pool or null out; `params` lives through the call.
        let raw = unsafe {
            let mut params = sys::ggml_threadpool_params_default(count as i32);
            params.poll = 0;
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
