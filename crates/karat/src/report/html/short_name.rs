//! Names that fit beside a mark. Owns what is left out; the whole name is in the mark's tooltip.

use crate::visible::visible;

/// The name with everything hidden in it shown, and its middle left out where it is longer than `max`
/// characters: beginnings and ends tell builds apart.
pub(super) fn short_name(name: &str, max: usize) -> String {
    let shown = visible(name);
    let length = shown.chars().count();
    if length <= max {
        return shown;
    }
    let head = max.saturating_sub(1).div_ceil(2);
    let tail = max.saturating_sub(1) - head;
    let first: String = shown.chars().take(head).collect();
    let last: String = shown.chars().skip(length - tail).collect();
    format!("{first}…{last}")
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[track_caller]
    fn check(name: &str, max: usize, shown: &str) {
        assert_eq!(short_name(name, max), shown);
    }

    #[test]
    fn a_long_name_loses_its_middle() {
        check("abcdefghij", 10, "abcdefghij");
        check("abcdefghijk", 10, "abcde…hijk");
        check("ab", 1, "…");
    }

    #[test]
    fn hidden_characters_are_shown_before_they_are_counted() {
        check("a\u{202e}b", 12, r"a\u{202e}b");
        check("a\u{202e}b", 5, r"a\…}b");
    }
}
