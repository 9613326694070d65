//! The tokens at which each build is farthest from the original, with their context and what both
//! models expected there.
//! Owns this section; which tokens are the worst is the document's to say.

use maud::{Markup, html};

use super::view::View;
use crate::record::{LikelyToken, WorstToken};
use crate::report::number::{percent, short};
use crate::visible::visible;

/// Tokens shown per build, all texts together.
const SHOWN: usize = 5;

/// Anchor and heading, for the navigation.
pub(super) const PLACE: (&str, &str) = ("worst", "Where builds differ most");

/// The section; none where no such tokens are known.
pub(super) fn section(view: &View<'_>) -> Option<Markup> {
    let worst: Vec<&WorstToken> =
        view.builds().into_iter().flat_map(|build| worst_of(view, build)).collect();
    let reference = &worst.first()?.reference;
    let (id, heading) = PLACE;
    Some(html! {
        section id=(id) aria-labelledby={ (id) "-h" } {
            h2 id={ (id) "-h" } { (heading) }
            p.lede {
                "The " (SHOWN) " tokens of largest KLD from " (visible(reference)) " of each build, over \
                 all texts: what stands before, the token that really follows, and the likeliest next \
                 tokens to either model. Blanks of tokens are shown as ␣."
            }
            div.scroll role="region" tabindex="0" aria-label=(heading) {
                table.worst {
                    caption { strong { "Worst tokens" } }
                    thead {
                        tr {
                            th scope="col" { "build" }
                            th scope="col" class="num" { "KLD " span.unit { "nats" } }
                            th scope="col" { "text" }
                            th scope="col" { "context ▸ token" }
                            th scope="col" { "original expects" }
                            th scope="col" { "build expects" }
                        }
                    }
                    tbody { @for worst in &worst { (row(worst)) } }
                }
            }
        }
    })
}

/// The worst tokens of one build, farthest first; infinitely far ones before all others.
fn worst_of<'a>(view: &View<'a>, build: &str) -> Vec<&'a WorstToken> {
    let mut worst: Vec<&WorstToken> =
        view.doc.worst_tokens.iter().filter(|worst| worst.candidate == build).collect();
    let size = |worst: &WorstToken| worst.token.kld.unwrap_or(f64::INFINITY);
    worst.sort_by(|one, other| size(other).total_cmp(&size(one)));
    worst.truncate(SHOWN);
    worst
}

fn row(worst: &WorstToken) -> Markup {
    let token = &worst.token;
    html! {
        tr {
            th scope="row" { (visible(&worst.candidate)) }
            td.num data-key=(token.kld.unwrap_or(f64::MAX)) {
                (token.kld.map_or_else(|| "∞".to_owned(), short))
            }
            td.scope.faint { (visible(&worst.scope)) }
            td.context { (visible(&token.context)) mark { (one_token(&token.target)) } }
            td { (likely(&token.top_reference, &token.target)) }
            td { (likely(&token.top_candidate, &token.target)) }
        }
    }
}

/// Likeliest first; the one that really followed stands out.
fn likely(tokens: &[LikelyToken], target: &str) -> Markup {
    html! {
        ol.likely {
            @for token in tokens {
                li class=[(token.text == target).then_some("hit-token")] {
                    span { (one_token(&token.text)) }
                    " " span.share { (percent((token.probability * 1000.0).round() / 1000.0)) }
                }
            }
        }
    }
}

fn one_token(text: &str) -> String {
    visible(&text.replace(' ', "␣"))
}
