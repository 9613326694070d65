//! Turns rows of stored values into `f32`, bit for bit as ggml does, for the types that the
//! analysis needs without an engine. It never guesses: every other type is refused by name.

use half::f16;

use crate::GgmlType;

/// Why a row could not be decoded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The type has no decoder in this crate.
    #[error("rows of type {ty} are not decoded here: they go through the engine")]
    Unsupported {
        /// The type asked for.
        ty: GgmlType,
    },
    /// Input and output do not belong together.
    #[error("{elements} elements of type {ty} do not match {bytes} bytes: pass whole rows")]
    Length {
        /// The type asked for.
        ty: GgmlType,
        /// Elements that the output has room for.
        elements: usize,
        /// Bytes that were given.
        bytes: usize,
    },
}

/// Decodes `bytes`, one or more whole rows of type `ty`, into `out`.
///
/// `out` holds exactly the elements that `bytes` stores. Results equal those of ggml's
/// `to_float` of the type to the bit, subnormals, infinities and signed zeros included.
/// Fails where the lengths do not match, and for types other than F32, F16, BF16, Q4_0, Q8_0.
///
/// Source: block layouts `block_q4_0` and `block_q8_0` of ggml.
pub fn decode_row(ty: GgmlType, bytes: &[u8], out: &mut [f32]) -> Result<(), DecodeError> {
    if ty.row_bytes(out.len() as u64) != Some(bytes.len() as u64) {
        return Err(DecodeError::Length { ty, elements: out.len(), bytes: bytes.len() });
    }
    match ty {
        GgmlType::F32 => each(bytes, out, f32::from_le_bytes),
        GgmlType::F16 => each(bytes, out, |b| f16::from_le_bytes(b).to_f32()),
        // Not `half::bf16`: its conversion quiets signalling NaNs, ggml's keeps every bit.
        GgmlType::BF16 => each(bytes, out, |[low, high]| f32::from_le_bytes([0, 0, low, high])),
        GgmlType::Q4_0 => q4_0(bytes, out),
        GgmlType::Q8_0 => q8_0(bytes, out),
        _ => return Err(DecodeError::Unsupported { ty }),
    }
    Ok(())
}

/// Applies `value` to each group of `N` bytes; a shorter tail is left alone.
fn each<const N: usize>(bytes: &[u8], out: &mut [f32], value: impl Fn([u8; N]) -> f32) {
    for (y, &b) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *y = value(b);
    }
}

/// Blocks of 32: an F16 scale d, then 16 bytes; byte i holds element i in its low and element
/// i + 16 in its high half. Value = (code - 8) · d.
fn q4_0(bytes: &[u8], out: &mut [f32]) {
    let blocks = bytes.as_chunks::<18>().0;
    for (y, [d0, d1, codes @ ..]) in out.as_chunks_mut::<32>().0.iter_mut().zip(blocks) {
        let d = f16::from_le_bytes([*d0, *d1]).to_f32();
        let (first, second) = y.split_at_mut(16);
        for ((lo, hi), &pair) in first.iter_mut().zip(second).zip(codes) {
            *lo = (f32::from(pair & 0x0f) - 8.0) * d;
            *hi = (f32::from(pair >> 4) - 8.0) * d;
        }
    }
}

/// Blocks of 32: an F16 scale d, then 32 signed bytes. Value = code · d.
fn q8_0(bytes: &[u8], out: &mut [f32]) {
    let blocks = bytes.as_chunks::<34>().0;
    for (y, [d0, d1, codes @ ..]) in out.as_chunks_mut::<32>().0.iter_mut().zip(blocks) {
        let d = f16::from_le_bytes([*d0, *d1]).to_f32();
        for (v, &code) in y.iter_mut().zip(codes) {
            *v = f32::from(code.cast_signed()) * d;
        }
    }
}
