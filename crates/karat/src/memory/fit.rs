//! What fits a graphics card: with which context, or with how many layers. Searches predictions; adds
//! no knowledge of its own.

use karat_gguf::Tensor;

use super::MemoryError;
use super::predict::{DeviceBytes, Prediction, Request, predict};
use super::shape::Shape;

/// Contexts are offered in steps of what caches are padded to.
const STEP: u32 = 256;

/// Longest context that is tried where the header names no trained length.
const MOST_CTX: u32 = 1 << 20;

/// The memory there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Of the card, in bytes.
    pub vram: u64,
    /// Of that, bytes that the engine's buffers do not get: the driver's context, kernels and scratch
    /// space, the desktop.
    pub reserve: u64,
}

impl Room {
    /// Bytes for the engine's buffers.
    pub fn usable(self) -> u64 {
        self.vram.saturating_sub(self.reserve)
    }

    fn holds(self, prediction: &Prediction) -> bool {
        prediction.gpu.checked_total().is_some_and(|bytes| bytes <= self.usable())
    }
}

/// How a model fits with one KV type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// On the card at the context asked for, with every layer there.
    pub gpu: DeviceBytes,
    /// Whether that fits, as far as memory goes.
    pub fits: bool,
    /// Whether the context asked for is longer than the trained one: then nobody would run it, whatever
    /// the memory.
    pub is_beyond_training: bool,
    /// Longest context that fits with every layer on the card, a multiple of 256 up to the trained
    /// length; `None` where not even 256 tokens fit.
    pub largest_ctx: Option<u32>,
    /// Whether the trained length, not the memory, is what ends [`Fit::largest_ctx`].
    pub is_trained_length: bool,
    /// Most layers (the output counted as one) on the card at the context asked for, where not all of
    /// them fit; `None` where all fit, not even one does, or the context is beyond the trained one.
    pub gpu_layers: Option<u32>,
}

/// Finds out how a model fits. `request` says the context asked for, its `gpu_layers` are not read.
///
/// # Errors
/// As [`predict`].
pub fn fit(
    shape: &Shape,
    tensors: &[Tensor],
    request: &Request,
    room: Room,
) -> Result<Fit, MemoryError> {
    let all = Request { gpu_layers: None, ..*request };
    let asked = predict(shape, tensors, &all)?;
    let fits = room.holds(&asked);
    let trained = shape.n_ctx_train.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let is_beyond_training = trained.is_some_and(|most| request.n_ctx > most);
    let most = trained.unwrap_or(MOST_CTX).clamp(STEP, MOST_CTX);
    let with_ctx = |n_ctx| {
        let prediction = predict(shape, tensors, &Request { n_ctx, ..all })?;
        Ok::<bool, MemoryError>(room.holds(&prediction))
    };
    let largest_ctx = largest(most / STEP, |steps| with_ctx(steps * STEP))?.map(|n| n * STEP);
    let n_layers = shape.layers.len() as u32 + 1;
    let gpu_layers = if fits || is_beyond_training {
        None
    } else {
        largest(n_layers - 1, |layers| {
            let some = Request { gpu_layers: Some(layers), ..all };
            Ok(room.holds(&predict(shape, tensors, &some)?))
        })?
    };
    Ok(Fit {
        gpu: asked.gpu,
        fits,
        is_beyond_training,
        largest_ctx,
        is_trained_length: trained.is_some()
            && largest_ctx.is_some_and(|n| n / STEP == most / STEP),
        gpu_layers,
    })
}

/// The largest number from 1 to `most` that holds, where every smaller one holds too.
fn largest(
    most: u32,
    holds: impl Fn(u32) -> Result<bool, MemoryError>,
) -> Result<Option<u32>, MemoryError> {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if holds(middle)? {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok((low > 0).then_some(low))
}
