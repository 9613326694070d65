//! A number of tokens as people type it: `4096`, `4k`, `32K`, `1m`.

/// Reads a positive number of tokens; `k` is 1024 of them, `m` 1024 times that.
pub(super) fn tokens(text: &str) -> Result<u32, String> {
    let wrong = || "give tokens, e.g. 4096 or 32k".to_owned();
    let lower = text.trim().to_ascii_lowercase();
    let (digits, factor) = match lower.strip_suffix(['k', 'm']) {
        Some(digits) if lower.ends_with('k') => (digits, 1_u32 << 10),
        Some(digits) => (digits, 1 << 20),
        None => (lower.as_str(), 1),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return Err(wrong());
    }
    // Digits alone that are no u32 are too many of them.
    match digits.parse::<u32>().ok().and_then(|number| number.checked_mul(factor)) {
        Some(0) => Err(wrong()),
        Some(tokens) => Ok(tokens),
        None => Err(format!("{text} tokens are more than any context holds")),
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[track_caller]
    fn check(text: &str, want: Option<u32>) {
        assert_eq!(tokens(text).ok(), want, "{text}");
    }

    #[test]
    fn tokens_are_read_as_people_type_them() {
        check("4096", Some(4096));
        check("4k", Some(4096));
        check("32K", Some(32_768));
        check("1m", Some(1_048_576));
    }

    #[test]
    fn too_many_tokens_are_told_as_that() {
        for text in ["4294967296", "99999999999999999999", "9999999k"] {
            let said = tokens(text).unwrap_err();
            assert!(said.contains("more than any context holds"), "{said}");
        }
    }

    #[test]
    fn what_is_no_number_of_tokens_is_refused() {
        for text in ["", "0", "k", "-1", "4.5k", "9999999k", "many"] {
            check(text, None);
        }
    }
}
