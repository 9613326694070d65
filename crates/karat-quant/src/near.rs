//! Finds the known names that an unknown one was probably meant to be. It never decides.

/// The `known` names nearest to `name`, best first, at most five; case and `_` do not count.
///
/// Near is what begins alike, and what is the fewest edits away, if these are at most two
/// and at most a third of the name.
pub(crate) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let bare = |name: &str| name.to_ascii_uppercase().replace('_', "");
    let name = bare(name);
    let mut found: Vec<(usize, bool, &str)> = known
        .map(|candidate| {
            let begins = name.len() >= 2 && bare(candidate).starts_with(&name);
            (edits(&name, &bare(candidate)), begins, candidate)
        })
        .collect();
    let fewest = found.iter().map(|&(distance, ..)| distance).min().unwrap_or(0);
    let limit = fewest.min(2).min(name.len() / 3);
    found.retain(|&(distance, begins, _)| distance <= limit || (begins && fewest > 0));
    found.sort_by_key(|&(distance, ..)| distance);
    found.truncate(5);
    found.into_iter().map(|(.., candidate)| candidate).collect()
}

/// Levenshtein distance in bytes; a long name is as far away as its length.
fn edits(a: &str, b: &str) -> usize {
    if a.len() > 32 {
        return a.len();
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, want: &[&str]) {
        let known = ["Q4_0", "Q4_1", "Q4_K_M", "IQ4_NL", "BF16", "Q8_0"];
        assert_eq!(near(name, known.into_iter()), want);
    }

    #[test]
    fn one_typing_error_finds_the_name() {
        check("q4k_m", &["Q4_K_M"]);
        check("Q40", &["Q4_0"]);
        check("Q9_0", &["Q4_0", "Q8_0"]);
    }

    #[test]
    fn the_beginning_of_a_name_finds_it() {
        check("Q4", &["Q4_0", "Q4_1", "Q4_K_M"]);
        check("iq4", &["IQ4_NL"]);
    }

    #[test]
    fn nothing_near_finds_nothing() {
        check("banana", &[]);
        check(&"q4_0".repeat(100), &[]);
    }
}
