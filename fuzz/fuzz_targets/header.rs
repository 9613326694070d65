//! Fuzz target: arbitrary bytes as a GGUF file. Parsing must end in a header or an error, and
//! whatever the header then says must hold: every accessor is called, every tensor's data is
//! inside the bytes, every row decodes or is refused.
#![no_main]

use karat_gguf::decode::{DecodeError, decode_row};
use karat_gguf::{GgmlType, Gguf, Header, Tensor};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Gguf::parse(bytes) {
        Ok(header) => check_header(&header, bytes),
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains(char::is_control), "more than one plain line: {line:?}");
        }
    }
});

fn check_header(header: &Header, bytes: &[u8]) {
    assert!(matches!(header.version(), 2 | 3));
    assert!(header.alignment().is_power_of_two());
    let metadata = header.metadata();
    assert_eq!(metadata.iter().len(), metadata.len());
    for (key, value) in metadata.iter() {
        // A value can be a NaN, which equals nothing: compare addresses.
        assert!(metadata.get(key).is_some_and(|found| std::ptr::eq(found, value)));
        metadata.get_str(key);
        metadata.get_u64(key);
        metadata.get_i64(key);
        metadata.get_f64(key);
        metadata.get_bool(key);
        if let Some(strings) = metadata.get_strings(key) {
            assert!(strings.iter().enumerate().all(|(i, s)| strings.get(i) == Some(s)));
            assert_eq!(strings.get(strings.len()), None);
        }
        if let Some(array) = value.as_array() {
            assert_eq!(array.is_empty(), array.len() == 0);
            array.element_type();
        }
        let _ = format!("{value:?}");
    }
    header.architecture();
    if let Some(vocabulary) = header.vocabulary() {
        let mut fed = 0;
        vocabulary.feed_digest(|piece| fed += piece.len());
        assert_eq!(fed, vocabulary.iter().map(|token| token.len() + 8).sum());
    }
    let tensors = header.tensors();
    assert_eq!(header.type_counts().values().sum::<usize>(), tensors.len());
    assert_eq!(header.bits_per_weight().is_some(), !tensors.is_empty());
    for tensor in tensors {
        assert_eq!(header.tensor(&tensor.name), Some(tensor));
        check_tensor(tensor, bytes);
    }
}

fn check_tensor(tensor: &Tensor, bytes: &[u8]) {
    assert_eq!(tensor.rows() * tensor.row_len(), tensor.elements());
    let data = &bytes[tensor.offset as usize..][..tensor.bytes as usize];
    // No type stores more than eight elements in a byte, so that the row stays small.
    let mut row = vec![0.0; tensor.row_len() as usize];
    let row_bytes = data.len() / tensor.rows() as usize;
    let decoded = decode_row(tensor.ty, &data[..row_bytes], &mut row);
    let simple = [GgmlType::F32, GgmlType::F16, GgmlType::BF16, GgmlType::Q4_0, GgmlType::Q8_0];
    if simple.contains(&tensor.ty) {
        assert_eq!(decoded, Ok(()));
    } else {
        assert_eq!(decoded, Err(DecodeError::Unsupported { ty: tensor.ty }));
    }
}
