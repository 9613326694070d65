//! Text from bytes that arrive in pieces: a character may be split between two.

/// Bytes that are not yet a character.
#[derive(Clone, Debug, Default)]
pub struct Utf8Stream {
    rest: Vec<u8>,
}

impl Utf8Stream {
    /// The text that is complete with these bytes; what is no UTF-8 becomes U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let bytes = std::mem::take(&mut self.rest);
        let mut text = String::with_capacity(bytes.len());
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            // Only the last bytes of all can be a character that has just begun.
            let may_grow = chunks.peek().is_none() && begins_a_character(invalid);
            if may_grow {
                self.rest = invalid.to_vec();
            } else {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> &'static str {
        let is_empty = std::mem::take(&mut self.rest).is_empty();
        if is_empty { "" } else { "\u{fffd}" }
    }
}

/// Whether more bytes could make it one.
fn begins_a_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(pieces: &[&[u8]]) -> String {
        let mut stream = Utf8Stream::default();
        let mut text: String = pieces.iter().map(|piece| stream.push(piece)).collect();
        text.push_str(stream.finish());
        text
    }

    #[test]
    fn a_character_waits_for_its_last_byte() {
        let mut stream = Utf8Stream::default();
        assert_eq!(stream.push(&[b'a', 0xf0, 0x9f]), "a");
        assert_eq!(stream.push(&[0x99]), "");
        assert_eq!(stream.push(&[0x82, b'b']), "🙂b");
        assert_eq!(stream.finish(), "");
    }

    #[test]
    fn what_never_becomes_a_character_is_replaced() {
        assert_eq!(joined(&[&[0xc4], b"b"]), "\u{fffd}b");
        assert_eq!(joined(&[&[0xff, 0xc4]]), "\u{fffd}\u{fffd}");
    }

    proptest! {
        #[test]
        fn text_does_not_depend_on_how_it_was_cut(text in "\\PC*", at in 0usize..64) {
            let at = at.min(text.len());
            prop_assert_eq!(joined(&[&text.as_bytes()[..at], &text.as_bytes()[at..]]), text);
        }
    }
}
