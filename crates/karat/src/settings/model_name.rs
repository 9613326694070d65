//! What a user calls a model: a file, a model of Ollama's, a model of some other server. Owns the
//! notation; opens nothing and asks nobody.

use std::fmt;
use std::path::PathBuf;

/// A name that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelNameError {
    /// `ollama:` and nothing, or with a space in it.
    #[error(
        "`{0}` names no model of Ollama's; write ollama:NAME or ollama:NAME:TAG, e.g. ollama:gemma3:12b"
    )]
    Ollama(String),
    /// An address without a model.
    #[error("`{0}` names no model; write http://HOST:PORT/v1#MODEL")]
    NoModel(String),
    /// An address that is none.
    #[error("`{0}` is no address of a server; write http://HOST:PORT/v1#MODEL")]
    Address(String),
}

/// A model by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ModelName {
    /// A GGUF file (the first part of a split one).
    File(PathBuf),
    /// A model of Ollama's, e.g. `gemma3:12b` or `hf.co/ORG/REPO:Q4_0`.
    Ollama(String),
    /// A model of a server that speaks OpenAI's chat completions.
    OpenAi {
        /// Address of its API, without a slash at its end, e.g. `http://localhost:8080/v1`.
        base: String,
        /// Its name there.
        model: String,
    },
}

impl ModelName {
    /// Reads a name: `ollama:NAME[:TAG]`, `http(s)://HOST[:PORT]/v1#MODEL`, else a path.
    pub fn parse(text: &str) -> Result<Self, ModelNameError> {
        if let Some(name) = text.strip_prefix("ollama:") {
            let is_name = !name.is_empty() && !name.contains(char::is_whitespace);
            return if is_name {
                Ok(Self::Ollama(name.to_owned()))
            } else {
                Err(ModelNameError::Ollama(text.to_owned()))
            };
        }
        let Some(rest) = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))
        else {
            return Ok(Self::File(PathBuf::from(text)));
        };
        let (address, model) = rest.split_once('#').unwrap_or((rest, ""));
        let host = address.split('/').next().unwrap_or_default();
        if host.is_empty() || address.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(ModelNameError::Address(text.to_owned()));
        }
        if model.is_empty() {
            return Err(ModelNameError::NoModel(text.to_owned()));
        }
        let scheme = &text[..text.len() - rest.len()];
        let base = format!("{scheme}{}", address.trim_end_matches('/'));
        Ok(Self::OpenAi { base, model: model.to_owned() })
    }

    /// The file, where it is one.
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Ollama(_) | Self::OpenAi { .. } => None,
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Ollama(name) => write!(f, "ollama:{name}"),
            Self::OpenAi { base, model } => write!(f, "{base}#{model}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &ModelName) {
        assert_eq!(ModelName::parse(text).as_ref(), Ok(want));
        assert_eq!(ModelName::parse(&want.to_string()).as_ref(), Ok(want), "its own words name it");
    }

    fn ollama(name: &str) -> ModelName {
        ModelName::Ollama(name.to_owned())
    }

    fn server(base: &str, model: &str) -> ModelName {
        ModelName::OpenAi { base: base.to_owned(), model: model.to_owned() }
    }

    #[test]
    fn names_as_people_type_them() {
        check("ollama:gemma3:12b", &ollama("gemma3:12b"));
        check("ollama:gemma3", &ollama("gemma3"));
        check("ollama:hf.co/org/repo-GGUF:Q4_0", &ollama("hf.co/org/repo-GGUF:Q4_0"));
        check("http://localhost:8080/v1#lab", &server("http://localhost:8080/v1", "lab"));
        check("https://h/v1/#org/m:q#2", &server("https://h/v1", "org/m:q#2"));
        check("http://[::1]:8080/v1#m", &server("http://[::1]:8080/v1", "m"));
    }

    #[test]
    fn everything_else_is_a_file() {
        for path in ["m.gguf", "./a b/m.gguf", "C:\\m.gguf", "ollama", "httpd.gguf", "x#y.gguf"] {
            check(path, &ModelName::File(PathBuf::from(path)));
        }
    }

    #[test]
    fn names_of_nothing_are_refused() {
        let refused = |text: &str| ModelName::parse(text).unwrap_err();
        for text in ["ollama:", "ollama:a b"] {
            assert_eq!(refused(text), ModelNameError::Ollama(text.to_owned()));
        }
        for text in ["http://#m", "http:///v1#m", "http://a b/v1#m"] {
            assert_eq!(refused(text), ModelNameError::Address(text.to_owned()));
        }
        for text in ["http://localhost:8080/v1", "http://localhost:8080/v1#"] {
            assert_eq!(refused(text), ModelNameError::NoModel(text.to_owned()));
        }
    }
}
