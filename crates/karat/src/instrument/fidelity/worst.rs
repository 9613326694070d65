//! The worst tokens of a text, from those of its windows. Values in, values out.

use std::collections::BTreeMap;

use crate::plan::{FidelityPlan, Pair};
use crate::record::{Finding, Severity, TokenInContext, WorstToken};

/// Worst tokens of a comparison's windows; `None` for a window stored without them.
pub type WorstByWindow = BTreeMap<u32, Option<Vec<TokenInContext>>>;

/// The plan's number of worst tokens of each comparison with the original on one text, largest KLD
/// first, ties in the order of the text; and whose are not known.
///
/// `windows`: those that the figures rest on. A comparison that lacks one of them is left out.
pub fn worst_tokens(
    plan: &FidelityPlan,
    text: usize,
    windows: &[u32],
    worst: &BTreeMap<Pair, WorstByWindow>,
) -> (Vec<WorstToken>, Option<Finding>) {
    let (mut tokens, mut unknown) = (Vec::new(), Vec::new());
    let members = plan.members();
    let scope = &plan.texts[text].name;
    for (pair, by_window) in worst {
        if !windows.iter().all(|window| by_window.contains_key(window)) {
            continue;
        }
        let candidate = plan.label(&members[pair.candidate]);
        let Some(chosen) = choose(windows, by_window, plan.worst as usize) else {
            unknown.push(candidate);
            continue;
        };
        let reference = plan.label(&members[pair.reference]);
        tokens.extend(chosen.into_iter().map(|(window, token)| WorstToken {
            candidate: candidate.clone(),
            reference: reference.clone(),
            scope: scope.clone(),
            setting: plan.setting(&members[pair.candidate]),
            window,
            token: token.clone(),
        }));
    }
    let finding = (!unknown.is_empty()).then(|| Finding {
        severity: Severity::Note,
        message: format!(
            "{scope}: the worst tokens of {} are not known: windows were scored by a karat that did \
             not keep them",
            unknown.join(", ")
        ),
    });
    (tokens, finding)
}

/// The `n` worst of these windows; `None` where one was stored without them.
fn choose<'w>(
    windows: &[u32],
    by_window: &'w WorstByWindow,
    n: usize,
) -> Option<Vec<(u32, &'w TokenInContext)>> {
    let mut all = Vec::new();
    for window in windows {
        let tokens = by_window.get(window)?.as_ref()?;
        all.extend(tokens.iter().map(|token| (*window, token)));
    }
    all.sort_by(|(one_window, one), (other_window, other)| {
        let by_size = size(other).total_cmp(&size(one));
        by_size.then((one_window, one.position).cmp(&(other_window, other.position)))
    });
    all.truncate(n);
    Some(all)
}

/// A missing KLD is an infinite one.
fn size(token: &TokenInContext) -> f64 {
    token.kld.unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(position: u32, kld: Option<f64>) -> TokenInContext {
        TokenInContext {
            position,
            context: String::new(),
            target: String::new(),
            kld,
            nll_reference: None,
            nll_candidate: None,
            top_reference: Vec::new(),
            top_candidate: Vec::new(),
        }
    }

    /// Window 0 and 2 with two tokens each, window 1 stored without.
    fn by_window() -> WorstByWindow {
        let tokens = |one, other| Some(vec![token(7, one), token(3, other)]);
        WorstByWindow::from([
            (0, tokens(Some(0.5), Some(0.2))),
            (1, None),
            (2, tokens(None, Some(0.5))),
        ])
    }

    #[track_caller]
    fn check(windows: &[u32], n: usize, want: Option<&[(u32, u32)]>) {
        let by_window = by_window();
        let chosen = choose(windows, &by_window, n);
        let places = chosen.map(|chosen| {
            chosen.into_iter().map(|(window, token)| (window, token.position)).collect::<Vec<_>>()
        });
        assert_eq!(places.as_deref(), want);
    }

    #[test]
    fn the_worst_of_a_text_are_found_among_those_of_its_windows() {
        check(&[0, 2], 4, Some(&[(2, 7), (0, 7), (2, 3), (0, 3)]));
        check(&[2, 0], 2, Some(&[(2, 7), (0, 7)]));
        check(&[0], 9, Some(&[(0, 7), (0, 3)]));
    }

    #[test]
    fn a_window_stored_without_leaves_them_unknown() {
        check(&[0, 1], 4, None);
        check(&[0, 5], 4, None);
    }
}
