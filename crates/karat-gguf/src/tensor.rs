//! The tensor table: one entry per tensor, and the checks that each lies inside the file, on
//! its alignment, and on no other. It never touches tensor data.

use crate::cursor::{Cursor, Place};
use crate::error::{HeaderError, shown};
use crate::ggml_type::GgmlType;

/// Fewest bytes of a table entry: name length, dimension count, one dimension, type, offset.
const ENTRY_MIN_BYTES: u64 = 8 + 4 + 8 + 4 + 8;
/// `GGML_MAX_DIMS` of ggml.
const MAX_DIMS: u32 = 4;

/// A tensor of a GGUF file: what it is and where its data lies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tensor {
    /// Name, unique in the file.
    pub name: String,
    /// One to four lengths in ggml's order: `dims[0]` is the length of a row, the dimension
    /// whose elements lie next to each other. None is 0.
    pub dims: Vec<u64>,
    /// Type of the stored values.
    pub ty: GgmlType,
    /// Which part of the file holds the data: an index into [`crate::Gguf::parts`].
    pub part: usize,
    /// Where the data starts, in bytes from the start of the part's file.
    pub offset: u64,
    /// Length of the data in bytes, without padding.
    pub bytes: u64,
}

impl Tensor {
    /// Number of elements.
    pub fn elements(&self) -> u64 {
        self.dims.iter().product()
    }

    /// Elements of a row: `dims[0]`.
    pub fn row_len(&self) -> u64 {
        self.dims[0]
    }

    /// Number of rows, over all dimensions but the first.
    pub fn rows(&self) -> u64 {
        self.dims[1..].iter().product()
    }
}

/// Reads `count` table entries; their offsets still count from the start of the data.
pub(crate) fn read_table(cursor: &mut Cursor, count: u64) -> Result<Vec<Tensor>, HeaderError> {
    cursor.room(count, ENTRY_MIN_BYTES, Place::TensorCount)?;
    (0..count).map(|index| read_entry(cursor, index)).collect()
}

fn read_entry(cursor: &mut Cursor, index: u64) -> Result<Tensor, HeaderError> {
    let name = cursor.utf8(Place::TensorName(index))?;
    let place = Place::Tensor(name);
    let n_dims = cursor.u32(place)?;
    if !(1..=MAX_DIMS).contains(&n_dims) {
        return Err(HeaderError::DimensionCount { tensor: shown(name), n_dims });
    }
    let dims = (0..n_dims).map(|_| cursor.u64(place)).collect::<Result<Vec<_>, _>>()?;
    let ty = GgmlType::from_id(cursor.u32(place)?)
        .map_err(|fault| HeaderError::TensorType { tensor: shown(name), fault })?;
    let bytes = data_bytes(name, &dims, ty)?;
    let offset = cursor.u64(place)?;
    Ok(Tensor { name: name.to_owned(), dims, ty, part: 0, offset, bytes })
}

/// Bytes that a tensor of this shape and type takes.
fn data_bytes(name: &str, dims: &[u64], ty: GgmlType) -> Result<u64, HeaderError> {
    if dims.contains(&0) {
        return Err(HeaderError::ZeroDimension { tensor: shown(name), shape: format!("{dims:?}") });
    }
    let (row_len, block) = (dims[0], ty.block_len());
    if !row_len.is_multiple_of(block) {
        return Err(HeaderError::BrokenBlock { tensor: shown(name), ty, row_len, block });
    }
    // The element count is checked on its own: a block can be smaller than its elements are many.
    // The engine counts elements in a signed 64-bit number.
    let elements = dims.iter().try_fold(1_u64, |n, &dim| n.checked_mul(dim));
    elements.filter(|&n| i64::try_from(n).is_ok()).and_then(|n| ty.row_bytes(n)).ok_or_else(|| {
        HeaderError::ShapeOverflow { tensor: shown(name), shape: format!("{dims:?}") }
    })
}

/// Turns offsets into positions in a file of `file_bytes` whose data starts at `data_start`,
/// and checks them.
pub(crate) fn place_data(
    tensors: &mut [Tensor],
    data_start: u64,
    alignment: u64,
    file_bytes: u64,
) -> Result<(), HeaderError> {
    for tensor in &mut *tensors {
        if !tensor.offset.is_multiple_of(alignment) {
            let (tensor, offset) = (shown(&tensor.name), tensor.offset);
            return Err(HeaderError::Unaligned { tensor, offset, alignment });
        }
        let at = data_start.saturating_add(tensor.offset);
        if at.checked_add(tensor.bytes).is_none_or(|end| end > file_bytes) {
            let (tensor, bytes) = (shown(&tensor.name), tensor.bytes);
            return Err(HeaderError::OutsideFile { tensor, at, bytes, end: file_bytes });
        }
        tensor.offset = at;
    }
    let mut by_offset: Vec<&Tensor> = tensors.iter().collect();
    by_offset.sort_by_key(|tensor| tensor.offset);
    match by_offset.windows(2).find(|w| w[0].offset + w[0].bytes > w[1].offset) {
        Some(w) => Err(HeaderError::Overlap {
            first: shown(&w[0].name),
            second: shown(&w[1].name),
            at: w[1].offset,
        }),
        None => Ok(()),
    }
}

/// Indices of `tensors` sorted by name; `Err` is the index of one whose name came before.
pub(crate) fn index_by_name(tensors: &[Tensor]) -> Result<Vec<usize>, usize> {
    let mut by_name: Vec<usize> = (0..tensors.len()).collect();
    by_name.sort_by(|&i, &j| tensors[i].name.cmp(&tensors[j].name));
    match by_name.windows(2).find(|w| tensors[w[0]].name == tensors[w[1]].name) {
        Some(twins) => Err(twins[1]),
        None => Ok(by_name),
    }
}
