//! Texts made comparable: composed characters, no difference of case, whole words. Owns what counts as
//! a word's edge.

use unicode_normalization::UnicodeNormalization as _;

/// Text for comparison: NFC, full case folding, one space between words, typographic quotes, apostrophes
/// and hyphens as plain ones.
///
/// Folding is upper-casing and then lower-casing each character, which is Unicode's full case folding
/// but for a few characters outside the languages of the tasks; `ß` becomes `ss`.
pub(super) fn folded(text: &str) -> String {
    let folded: String = text
        .nfc()
        .map(|character| match character {
            '\u{2018}' | '\u{2019}' | '\u{02BC}' => '\'',
            '\u{2010}' | '\u{2011}' => '-',
            '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{00AB}' | '\u{00BB}' => '"',
            '\u{00A0}' | '\u{202F}' | '\u{2009}' => ' ',
            other => other,
        })
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `form` stands in `text` between word edges. Both are folded here. An edge of the form that is
/// no letter or digit needs no edge of a word.
pub(super) fn has_form(text: &str, form: &str) -> bool {
    let form = folded(form);
    let starts_word = form.chars().next().is_some_and(is_word);
    let ends_word = form.chars().next_back().is_some_and(is_word);
    stands(&folded(text), &form, starts_word, ends_word)
}

/// As [`has_form`]; a `*` before or after the form stands for any letters, so that `twoj*` is `twoja`
/// and `twoje`, and `*łeś` is `kupiłeś`.
pub(super) fn has_pattern(text: &str, pattern: &str) -> bool {
    let form = pattern.trim_matches('*');
    if form.len() == pattern.len() {
        return has_form(text, form);
    }
    let starts_word = !pattern.starts_with('*');
    let ends_word = !pattern.ends_with('*');
    stands(&folded(text), &folded(form), starts_word, ends_word)
}

fn stands(text: &str, form: &str, starts_word: bool, ends_word: bool) -> bool {
    !form.is_empty()
        && text.match_indices(form).any(|(at, _)| {
            let before = text[..at].chars().next_back().is_some_and(is_word);
            let after = text[at + form.len()..].chars().next().is_some_and(is_word);
            !(starts_word && before || ends_word && after)
        })
}

/// Whether a character belongs to a word.
pub(super) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Words of a text: runs of letters and digits; apostrophes and hyphens between them belong to them.
pub(super) fn words(text: &str) -> Vec<&str> {
    let is_part = |character: char| {
        is_word(character) || matches!(character, '\'' | '’' | '-' | '\u{2010}' | '\u{2011}')
    };
    text.split(|character| !is_part(character))
        .map(|word| word.trim_matches(|character| !is_word(character)))
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_composition_do_not_matter() {
        assert_eq!(folded("STRASSE"), folded("Straße"));
        assert_eq!(folded("Żo\u{0301}łw"), folded("żÓŁW"));
        assert_eq!(folded("ΟΔΟΣ"), folded("οδος").replace('ς', "σ"));
        assert_eq!(folded(" l’été \n «oui» "), "l'été \"oui\"");
    }

    #[test]
    fn forms_are_whole_words() {
        assert!(has_form("Czy mógłby Pan pomóc?", "pan"));
        assert!(!has_form("Czy masz panel?", "pan"));
        assert!(!has_form("kompan", "pan"));
        assert!(has_form("aidez-vous", "vous"));
        assert!(has_form("s'il vous plaît", "s'il vous plaît"));
        assert!(!has_form("anything", ""));
        assert!(has_form("panel i pan", "pan"));
        assert!(has_form("nectar\u{2011}839", "nectar-839"));
    }

    #[test]
    fn a_star_stands_for_letters() {
        assert!(has_pattern("Daj mi twoje klucze.", "twoj*"));
        assert!(has_pattern("Gdzie kupiłeś rower?", "*łeś"));
        assert!(!has_pattern("Gdzie kupił rower?", "*łeś"));
        assert!(!has_pattern("To jest nieswoje.", "swoj*"));
        assert!(!has_pattern("Weszli, śpiewając.", "*łeś"));
        assert!(has_pattern("pan", "pan") && !has_pattern("panel", "pan"));
        assert!(!has_pattern("anything", "**"));
    }

    #[test]
    fn words_are_counted_as_readers_do() {
        assert_eq!(
            words("It's a well-known fact -- yes, 42!"),
            ["It's", "a", "well-known", "fact", "yes", "42"]
        );
    }
}
