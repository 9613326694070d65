//! The key-value pairs of a GGUF file, in file order and by key. It never gives a key a meaning.

use crate::Value;
use crate::value::StringList;

/// The metadata of a GGUF file: its keys, each once, in file order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    pairs: Vec<(String, Value)>,
    /// Indices into `pairs`, sorted by key.
    by_key: Vec<usize>,
}

impl Metadata {
    /// Indexes the pairs; `Err` is a key that is there twice.
    pub(crate) fn new(mut pairs: Vec<(String, Value)>) -> Result<Self, String> {
        let mut by_key: Vec<usize> = (0..pairs.len()).collect();
        by_key.sort_by(|&i, &j| pairs[i].0.cmp(&pairs[j].0));
        match by_key.array_windows().find(|&&[i, j]| pairs[i].0 == pairs[j].0) {
            Some(&[_, twin]) => Err(pairs.swap_remove(twin).0),
            None => Ok(Self { pairs, by_key }),
        }
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Keys and values in file order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of `key`, where the file has the key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let found = self.by_key.binary_search_by(|&i| self.pairs[i].0.as_str().cmp(key)).ok()?;
        Some(&self.pairs[self.by_key[found]].1)
    }

    /// [`Value::as_str`] of `key`; `None` also where the key is missing.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// [`Value::as_u64`] of `key`; `None` also where the key is missing.
    pub fn get_u64(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    /// [`Value::as_i64`] of `key`; `None` also where the key is missing.
    pub fn get_i64(&self, key: &str) -> Option<i64> {
        self.get(key)?.as_i64()
    }

    /// [`Value::as_f64`] of `key`; `None` also where the key is missing.
    pub fn get_f64(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_f64()
    }

    /// [`Value::as_bool`] of `key`; `None` also where the key is missing.
    pub fn get_bool(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    /// [`Value::as_strings`] of `key`; `None` also where the key is missing.
    pub fn get_strings(&self, key: &str) -> Option<&StringList> {
        self.get(key)?.as_strings()
    }
}
