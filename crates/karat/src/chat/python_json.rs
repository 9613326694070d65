//! Values as Python's `json.dumps` writes them. Pure text; knows nothing of templates.

use std::fmt::Write as _;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

/// How deep values may nest.
const DEEPEST: usize = 200;

/// Arguments of `json.dumps`.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// Everything beyond ASCII as `\uXXXX`.
    pub ensure_ascii: bool,
    /// Put in front of each level, on a line of its own; `None` writes one line.
    pub indent: Option<String>,
    /// Between items, and between key and value.
    pub separators: Option<(String, String)>,
    /// Keys in order of their text.
    pub sort_keys: bool,
}

/// `value` as JSON. Each value written costs the template work, because one that holds itself many
/// times over is small in memory and endless in writing.
///
/// Source: CPython 3.12, `Lib/json/encoder.py`.
pub(super) fn dumps(state: &State<'_, '_>, value: &Value, style: &Style) -> Result<String, Error> {
    let default_item = if style.indent.is_some() { "," } else { ", " };
    let (item, key) = match &style.separators {
        Some((item, key)) => (item.as_str(), key.as_str()),
        None => (default_item, ": "),
    };
    let mut writer = Writer { text: String::new(), state, style, item, key };
    writer.value(value, 0)?;
    Ok(writer.text)
}

struct Writer<'s> {
    text: String,
    state: &'s State<'s, 's>,
    style: &'s Style,
    item: &'s str,
    key: &'s str,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "tojson: the value nests too deep",
            ));
        }
        let length = value.as_str().map_or(0, str::len);
        self.state.consume_fuel(1 + length as u64 / 64)?;
        match value.kind() {
            ValueKind::None => self.text.push_str("null"),
            ValueKind::Bool => self.text.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.number(value),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => self.list(value, depth)?,
            ValueKind::Map => self.map(value, depth)?,
            kind => {
                let detail = format!("tojson: a value of type {kind} has no JSON form");
                return Err(Error::new(ErrorKind::InvalidOperation, detail));
            }
        }
        Ok(())
    }

    fn number(&mut self, value: &Value) {
        let text = value.to_string();
        // Python writes the exponent of a float with its sign and at least two digits.
        match text.split_once('e') {
            Some((digits, exponent)) => {
                let (sign, digits_of) = match exponent.strip_prefix('-') {
                    Some(rest) => ('-', rest),
                    None => ('+', exponent.trim_start_matches('+')),
                };
                let _ = write!(self.text, "{digits}e{sign}{digits_of:0>2}");
            }
            None => self.text.push_str(&text),
        }
    }

    fn list(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let mut is_empty = true;
        self.text.push('[');
        for item in value.try_iter()? {
            self.next(&mut is_empty, depth + 1);
            self.value(&item, depth + 1)?;
        }
        self.close(']', is_empty, depth);
        Ok(())
    }

    fn map(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let mut keys: Vec<Value> = value.try_iter()?.collect();
        if self.style.sort_keys {
            keys.sort();
        }
        let mut is_empty = true;
        self.text.push('{');
        for key in keys {
            self.next(&mut is_empty, depth + 1);
            if let Some(text) = key.as_str() {
                self.string(text);
            } else {
                let mut inner = Writer { text: String::new(), ..*self };
                inner.value(&key, DEEPEST)?;
                let text = inner.text;
                self.string(&text);
            }
            self.text.push_str(self.key);
            self.value(&value.get_item(&key)?, depth + 1)?;
        }
        self.close('}', is_empty, depth);
        Ok(())
    }

    /// Begins an item of a list or map.
    fn next(&mut self, is_first: &mut bool, depth: usize) {
        if !std::mem::replace(is_first, false) {
            self.text.push_str(self.item);
        }
        self.line(depth);
    }

    fn close(&mut self, bracket: char, is_empty: bool, depth: usize) {
        if !is_empty {
            self.line(depth);
        }
        self.text.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = &self.style.indent {
            self.text.push('\n');
            for _ in 0..depth {
                self.text.push_str(indent);
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                c if c < ' ' || (self.style.ensure_ascii && c > '~') => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let _ = write!(self.text, "\\u{unit:04x}");
                    }
                }
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }
}
