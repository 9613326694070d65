//! Metadata entries handed to the engine in place of a file's own. Owns their C form; never reads a file.

use std::ffi::c_char;

use llama_cpp_sys_2 as sys;

use crate::EngineError;
use crate::model::c_string;

/// A metadata entry that differs from the file's: in what quantization writes, or for a model that is
/// loaded.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataOverride {
    /// Key and string (at most 127 bytes of each).
    Str(String, String),
    /// Key and integer, stored as u32.
    U32(String, u32),
    /// Key and number.
    F32(String, f32),
}

/// The engine's list of metadata entries, ended by an empty key.
pub(crate) fn metadata_list(
    entries: &[MetadataOverride],
) -> Result<Vec<sys::llama_model_kv_override>, EngineError> {
    // SAFETY: all-zero bytes are a valid value of this C struct (an integer with an empty key).
    let empty: sys::llama_model_kv_override = unsafe { std::mem::zeroed() };
    let mut list = Vec::with_capacity(entries.len() + 1);
    for entry in entries {
        let mut raw = empty;
        match entry {
            MetadataOverride::Str(key, text) => {
                raw.tag = sys::LLAMA_KV_OVERRIDE_TYPE_STR;
                copy_c(&mut raw.key, key)?;
                let mut value = [0; 128];
                copy_c(&mut value, text)?;
                raw.__bindgen_anon_1.val_str = value;
            }
            MetadataOverride::U32(key, number) => {
                raw.tag = sys::LLAMA_KV_OVERRIDE_TYPE_INT;
                copy_c(&mut raw.key, key)?;
                raw.__bindgen_anon_1.val_i64 = i64::from(*number);
            }
            MetadataOverride::F32(key, number) => {
                raw.tag = sys::LLAMA_KV_OVERRIDE_TYPE_FLOAT;
                copy_c(&mut raw.key, key)?;
                raw.__bindgen_anon_1.val_f64 = f64::from(*number);
            }
        }
        list.push(raw);
    }
    list.push(empty);
    Ok(list)
}

/// Copies as much of `text` as fits with its terminator, as the engine's own tool does.
fn copy_c(into: &mut [c_char; 128], text: &str) -> Result<(), EngineError> {
    let text = c_string(text)?;
    for (to, &from) in into.iter_mut().zip(text.as_bytes().iter().take(127)) {
        *to = from as c_char;
    }
    Ok(())
}
