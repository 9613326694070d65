//! Reads metadata values from the bytes of a header. Lengths are checked against the bytes
//! that remain before anything is allocated; what is allocated stays within a small multiple
//! of the bytes read.

use crate::cursor::{Cursor, Place};
use crate::error::HeaderError;
use crate::value::{Array, StringList, Text, Value, ValueType};

/// How deep arrays may nest: `[[1, 2], [3]]` is 2. The engine itself accepts 1.
pub(crate) const NESTING_LIMIT: u32 = 8;

/// Reads a value type and a value of that type.
pub(crate) fn read_value(cursor: &mut Cursor, place: Place) -> Result<Value, HeaderError> {
    Ok(match read_type(cursor, place)? {
        ValueType::U8 => Value::U8(u8::from_le_bytes(cursor.fixed(place)?)),
        ValueType::I8 => Value::I8(i8::from_le_bytes(cursor.fixed(place)?)),
        ValueType::U16 => Value::U16(u16::from_le_bytes(cursor.fixed(place)?)),
        ValueType::I16 => Value::I16(i16::from_le_bytes(cursor.fixed(place)?)),
        ValueType::U32 => Value::U32(u32::from_le_bytes(cursor.fixed(place)?)),
        ValueType::I32 => Value::I32(i32::from_le_bytes(cursor.fixed(place)?)),
        ValueType::F32 => Value::F32(f32::from_le_bytes(cursor.fixed(place)?)),
        ValueType::U64 => Value::U64(u64::from_le_bytes(cursor.fixed(place)?)),
        ValueType::I64 => Value::I64(i64::from_le_bytes(cursor.fixed(place)?)),
        ValueType::F64 => Value::F64(f64::from_le_bytes(cursor.fixed(place)?)),
        ValueType::Bool => {
            let [byte] = cursor.fixed(place)?;
            Value::Bool(as_bool(byte, place)?)
        }
        ValueType::String => Value::String(Text(cursor.string(place)?.into())),
        ValueType::Array => Value::Array(read_array(cursor, place, 1)?),
    })
}

/// Reads an array, at nesting level `depth`, from its element type on.
fn read_array(cursor: &mut Cursor, place: Place, depth: u32) -> Result<Array, HeaderError> {
    let ty = read_type(cursor, place)?;
    let count = cursor.u64(place)?;
    cursor.room(count, ty.min_bytes(), place)?;
    Ok(match ty {
        ValueType::U8 => Array::U8(cursor.take(count, place)?.to_vec()),
        ValueType::I8 => Array::I8(numbers(cursor, count, place, i8::from_le_bytes)?),
        ValueType::U16 => Array::U16(numbers(cursor, count, place, u16::from_le_bytes)?),
        ValueType::I16 => Array::I16(numbers(cursor, count, place, i16::from_le_bytes)?),
        ValueType::U32 => Array::U32(numbers(cursor, count, place, u32::from_le_bytes)?),
        ValueType::I32 => Array::I32(numbers(cursor, count, place, i32::from_le_bytes)?),
        ValueType::F32 => Array::F32(numbers(cursor, count, place, f32::from_le_bytes)?),
        ValueType::U64 => Array::U64(numbers(cursor, count, place, u64::from_le_bytes)?),
        ValueType::I64 => Array::I64(numbers(cursor, count, place, i64::from_le_bytes)?),
        ValueType::F64 => Array::F64(numbers(cursor, count, place, f64::from_le_bytes)?),
        ValueType::Bool => {
            let bytes = cursor.take(count, place)?;
            Array::Bool(bytes.iter().map(|&b| as_bool(b, place)).collect::<Result<_, _>>()?)
        }
        ValueType::String => Array::String(strings(cursor, count, place)?),
        ValueType::Array if depth == NESTING_LIMIT => {
            return Err(HeaderError::Nesting { place: place.to_string(), limit: NESTING_LIMIT });
        }
        ValueType::Array => Array::Array(
            (0..count).map(|_| read_array(cursor, place, depth + 1)).collect::<Result<_, _>>()?,
        ),
    })
}

/// Reads `count` numbers of `N` bytes; the caller has checked that they are there.
fn numbers<T, const N: usize>(
    cursor: &mut Cursor,
    count: u64,
    place: Place,
    number: fn([u8; N]) -> T,
) -> Result<Vec<T>, HeaderError> {
    let bytes = cursor.take(count * N as u64, place)?;
    Ok(bytes.as_chunks::<N>().0.iter().map(|&b| number(b)).collect())
}

/// Reads `count` strings into one buffer.
fn strings(cursor: &mut Cursor, count: u64, place: Place) -> Result<StringList, HeaderError> {
    let mut list = StringList::with_capacity(count as usize);
    for _ in 0..count {
        list.push(cursor.string(place)?);
    }
    Ok(list)
}

fn as_bool(byte: u8, place: Place) -> Result<bool, HeaderError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(HeaderError::Bool { place: place.to_string(), byte }),
    }
}

fn read_type(cursor: &mut Cursor, place: Place) -> Result<ValueType, HeaderError> {
    let id = cursor.u32(place)?;
    ValueType::from_id(id).ok_or_else(|| HeaderError::ValueType { place: place.to_string(), id })
}
