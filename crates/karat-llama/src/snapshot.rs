//! The KV cache of a context, kept aside and put back. Computes nothing.

use llama_cpp_sys_2 as sys;

use crate::{Context, EngineError};

/// What a context had in its KV cache.
pub struct Snapshot {
    bytes: Vec<u8>,
    position: usize,
}

impl Context {
    /// Copies the KV cache, so that [`Context::restore`] can begin from here again.
    ///
    /// # Errors
    /// [`EngineError::Snapshot`] where the engine's kind of cache cannot be copied.
    pub fn save(&mut self) -> Result<Snapshot, EngineError> {
        // SAFETY: the context is valid, sequence 0 is the only one, and the buffer is passed with
        // its length.
        let bytes = unsafe {
            let mut bytes = vec![0; sys::llama_state_seq_get_size(self.raw.as_ptr(), 0)];
            let (data, size) = (bytes.as_mut_ptr(), bytes.len());
            let written = sys::llama_state_seq_get_data(self.raw.as_ptr(), data, size, 0);
            bytes.truncate(written);
            bytes
        };
        if bytes.is_empty() {
            return Err(EngineError::Snapshot { action: "save", position: self.position });
        }
        Ok(Snapshot { bytes, position: self.position })
    }

    /// Empties the KV cache and fills it as it was.
    ///
    /// # Errors
    /// [`EngineError::Snapshot`] where the engine refuses it; the cache is then empty.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), EngineError> {
        self.clear();
        let Snapshot { bytes, position } = snapshot;
        // SAFETY: the context is valid, and the buffer is passed with its length.
        let read = unsafe {
            sys::llama_state_seq_set_data(self.raw.as_ptr(), bytes.as_ptr(), bytes.len(), 0)
        };
        if read == 0 {
            return Err(EngineError::Snapshot { action: "restore", position: *position });
        }
        self.position = *position;
        Ok(())
    }
}
