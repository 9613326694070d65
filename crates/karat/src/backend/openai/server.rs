//! What a server is and on what terms it runs its model, as far as it tells. Owns the questions that
//! each kind of server answers; what none answers becomes a finding.

use std::time::Duration;

use serde_json::{Value, json};

use crate::backend::http::{Http, Patience, excerpt, failure};
use crate::backend::{Ready, Sampling, Terms, Thinking};
use crate::digest::sha256_hex;
use crate::generation::{FailureKind, GenerationFailure};
use crate::record::Severity;
use crate::settings::ApiKey;

/// Time for a question that a server may not know.
const PROBE: Duration = Duration::from_secs(15);

/// What kind of server answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// llama.cpp's.
    LlamaServer,
    /// vLLM.
    Vllm,
    /// LM Studio.
    LmStudio,
    /// Another one.
    #[default]
    Unknown,
}

/// A server and its model.
#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    kind: Kind,
    /// Models that it lists; empty where it has no list.
    listed: Vec<String>,
    n_ctx: Option<u32>,
    /// Bytes of the model's weights.
    bytes: Option<u64>,
    build: Option<String>,
    template: Option<String>,
    /// What it says of the model besides its name, as `key value`.
    said: Vec<String>,
}

/// The server at `base` without the `/v1` at its end.
pub(super) fn root(base: &str, key: Option<ApiKey>, patience: Patience) -> Http {
    let base = base.trim_end_matches('/');
    let patience = Patience {
        first_byte: PROBE,
        idle: PROBE,
        total: PROBE,
        loading: Duration::ZERO,
        ..patience
    };
    Http::new(base.strip_suffix("/v1").unwrap_or(base), key, patience)
}

impl Server {
    /// Asks a server what it is. Only that it answers at all is required.
    pub fn ask(http: &Http, root: &Http, model: &str) -> Result<Self, GenerationFailure> {
        let mut server = Self::default();
        let list = http.find("/models")?.unwrap_or_default();
        let entries = list["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        server.listed =
            entries.iter().filter_map(|entry| Some(entry["id"].as_str()?.to_owned())).collect();
        let entry = entries.iter().find(|entry| entry["id"] == model);
        // vLLM's own field.
        server.n_ctx = entry.and_then(|entry| number(&entry["max_model_len"]));
        if let (Some(entry), Some(_)) = (entry, server.n_ctx) {
            server.kind = Kind::Vllm;
            server.hear(entry, &["root", "parent"]);
            return Ok(server);
        }
        server.ask_root(root, model);
        // llama-server answers with what it has, whatever it is asked for.
        if let (Kind::LlamaServer, Some(entry)) = (server.kind, entry.or(entries.first())) {
            server.hear(&entry["meta"], &["size", "n_params", "n_vocab"]);
            server.bytes = entry["meta"]["size"].as_u64();
        }
        Ok(server)
    }

    /// Keeps what the server says under these keys. `created` is none of them: llama-server and vLLM put
    /// the moment of the question there.
    fn hear(&mut self, entry: &Value, keys: &[&str]) {
        let said = keys.iter().filter(|key| !entry[**key].is_null());
        self.said.extend(said.map(|key| format!("{key} {}", entry[*key])));
    }

    /// Asks for what stands beside the API: a server that does not know the page is another one.
    fn ask_root(&mut self, root: &Http, model: &str) {
        if let Ok(props) = root.get("/props")
            && let Some(n_ctx) = number(&props["default_generation_settings"]["n_ctx"])
        {
            self.kind = Kind::LlamaServer;
            self.n_ctx = Some(n_ctx);
            self.build = props["build_info"].as_str().map(str::to_owned);
            self.template = props["chat_template"].as_str().map(str::to_owned);
            self.hear(&props, &["model_path", "model_ftype", "build_info"]);
            let template = self.template.as_ref().map(sha256_hex);
            self.said.extend(template.map(|hash| format!("chat template {hash}")));
            return;
        }
        let Ok(models) = root.get("/api/v0/models") else { return };
        let entries = models["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        if let Some(entry) = entries.iter().find(|entry| entry["id"] == model)
            && !entry["max_context_length"].is_null()
        {
            self.kind = Kind::LmStudio;
            // Missing until the model is loaded.
            self.n_ctx = number(&entry["loaded_context_length"]);
            self.hear(entry, &["publisher", "arch", "quantization", "compatibility_type"]);
        }
    }

    /// What it says of the model besides its name; `None` where it says nothing.
    pub fn identity(&self) -> Option<String> {
        (!self.said.is_empty()).then(|| self.said.join(", "))
    }

    /// Tokens of a text, where this kind of server counts them for the asking.
    pub fn count_tokens(&self, root: &Http, text: &str) -> Result<Option<u64>, GenerationFailure> {
        if self.kind != Kind::LlamaServer {
            return Ok(None);
        }
        let body = json!({ "content": text, "add_special": false, "parse_special": false });
        let reply = root.post("/tokenize", &body.to_string())?;
        let tokens = reply["tokens"].as_array().ok_or_else(|| {
            let said = excerpt(&reply.to_string());
            let message = format!("{}/tokenize gave no tokens: {said}", root.base());
            failure(FailureKind::InvalidReply, message)
        })?;
        Ok(Some(tokens.len() as u64))
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Bytes of the model's weights, where it tells.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// The chat template that it renders, where it tells.
    pub fn template(&self) -> Option<&str> {
        self.template.as_deref()
    }

    /// Whether it takes the terms, as far as it tells.
    pub fn ready(&self, model: &str, terms: &Terms) -> Result<Ready, GenerationFailure> {
        let name = match self.kind {
            Kind::LlamaServer => Some("llama-server"),
            Kind::Vllm => Some("vLLM"),
            Kind::LmStudio => Some("LM Studio"),
            Kind::Unknown => None,
        };
        let mut ready = Ready {
            engine: name.map(|name| match &self.build {
                Some(build) => format!("{name} {build}"),
                None => name.to_owned(),
            }),
            n_ctx: self.n_ctx,
            template: self.template.clone(),
            ..Ready::default()
        };
        self.check_model(model, &mut ready)?;
        self.check_context(terms.n_ctx, &mut ready)?;
        self.tell_the_unknown(terms, &mut ready);
        Ok(ready)
    }

    fn check_model(&self, model: &str, ready: &mut Ready) -> Result<(), GenerationFailure> {
        if self.listed.is_empty() || self.listed.iter().any(|listed| listed == model) {
            return Ok(());
        }
        let listed = self.listed.join(", ");
        if self.kind == Kind::LlamaServer {
            ready.tell(
                Severity::Warning,
                format!(
                    "the server was asked for `{model}` and answers with what it has: {listed}"
                ),
            );
            return Ok(());
        }
        let message = format!("the server does not list the model `{model}`; it has: {listed}");
        Err(failure(FailureKind::NoSuchModel, message))
    }

    fn check_context(&self, asked: u32, ready: &mut Ready) -> Result<(), GenerationFailure> {
        match self.n_ctx {
            Some(n_ctx) if n_ctx < asked => Err(failure(
                FailureKind::NotAsAsked,
                format!(
                    "the server runs the model with a context of {n_ctx} tokens, {asked} were asked \
                     for; start it with that many (a request cannot change it)"
                ),
            )),
            Some(n_ctx) if n_ctx > asked => {
                ready.tell(
                    Severity::Warning,
                    format!(
                        "the server runs the model with a context of {n_ctx} tokens, {asked} were \
                         asked for: its memory is that of the larger one"
                    ),
                );
                Ok(())
            }
            Some(_) => Ok(()),
            None => {
                ready.tell(
                    Severity::Warning,
                    format!(
                        "the server does not tell its context; {asked} tokens cannot be verified"
                    ),
                );
                Ok(())
            }
        }
    }

    fn tell_the_unknown(&self, terms: &Terms, ready: &mut Ready) {
        let mut unknown = vec!["whether another model is loaded beside this one"];
        if self.template.is_none() {
            unknown.push("which chat template it renders");
        }
        if self.kind != Kind::LlamaServer {
            unknown.push("whether it answers from a cache of earlier prompts");
        }
        if matches!(terms.sampling, Sampling::Recommended { .. }) {
            unknown.push("with which sampling it answers when it is left to the server");
        }
        if self.kind != Kind::LlamaServer && terms.thinking != Thinking::Default {
            unknown.push("whether it knows the switch for thinking");
        }
        ready
            .tell(Severity::Note, format!("what the server does not tell: {}", unknown.join("; ")));
        if self.kind == Kind::LlamaServer && terms.thinking == Thinking::Default {
            ready.tell(
                Severity::Note,
                "thinking is left to llama-server, which switches it on wherever the chat template can; \
                 the embedded engine leaves it to the template",
            );
        }
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
}
