//! Template syntax that only transformers knows, put into words that the template engine knows.

/// The template with `{% generation %}` and `{% endgeneration %}` (transformers' marks around what
/// the assistant writes) as an `if` that always holds: the same text comes out, line numbers stay.
pub(super) fn plain(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        let end = tag.find("%}").map_or(tag.len(), |end| end + 2);
        let (tag, after) = tag.split_at(end);
        out.push_str(before);
        match tag.trim_matches(['{', '%', '}', '-', '+']).trim() {
            "generation" => out.push_str(&tag.replace("generation", "if true")),
            "endgeneration" => out.push_str(&tag.replace("endgeneration", "endif")),
            _ => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(plain(source), expected);
    }

    #[test]
    fn generation_marks_become_a_condition_that_holds() {
        check("a{%- generation -%}b\n{% endgeneration %}c", "a{%- if true -%}b\n{% endif %}c");
    }

    #[test]
    fn other_tags_and_broken_ones_stay() {
        check("{% if generation %}x{% endif %}", "{% if generation %}x{% endif %}");
        check("{{ 'generation' }}{% set x", "{{ 'generation' }}{% set x");
    }
}
