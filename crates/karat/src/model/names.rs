//! Short names: the shortest form of each path that is still unique. Pure.

use std::path::{Component, Path, PathBuf};

use crate::settings::ModelName;

/// Short names of models: the file name without `.gguf`, with as many parent folders as it takes to
/// tell all apart. A path given twice gets `#2`, `#3` ...
pub fn short_names(paths: &[PathBuf]) -> Vec<String> {
    unique(paths, ".gguf")
}

/// Short names of texts, in the same manner, without `.txt`.
pub fn text_names(paths: &[PathBuf]) -> Vec<String> {
    unique(paths, ".txt")
}

fn unique(paths: &[PathBuf], suffix: &str) -> Vec<String> {
    let full: Vec<String> = paths.iter().map(|path| tail(path, usize::MAX, suffix)).collect();
    let short = |index: usize| {
        let deepest = paths[index].components().count().max(1);
        let is_free = |name: &String| {
            paths.iter().zip(&full).all(|(path, other)| {
                *other == full[index] || (1..=deepest).all(|d| tail(path, d, suffix) != *name)
            })
        };
        let short = (1..=deepest).map(|depth| tail(&paths[index], depth, suffix)).find(is_free);
        short.unwrap_or_else(|| full[index].clone())
    };
    let shorts: Vec<String> = (0..paths.len()).map(short).collect();
    let mut names: Vec<String> = Vec::with_capacity(paths.len());
    for (index, short) in shorts.iter().enumerate() {
        let n_before = full[..index].iter().filter(|&other| *other == full[index]).count();
        let name = if n_before == 0 {
            short.clone()
        } else {
            // A file may itself be called `m#2`.
            let is_free = |name: &String| !shorts.contains(name) && !names.contains(name);
            let mut numbered = (n_before + 1..).map(|number| format!("{short}#{number}"));
            numbered.find(is_free).expect("there are more numbers than names")
        };
        names.push(name);
    }
    names
}

/// Short names of models on servers: a model's name there where nothing else of the run is called so
/// (`taken` are files), with host and port where that tells it apart, else all of it. Ollama's keep
/// their `ollama:`.
pub fn served_names(models: &[ModelName], taken: &[String]) -> Vec<String> {
    let forms: Vec<[String; 3]> = models.iter().map(forms).collect();
    let short = |index: usize| {
        let is_free = |form: &String| {
            let mut others = forms.iter().enumerate().filter(|&(other, _)| other != index);
            !taken.contains(form) && others.all(|(_, theirs)| !theirs.contains(form))
        };
        forms[index].iter().find(|form| is_free(form)).unwrap_or(&forms[index][2]).clone()
    };
    (0..models.len()).map(short).collect()
}

/// What a model can be called, shortest first.
fn forms(model: &ModelName) -> [String; 3] {
    let whole = model.to_string();
    match model {
        ModelName::OpenAi { base, model } => {
            let address = base.split_once("//").map_or(base.as_str(), |(_, address)| address);
            let host = address.split('/').next().unwrap_or_default();
            [model.clone(), format!("{host}#{model}"), whole]
        }
        ModelName::File(_) | ModelName::Ollama(_) => [whole.clone(), whole.clone(), whole],
    }
}

/// The last `depth` components, without the suffix.
fn tail(path: &Path, depth: usize, suffix: &str) -> String {
    let parts: Vec<_> = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir | Component::RootDir))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let is_whole = depth > parts.len();
    let root = if is_whole && path.has_root() { "/" } else { "" };
    let name = format!("{root}{}", parts[parts.len().saturating_sub(depth)..].join("/"));
    name.strip_suffix(suffix).unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paths: &[&str], names: &[&str]) {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        assert_eq!(short_names(&paths), names);
    }

    #[test]
    fn a_file_name_is_enough_where_it_is_unique() {
        check(&["/m/base-Q4_0.gguf", "./other/base-Q8_0.gguf"], &["base-Q4_0", "base-Q8_0"]);
    }

    #[test]
    fn equal_file_names_take_their_folders() {
        check(&["a/m.gguf", "b/m.gguf", "b/n.gguf"], &["a/m", "b/m", "n"]);
    }

    #[test]
    fn the_same_path_twice_is_numbered() {
        check(&["m.gguf", "m.gguf"], &["m", "m#2"]);
        check(&["/lab/m.gguf", "q.gguf", "/lab/m.gguf", "/lab/m.gguf"], &["m", "q", "m#2", "m#3"]);
        check(&["m.gguf", "./m.gguf"], &["m", "m#2"]);
    }

    #[test]
    fn a_number_never_makes_the_name_of_another_file() {
        check(&["m.gguf", "m.gguf", "m#2.gguf"], &["m", "m#3", "m#2"]);
        check(&["m#2.gguf", "m.gguf", "m.gguf", "m.gguf"], &["m#2", "m", "m#3", "m#4"]);
    }

    #[test]
    fn a_path_from_the_root_keeps_one_slash() {
        check(&["/a/m.gguf", "a/m.gguf"], &["/a/m", "a/m"]);
        check(&["/m.gguf", "a/m.gguf"], &["/m", "a/m"]);
    }

    #[track_caller]
    fn check_served(models: &[&str], names: &[&str]) {
        let models: Vec<_> = models.iter().map(|name| ModelName::parse(name).unwrap()).collect();
        assert_eq!(served_names(&models, &["file".to_owned()]), names);
    }

    #[test]
    fn a_model_on_a_server_has_its_name_there_and_its_host_where_that_is_needed() {
        let at = |port: u32, name: &str| format!("http://localhost:{port}/v1#{name}");
        check_served(&[&at(1, "q4"), &at(1, "q8"), "ollama:q4"], &["q4", "q8", "ollama:q4"]);
        check_served(&[&at(1, "m"), &at(2, "m")], &["localhost:1#m", "localhost:2#m"]);
        check_served(&[&at(1, "file")], &["localhost:1#file"]);
        check_served(
            &["http://h/a#m", "http://h/b#m", "http://h/a#ollama:m", "ollama:m"],
            &["http://h/a#m", "http://h/b#m", "h#ollama:m", "ollama:m"],
        );
    }

    #[test]
    fn a_name_that_ends_another_path_stays_whole() {
        check(&["m.gguf", "a/m.gguf"], &["m", "a/m"]);
    }
}
