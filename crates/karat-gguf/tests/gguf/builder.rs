//! Builds GGUF files in memory, right or wrong in any one place. It checks nothing.

use karat_gguf::{Array, GgmlType, Value};

/// A file to build: version 3, no keys, no tensors, unless changed.
#[derive(Clone)]
pub struct File {
    pub version: u32,
    pub alignment: usize,
    pub pairs: Vec<Vec<u8>>,
    pub entries: Vec<Entry>,
    pub data: Vec<u8>,
}

/// An entry of the tensor table, in the widths of the file.
#[derive(Clone)]
pub struct Entry {
    pub name: Vec<u8>,
    pub dims: Vec<u64>,
    pub ty: u32,
    pub offset: u64,
}

impl File {
    pub fn new() -> Self {
        Self { version: 3, alignment: 32, pairs: vec![], entries: vec![], data: vec![] }
    }

    /// Adds a key with its value.
    pub fn pair(self, key: &str, value: &Value) -> Self {
        self.raw_pair(key.as_bytes(), value.value_type().id(), &value_bytes(value))
    }

    /// Adds a key with a value that is given by its type id and bytes.
    pub fn raw_pair(mut self, key: &[u8], ty: u32, value: &[u8]) -> Self {
        self.pairs.push([string(key), ty.to_le_bytes().to_vec(), value.to_vec()].concat());
        self
    }

    /// Adds a tensor with its data, aligned, behind the tensors before it.
    pub fn tensor(mut self, name: &str, ty: GgmlType, dims: &[u64], data: &[u8]) -> Self {
        self.data.resize(self.data.len().next_multiple_of(self.alignment), 0);
        let offset = self.data.len() as u64;
        self.data.extend_from_slice(data);
        let (name, dims) = (name.as_bytes().to_vec(), dims.to_vec());
        self.entry(Entry { name, dims, ty: ty.id(), offset })
    }

    /// Adds an entry to the tensor table, whatever the data.
    pub fn entry(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.head_bytes();
        if !self.entries.is_empty() {
            out.resize(out.len().next_multiple_of(self.alignment), 0);
            out.extend_from_slice(&self.data);
        }
        out
    }

    /// Everything before the padding and the data.
    pub fn head_bytes(&self) -> Vec<u8> {
        let mut out = start(self.version, self.entries.len() as u64, self.pairs.len() as u64);
        out.extend(self.pairs.concat());
        for entry in &self.entries {
            out.extend(string(&entry.name));
            out.extend((entry.dims.len() as u32).to_le_bytes());
            out.extend(entry.dims.iter().flat_map(|dim| dim.to_le_bytes()));
            out.extend(entry.ty.to_le_bytes());
            out.extend(entry.offset.to_le_bytes());
        }
        out
    }
}

/// Magic, version and counts.
pub fn start(version: u32, n_tensors: u64, n_pairs: u64) -> Vec<u8> {
    let mut out = b"GGUF".to_vec();
    out.extend(version.to_le_bytes());
    out.extend(n_tensors.to_le_bytes());
    out.extend(n_pairs.to_le_bytes());
    out
}

/// A string as stored: length, then bytes.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u64).to_le_bytes(), bytes].concat()
}

/// Element type and count, as an array starts.
pub fn array_start(element: u32, count: u64) -> Vec<u8> {
    [element.to_le_bytes().as_slice(), &count.to_le_bytes()].concat()
}

/// A value as stored, without its type id.
pub fn value_bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::U8(v) => v.to_le_bytes().to_vec(),
        Value::I8(v) => v.to_le_bytes().to_vec(),
        Value::U16(v) => v.to_le_bytes().to_vec(),
        Value::I16(v) => v.to_le_bytes().to_vec(),
        Value::U32(v) => v.to_le_bytes().to_vec(),
        Value::I32(v) => v.to_le_bytes().to_vec(),
        Value::F32(v) => v.to_le_bytes().to_vec(),
        Value::Bool(v) => vec![u8::from(*v)],
        Value::String(v) => string(v.as_bytes()),
        Value::Array(v) => array_bytes(v),
        Value::U64(v) => v.to_le_bytes().to_vec(),
        Value::I64(v) => v.to_le_bytes().to_vec(),
        Value::F64(v) => v.to_le_bytes().to_vec(),
    }
}

/// An array as stored: element type, count, elements.
pub fn array_bytes(array: &Array) -> Vec<u8> {
    let mut out = array_start(array.element_type().id(), array.len() as u64);
    match array {
        Array::U8(v) => out.extend(v),
        Array::I8(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::U16(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::I16(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::U32(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::I32(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::F32(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::Bool(v) => out.extend(v.iter().map(|&v| u8::from(v))),
        Array::String(v) => out.extend(v.iter().flat_map(string)),
        Array::Array(v) => out.extend(v.iter().flat_map(array_bytes)),
        Array::U64(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::I64(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
        Array::F64(v) => out.extend(v.iter().flat_map(|v| v.to_le_bytes())),
    }
    out
}
