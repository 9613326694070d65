//! Who the engine is: carrier crate, hash of its sources, instruction sets.

use std::ffi::CStr;
use std::sync::LazyLock;

use llama_cpp_sys_2 as sys;

/// Names an engine build well enough to say whether two runs used the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineIdentity {
    /// Crate that carries the engine, with version.
    pub crate_version: String,
    /// SHA-256 over the vendored sources, lower-case hex. The crate records no commit.
    pub tree_sha256: String,
    /// The engine's own line on backends and instruction sets.
    pub system_info: String,
}

/// The engine linked into this binary.
pub fn identity() -> EngineIdentity {
    static IDENTITY: LazyLock<EngineIdentity> = LazyLock::new(|| {
        crate::init();
        // SAFETY: returns a pointer to a NUL-terminated buffer that lives as long as the process. It
        // is rewritten at each call, so there is one call only, and it is copied here.
        let info = unsafe { CStr::from_ptr(sys::llama_print_system_info()) };
        EngineIdentity {
            crate_version: env!("KARAT_ENGINE_CRATE").to_owned(),
            tree_sha256: env!("KARAT_ENGINE_TREE").to_owned(),
            system_info: info.to_string_lossy().trim().to_owned(),
        }
    });
    IDENTITY.clone()
}
