//! The worst tokens of a text, from those of its windows. Values in, values out.

use std::collections::BTreeMap;

use crate::plan::{FidelityPlan, Pair};
use crate::record::{Finding, Severity, TokenInContext, WorstToken};

/// Worst tokens of a comparison's windows; `None` for a window stored without them.
pub type WorstByWindow = BTreeMap<u32, Option<Vec<TokenInContext>>>;

/// The plan's number of worst tokens of each comparison with the original on one text, largest KLD
/// first, ties in the order of the text; and what is missing.
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
        let stored: Option<Vec<_>> = windows
            .iter()
            .map(|window| Some((*window, by_window.get(window)?.as_deref())))
            .collect();
        let Some(stored) = stored else { continue };
        let candidate = plan.label(&members[pair.candidate]);
        if stored.iter().any(|(_, tokens)| tokens.is_none()) {
            unknown.push(candidate);
            continue;
        }
        let all = stored.into_iter().flat_map(|(window, tokens)| {
            tokens.unwrap_or_default().iter().map(move |token| (window, token))
        });
        let mut all: Vec<(u32, &TokenInContext)> = all.collect();
        // Stable, and windows come in order: ties stay in the order of the text.
        all.sort_by(|(_, one), (_, other)| size(other).total_cmp(&size(one)));
        let reference = plan.label(&members[pair.reference]);
        tokens.extend(all.into_iter().take(plan.worst as usize).map(|(window, token)| {
            WorstToken {
                candidate: candidate.clone(),
                reference: reference.clone(),
                scope: scope.clone(),
                setting: plan.setting(&members[pair.candidate]),
                window,
                token: token.clone(),
            }
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

/// A missing KLD is an infinite one.
fn size(token: &TokenInContext) -> f64 {
    token.kld.unwrap_or(f64::INFINITY)
}
