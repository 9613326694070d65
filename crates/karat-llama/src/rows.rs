//! ggml's row types: names, sizes, and decoding of any of them through the engine.

use std::ffi::CStr;

use llama_cpp_sys_2 as sys;

use crate::EngineError;

/// Weights per block of a ggml type; `None` where the engine does not know the id.
pub fn type_block_len(type_id: u32) -> Option<u64> {
    known(type_id)?;
    // SAFETY: the id is below the engine's count.
    let length = unsafe { sys::ggml_blck_size(type_id) };
    u64::try_from(length).ok().filter(|&length| length > 0)
}

/// Bytes per block of a ggml type; `None` where the engine does not know the id.
pub fn type_size(type_id: u32) -> Option<u64> {
    type_block_len(type_id)?;
    // SAFETY: the id is below the engine's count.
    Some(unsafe { sys::ggml_type_size(type_id) } as u64)
}

/// The engine's name of a ggml type, e.g. `q4_K`.
pub fn type_name(type_id: u32) -> Option<String> {
    type_block_len(type_id)?;
    // SAFETY: the id is below the engine's count; the name is static.
    let name = unsafe { CStr::from_ptr(sys::ggml_type_name(type_id)) };
    Some(name.to_string_lossy().into_owned())
}

/// Decodes one or more rows of a ggml type to f32, as the engine itself reads them.
///
/// # Errors
/// An unknown type, one without a decoder, or `bytes` that do not hold `out.len()` weights.
pub fn row_to_f32(type_id: u32, bytes: &[u8], out: &mut [f32]) -> Result<(), EngineError> {
    let (Some(block_len), Some(block_bytes)) = (type_block_len(type_id), type_size(type_id)) else {
        return Err(EngineError::Row(format!("the engine knows no ggml type {type_id}")));
    };
    let blocks = out.len() as u64 / block_len;
    if blocks * block_len != out.len() as u64 || blocks * block_bytes != bytes.len() as u64 {
        return Err(EngineError::Row(format!(
            "{} bytes of ggml type {type_id} do not hold {} weights",
            bytes.len(),
            out.len()
        )));
    }
    // SAFETY: the id is below the engine's count, and the traits are static.
    let traits = unsafe { &*sys::ggml_get_type_traits(type_id) };
    if type_id == sys::GGML_TYPE_F32 {
        for (value, raw) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*raw);
        }
        return Ok(());
    }
    let to_float = traits
        .to_float
        .ok_or_else(|| EngineError::Row(format!("ggml type {type_id} holds no weights")))?;
    // Blocks begin with 16-bit fields; a copy makes the alignment certain.
    let aligned: Vec<u64> = bytes
        .chunks(8)
        .map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        })
        .collect();
    // SAFETY: the input holds `blocks` whole blocks and the output as many weights.
    unsafe { to_float(aligned.as_ptr().cast(), out.as_mut_ptr(), out.len() as i64) };
    Ok(())
}

fn known(type_id: u32) -> Option<()> {
    (type_id < sys::GGML_TYPE_COUNT).then_some(())
}
