//! Short names: the shortest form of each path that is still unique. Pure.

use std::path::{Component, Path, PathBuf};

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
    let mut names: Vec<String> = Vec::with_capacity(paths.len());
    for (index, path) in paths.iter().enumerate() {
        let deepest = path.components().count().max(1);
        let name = (1..=deepest)
            .map(|depth| tail(path, depth, suffix))
            .find(|name| {
                paths.iter().enumerate().all(|(other, path)| {
                    other == index || (1..=deepest).all(|d| tail(path, d, suffix) != *name)
                })
            })
            .unwrap_or_else(|| {
                let full = tail(path, deepest, suffix);
                let before = paths[..index].iter().filter(|&other| other == path).count();
                if before == 0 { full } else { format!("{full}#{}", before + 1) }
            });
        names.push(name);
    }
    names
}

/// The last `depth` components, without the suffix.
fn tail(path: &Path, depth: usize, suffix: &str) -> String {
    let parts: Vec<_> = path
        .components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let name = parts[parts.len().saturating_sub(depth)..].join("/");
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
    }
}
