//! Where servers are and what opens them, from the environment.

use std::env;
use std::fmt;

/// Port of Ollama unless told.
const OLLAMA_PORT: u16 = 11434;

/// A key of a server. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key, without white space around it; `None` for an empty one.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The key itself, to be sent.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// An address that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// `OLLAMA_HOST`.
    #[error("OLLAMA_HOST is `{0}`, which is no address; e.g. 127.0.0.1:11434")]
    OllamaHost(String),
}

/// What is read from the environment about servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// Address of Ollama, e.g. `http://127.0.0.1:11434`.
    pub ollama: String,
    /// Key of OpenAI-compatible servers.
    pub api_key: Option<ApiKey>,
}

impl Servers {
    /// Reads `OLLAMA_HOST` and `KARAT_API_KEY`.
    pub fn read() -> Result<Self, ServerError> {
        let host = env::var_os("OLLAMA_HOST").unwrap_or_default();
        let key = env::var("KARAT_API_KEY").unwrap_or_default();
        Ok(Self { ollama: ollama_base(&host.to_string_lossy())?, api_key: ApiKey::new(&key) })
    }
}

/// The address that `OLLAMA_HOST` means to a client.
///
/// As Ollama reads it: a scheme, a host and a port, each of which may be missing; the scheme decides
/// the port where it is given. An address that a server listens on everywhere (`0.0.0.0`) is this
/// machine to a client.
fn ollama_base(text: &str) -> Result<String, ServerError> {
    let wrong = || ServerError::OllamaHost(text.to_owned());
    let given = text.trim().trim_matches(['"', '\'']);
    let (scheme, rest, default_port) = match given.split_once("://") {
        Some(("http", rest)) => ("http", rest, 80),
        Some(("https", rest)) => ("https", rest, 443),
        Some(_) => return Err(wrong()),
        None => ("http", given, OLLAMA_PORT),
    };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, path.trim_matches('/')),
        None => (rest, ""),
    };
    // Colons within brackets belong to an IPv6 address, and so do several without any.
    let after_brackets = authority.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match authority.rfind(':').filter(|&at| at >= after_brackets) {
        Some(_) if after_brackets == 0 && authority.matches(':').count() > 1 => (authority, None),
        Some(at) => (&authority[..at], Some(&authority[at + 1..])),
        None => (authority, None),
    };
    let port: u16 = match port {
        Some(port) => port.parse().map_err(|_| wrong())?,
        None => default_port,
    };
    let host = match host.trim_matches(['[', ']']) {
        "" | "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    if host.contains(|c: char| c.is_whitespace() || matches!(c, '@' | '?' | '#')) {
        return Err(wrong());
    }
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    Ok(format!("{scheme}://{host}:{port}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, base: &str) {
        assert_eq!(ollama_base(text), Ok(base.to_owned()));
    }

    #[test]
    fn each_part_of_the_address_may_be_missing() {
        check("", "http://127.0.0.1:11434");
        check("gpu-box", "http://gpu-box:11434");
        check("gpu-box:8080", "http://gpu-box:8080");
        check(":8080", "http://127.0.0.1:8080");
        check("http://gpu-box", "http://gpu-box:80");
        check("https://gpu-box/", "https://gpu-box:443");
        check("https://gpu-box/ollama/", "https://gpu-box:443/ollama");
        check("  \"1.2.3.4\" ", "http://1.2.3.4:11434");
    }

    #[test]
    fn listening_everywhere_is_this_machine() {
        check("0.0.0.0", "http://127.0.0.1:11434");
        check("0.0.0.0:1", "http://127.0.0.1:1");
        check("[::]:1", "http://[::1]:1");
    }

    #[test]
    fn addresses_of_version_6_keep_their_brackets() {
        check("[::1]:1", "http://[::1]:1");
        check("[fe80::1]", "http://[fe80::1]:11434");
        check("::1", "http://[::1]:11434");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["ftp://h", "h:port", "h:99999", "a b", "h@x", "h:"] {
            assert_eq!(ollama_base(text), Err(ServerError::OllamaHost(text.to_owned())));
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = ApiKey::new(" sk-1 \n");
        assert_eq!(key.as_ref().map(ApiKey::reveal), Some("sk-1"));
        assert!(!format!("{key:?}").contains("sk-1"));
        assert_eq!(ApiKey::new("  "), None);
    }
}
