//! Tensor names with their layers left out, so that what happens in many layers is said once:
//! `blk.*.attn_v.weight`.

/// The name with every part that is a number replaced by `*`.
pub(super) fn pattern(name: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts = name.split('.').map(|part| if is_number(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join(".")
}

/// The layer of a tensor called `blk.N.…`; `None` of any other.
pub(super) fn layer(name: &str) -> Option<u64> {
    let (number, _) = name.strip_prefix("blk.")?.split_once('.')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_and_experts_become_a_star() {
        assert_eq!(pattern("blk.12.attn_v.weight"), "blk.*.attn_v.weight");
        assert_eq!(pattern("blk.3.ffn_up.7.weight"), "blk.*.ffn_up.*.weight");
        assert_eq!(pattern("output.weight"), "output.weight");
        assert_eq!(pattern("a..b"), "a..b");
    }

    #[test]
    fn only_layers_have_a_number() {
        assert_eq!(layer("blk.12.attn_v.weight"), Some(12));
        assert_eq!(layer("blk.x.attn_v.weight"), None);
        assert_eq!(layer("enc.blk.1.attn_v.weight"), None);
        assert_eq!(layer("blk.99999999999999999999.a"), None);
    }
}
