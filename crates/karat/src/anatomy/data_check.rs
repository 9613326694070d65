//! Scans tensor data for numbers that no weight can have: NaN and infinities, as weights or as
//! scales of blocks. Reads what is mapped, block by block; decodes no weight.

use karat_gguf::{BlockFloat, FloatClass, FloatFormat, FloatRole, GgmlType, Gguf};
use serde::Serialize;

use super::mix::NamedTensor;
use super::oddity::{Oddity, count, note, some_of, warning};
use super::shown::name_text;

/// Bytes between two reports of progress, about.
const CHUNK_BYTES: u64 = 8 << 20;

/// What the scan of all tensors found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DataCheck {
    /// Tensors that were scanned.
    pub tensors: u64,
    /// Tensors of integers, which cannot be anything but finite.
    pub skipped: u64,
    /// Bytes that were scanned.
    pub bytes: u64,
    /// Scales that were looked at.
    pub scales: u64,
    /// Tensors in which something was found, in file order.
    pub found: Vec<TensorFaults>,
}

/// What was found in one tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TensorFaults {
    /// Its name.
    pub tensor: String,
    /// ggml's name of its type.
    pub r#type: &'static str,
    /// Length of its rows.
    pub row_len: u64,
    /// Numbers stored as NaN: weights, or scales and minima of blocks.
    pub nan: u64,
    /// Numbers stored as infinite.
    pub infinite: u64,
    /// Weights that these numbers are, or that belong to their blocks.
    pub weights: u64,
    /// The first such weight, counted through the tensor from 0; of a block its first weight.
    pub first_weight: Option<u64>,
    /// Scales of zero: every weight of the block, or of its part, is the same.
    pub zero_scales: u64,
    /// Scales that are subnormal numbers of their format, and so keep fewer digits.
    pub subnormal_scales: u64,
}

impl TensorFaults {
    /// Whether a number is NaN or infinite.
    pub fn is_broken(&self) -> bool {
        self.nan + self.infinite > 0
    }

    /// Takes in whole blocks of type `ty`, the first of which starts at weight `first_weight`.
    fn observe(&mut self, ty: GgmlType, blocks: &[u8], first_weight: u64) {
        if let [float] = ty.floats()
            && float.role == FloatRole::Weight
            && all_finite(float.format, blocks)
        {
            return;
        }
        for (idx, block) in blocks.chunks_exact(ty.block_bytes() as usize).enumerate() {
            let (nan, infinite) = (self.nan, self.infinite);
            for float in ty.floats() {
                self.count(*float, block);
            }
            if (nan, infinite) != (self.nan, self.infinite) {
                self.weights += ty.block_len();
                let weight = first_weight + idx as u64 * ty.block_len();
                self.first_weight.get_or_insert(weight);
            }
        }
    }

    fn count(&mut self, float: BlockFloat, block: &[u8]) {
        let class = block.get(float.offset..).and_then(|bytes| float.format.classify(bytes));
        let is_scale = float.role == FloatRole::Scale;
        match class {
            Some(FloatClass::Nan) => self.nan += 1,
            Some(FloatClass::Infinite) => self.infinite += 1,
            Some(FloatClass::Zero) if is_scale => self.zero_scales += 1,
            Some(FloatClass::Subnormal) if is_scale => self.subnormal_scales += 1,
            _ => {}
        }
    }
}

/// Whether no number of a run of plain ones has all bits of its exponent set, which is what NaN and
/// infinities have. A loop that a compiler turns into SIMD: files of full precision are large.
fn all_finite(format: FloatFormat, bytes: &[u8]) -> bool {
    fn none<const N: usize>(bytes: &[u8], is_set: impl Fn([u8; N]) -> bool) -> bool {
        // No early end: that would keep the loop from being vectorised.
        !bytes.as_chunks::<N>().0.iter().fold(false, |found, &number| found | is_set(number))
    }
    match format {
        FloatFormat::F16 => none(bytes, |b| u16::from_le_bytes(b) & 0x7c00 == 0x7c00),
        FloatFormat::BF16 => none(bytes, |b| u16::from_le_bytes(b) & 0x7f80 == 0x7f80),
        FloatFormat::F32 => none(bytes, |b| u32::from_le_bytes(b) & 0x7f80_0000 == 0x7f80_0000),
        _ => false,
    }
}

/// Scans all tensors of a file. `read` is told of every piece, in bytes.
pub fn check_data(gguf: &Gguf, mut read: impl FnMut(u64)) -> DataCheck {
    let mut check = DataCheck::default();
    for tensor in gguf.tensors() {
        let data = gguf.tensor_data(tensor);
        let floats = tensor.ty.floats();
        if floats.is_empty() {
            check.skipped += 1;
            read(tensor.bytes);
            continue;
        }
        let mut faults = TensorFaults {
            tensor: name_text(&tensor.name),
            r#type: tensor.ty.name(),
            row_len: tensor.row_len(),
            ..TensorFaults::default()
        };
        let (block_bytes, block_len) = (tensor.ty.block_bytes(), tensor.ty.block_len());
        let chunk_blocks = CHUNK_BYTES / block_bytes;
        let chunks = data.chunks((chunk_blocks * block_bytes) as usize);
        for (idx, chunk) in chunks.enumerate() {
            faults.observe(tensor.ty, chunk, idx as u64 * chunk_blocks * block_len);
            read(chunk.len() as u64);
        }
        let n_scales = floats.iter().filter(|float| float.role == FloatRole::Scale).count() as u64;
        check.tensors += 1;
        check.bytes += tensor.bytes;
        check.scales += n_scales * (tensor.bytes / block_bytes);
        if faults.is_broken() || faults.zero_scales + faults.subnormal_scales > 0 {
            check.found.push(faults);
        }
    }
    check
}

/// What a scan's result means for the reader.
pub fn data_oddities(check: &DataCheck, embedding: Option<&NamedTensor>) -> Vec<Oddity> {
    let names = |is_one: fn(&TensorFaults) -> bool| -> Vec<String> {
        check.found.iter().filter(|found| is_one(found)).map(|found| found.tensor.clone()).collect()
    };
    let sum = |number: fn(&TensorFaults) -> u64| check.found.iter().map(number).sum::<u64>();
    let mut oddities = Vec::new();
    let broken = names(TensorFaults::is_broken);
    if !broken.is_empty() {
        oddities.push(warning(
            "not_finite",
            format!(
                "{} with NaN or infinite numbers ({}), {} weights in all: the model computes \
                 nonsense where they take part",
                count(broken.len(), "tensor"),
                some_of(&broken, 3),
                sum(|found| found.weights)
            ),
        ));
    }
    let subnormal = names(|found| found.subnormal_scales > 0);
    if !subnormal.is_empty() {
        oddities.push(note(
            "subnormal_scales",
            format!(
                "{} of {} scales are subnormal numbers ({}): they keep fewer digits than the \
                 others",
                sum(|found| found.subnormal_scales),
                check.scales,
                some_of(&subnormal, 3)
            ),
        ));
    }
    let zero = names(|found| found.zero_scales > 0);
    if !zero.is_empty() {
        let only_embedding = embedding.is_some_and(|embedding| zero == [embedding.name.clone()]);
        let meaning = if only_embedding {
            "tokens that were never trained, maybe"
        } else {
            "weights of zero"
        };
        oddities.push(note(
            "zero_scales",
            format!(
                "{} of {} scales are zero ({}): {meaning}",
                sum(|found| found.zero_scales),
                check.scales,
                some_of(&zero, 3)
            ),
        ));
    }
    oddities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ty: GgmlType, n_blocks: usize, change: (usize, &[u8]), want: (u64, u64, u64, u64)) {
        let mut bytes = vec![0x3c; n_blocks * ty.block_bytes() as usize];
        bytes[change.0..][..change.1.len()].copy_from_slice(change.1);
        let mut faults = TensorFaults::default();
        faults.observe(ty, &bytes, 1000);
        let first = faults.first_weight.unwrap_or_default();
        assert_eq!((faults.nan, faults.infinite, faults.weights, first), want);
    }

    #[test]
    fn plain_numbers_are_counted_one_by_one() {
        check(GgmlType::F32, 40, (12, &f32::NAN.to_le_bytes()), (1, 0, 1, 1003));
        check(GgmlType::F16, 40, (78, &[0x00, 0xfc]), (0, 1, 1, 1039));
        check(GgmlType::BF16, 40, (0, &[0x80, 0x7f]), (0, 1, 1, 1000));
        check(GgmlType::F64, 40, (8, &f64::INFINITY.to_le_bytes()), (0, 1, 1, 1001));
        check(GgmlType::F32, 40, (0, &[0; 4]), (0, 0, 0, 0));
    }

    #[test]
    fn a_scale_spoils_its_block() {
        check(GgmlType::Q4_0, 3, (18, &[0x00, 0x7c]), (0, 1, 32, 1032));
        check(GgmlType::Q2_K, 2, (84 + 82, &[0x01, 0xfc]), (1, 0, 256, 1256));
        check(GgmlType::Q6_K, 1, (208, &[0xff, 0x7f]), (1, 0, 256, 1000));
        check(GgmlType::MXFP4, 2, (17, &[255]), (1, 0, 32, 1032));
    }

    #[test]
    fn codes_that_look_like_infinity_are_not_counted() {
        check(GgmlType::Q4_0, 1, (2, &[0x00, 0x7c]), (0, 0, 0, 0));
        check(GgmlType::Q6_K, 1, (0, &[0xff; 208]), (0, 0, 0, 0));
    }
}
